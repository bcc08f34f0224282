// TraceHash: a rolling hash of everything that happens in a simulation: turns, bytes that arrive,
// log events. Two runs of one seed must end with equal hashes; where they do not, the checkpoints
// tell how far they were the same.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/log.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace reactor {

class TraceHash {
public:
    static constexpr std::uint64_t kEventsPerCheckpoint = 16;

    /// `place`: a shard, a stream; no address or thread, which differ from run to run.
    void add(base::MonotonicTime time, std::uint64_t place, std::string_view what,
             std::string_view bytes = {});
    std::uint64_t value() const noexcept { return hash_; }
    std::uint64_t events() const noexcept { return events_; }
    /// The hash after each kEventsPerCheckpoint events.
    const std::vector<std::uint64_t>& checkpoints() const noexcept { return checkpoints_; }

private:
    void mix(std::uint64_t number) noexcept;
    void mix(std::string_view bytes) noexcept;

    std::uint64_t hash_ = 0;
    std::uint64_t events_ = 0;
    std::vector<std::uint64_t> checkpoints_;
};

/// The number of events after which the two were last seen the same; empty when they are equal.
std::optional<std::uint64_t> same_until(const TraceHash& one, const TraceHash& other);

/// Puts what is logged into the trace, and passes it on.
class TraceSink final : public base::LogSink {
public:
    /// Both must outlive it; `next` may be null.
    explicit TraceSink(TraceHash& trace, base::LogSink* next = nullptr)
        : trace_(trace), next_(next) {}
    void write(base::LogLevel level, std::string_view event,
               std::span<const base::LogField> fields) override;

private:
    TraceHash& trace_;
    base::LogSink* next_;
};

}  // namespace reactor
