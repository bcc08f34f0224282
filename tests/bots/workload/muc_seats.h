// MucSeats: which bot is in which room. Pairs of bots are dealt to the rooms in turns, so that an
// open loop, whose lanes are pairs, goes from room to room.
#pragma once

#include "tests/bots/run/plan.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bots {

class MucSeats {
public:
    /// There are no more rooms than pairs, and at least one of each.
    MucSeats(BotNumber users, std::uint32_t rooms)
        : users_(users), pairs_((users + 1) / 2), rooms_(std::clamp(rooms, 1U, pairs_)) {}

    std::uint32_t rooms() const noexcept { return rooms_; }
    std::uint32_t pairs() const noexcept { return pairs_; }
    std::uint32_t room_of(BotNumber bot) const noexcept { return bot / 2 % rooms_; }
    /// The first of a room: makes it.
    BotNumber founder_of(std::uint32_t room) const noexcept { return 2 * room; }

    template <class Function>
    void each_occupant(std::uint32_t room, Function&& function) const {
        for (std::uint32_t pair = room; pair < pairs_; pair += rooms_)
            for (const BotNumber bot : {2 * pair, 2 * pair + 1})
                if (bot < users_) function(bot);
    }
    /// Those of one shard of the bots, ascending.
    std::vector<BotNumber> occupants_on(std::uint32_t room, std::uint32_t shard,
                                        std::uint32_t shards) const {
        std::vector<BotNumber> here;
        each_occupant(room, [&](BotNumber bot) {
            if (shard_of(bot, shards) == shard) here.push_back(bot);
        });
        return here;
    }

private:
    BotNumber users_;
    std::uint32_t pairs_;
    std::uint32_t rooms_;
};

}  // namespace bots
