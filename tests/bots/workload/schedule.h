// The arithmetic of an open loop: when each message is due, and which shard sends it. Absolute
// times in integers, so that neither late wake-ups nor rounding shift what comes after.
#pragma once

#include "reactor/base/clock.h"

#include <cstdint>

namespace bots {

/// Event i (from 0) is due at start + i / rate.
class OpenLoop {
public:
    /// `per_second` is at least 1.
    OpenLoop(base::MonotonicTime start, std::uint64_t per_second)
        : start_(start), per_second_(per_second) {}

    base::MonotonicTime due(std::uint64_t index) const;
    /// How many events are due at or before `now`.
    std::uint64_t due_by(base::MonotonicTime now) const;

private:
    base::MonotonicTime start_;
    std::uint64_t per_second_;
};

/// Deals the events of one open loop to `lanes` that take turns (pairs, users), and the lanes to
/// shards: lane j lives on shard j % shards. All shards together send every event exactly once.
class Turns {
public:
    /// For the lanes of `shard`.
    Turns(std::uint32_t lanes, std::uint32_t shard, std::uint32_t shards);

    struct Turn {
        std::uint32_t lane = 0;   ///< Over all shards.
        std::uint64_t round = 0;  ///< How often that lane had its turn before.
        std::uint64_t index = 0;  ///< Of the event, over all shards: for OpenLoop::due.
    };
    /// How many lanes are this shard's; without any there are no turns.
    std::uint32_t own_lanes() const noexcept { return own_; }
    /// This shard's event number k (from 0). Requires own_lanes() > 0.
    Turn turn(std::uint64_t k) const;

private:
    std::uint32_t lanes_;
    std::uint32_t shard_;
    std::uint32_t shards_;
    std::uint32_t own_;
};

}  // namespace bots
