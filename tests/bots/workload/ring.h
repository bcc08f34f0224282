// Ring: who knows whom when everybody has the same number of contacts: the nearest ones on a circle
// of all bots. Mutual by construction, and nothing to store.
#pragma once

#include "tests/bots/workload/workload.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace bots {

class Ring {
public:
    /// `contacts` is rounded down to an even number that users allow.
    Ring(BotNumber users, std::uint32_t contacts)
        : users_(users), half_(std::min(contacts / 2, users > 0 ? (users - 1) / 2 : 0)) {}

    std::uint32_t contacts() const noexcept { return 2 * half_; }
    /// The contact in `place`, 0 to contacts() - 1.
    BotNumber contact(BotNumber bot, std::uint32_t place) const {
        const std::uint32_t distance = place / 2 + 1;
        return (place % 2 == 0 ? bot + distance : bot + users_ - distance) % users_;
    }
    /// The place of that contact; nothing when they do not know each other.
    std::optional<std::uint32_t> place_of(BotNumber bot, BotNumber contact) const {
        const std::uint32_t ahead = (contact + users_ - bot) % users_;
        const std::uint32_t behind = users_ - ahead;
        if (ahead == 0) return std::nullopt;
        if (ahead <= half_) return 2 * (ahead - 1);
        if (behind <= half_) return 2 * (behind - 1) + 1;
        return std::nullopt;
    }

private:
    BotNumber users_;
    std::uint32_t half_;
};

}  // namespace bots
