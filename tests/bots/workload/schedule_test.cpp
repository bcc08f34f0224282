#include "tests/bots/workload/schedule.h"

#include "tests/bots/workload/ring.h"

#include <gtest/gtest.h>
#include <set>
#include <vector>

namespace bots {
namespace {

using namespace std::chrono_literals;
using base::MonotonicTime;

constexpr MonotonicTime kStart{5'000'000'000};

TEST(OpenLoop, spaces_events_evenly_from_the_start) {
    const OpenLoop loop(kStart, 4);
    EXPECT_EQ(loop.due(0), kStart);
    EXPECT_EQ(loop.due(1), kStart + 250ms);
    EXPECT_EQ(loop.due(4), kStart + 1s);
    EXPECT_EQ(loop.due(401), kStart + 100s + 250ms);
}

TEST(OpenLoop, does_not_drift_at_rates_that_do_not_divide_a_second) {
    const OpenLoop loop(kStart, 3);
    for (std::uint64_t second = 0; second < 100'000; second += 997)
        EXPECT_EQ(loop.due(3 * second), kStart + std::chrono::seconds(second));
    EXPECT_EQ(loop.due(1), kStart + 333'333'333ns);
}

TEST(OpenLoop, counts_what_is_due_exactly_as_it_dates_it) {
    for (const std::uint64_t rate : {1U, 3U, 7U, 1000U, 999'983U}) {
        const OpenLoop loop(kStart, rate);
        EXPECT_EQ(loop.due_by(kStart - 1ns), 0U);
        for (std::uint64_t index = 0; index < 5000; ++index) {
            EXPECT_EQ(loop.due_by(loop.due(index)), index + 1);
            EXPECT_EQ(loop.due_by(loop.due(index) - 1ns), index);
        }
    }
}

TEST(OpenLoop, holds_at_a_million_a_second_for_a_day) {
    const OpenLoop loop(kStart, 1'000'000);
    EXPECT_EQ(loop.due(86'400'000'000), kStart + 24h);
    EXPECT_EQ(loop.due_by(kStart + 24h), 86'400'000'001U);
}

TEST(Turns, deal_every_event_to_exactly_one_shard_in_order) {
    for (const std::uint32_t lanes : {1U, 2U, 3U, 10U, 17U})
        for (const std::uint32_t shards : {1U, 2U, 3U, 4U}) {
            std::set<std::uint64_t> indices;
            for (std::uint32_t shard = 0; shard < shards; ++shard) {
                const Turns turns(lanes, shard, shards);
                std::uint64_t before = 0;
                for (std::uint64_t k = 0; k < std::uint64_t{turns.own_lanes()} * 5; ++k) {
                    const Turns::Turn turn = turns.turn(k);
                    EXPECT_EQ(turn.lane % shards, shard);
                    EXPECT_LT(turn.lane, lanes);
                    EXPECT_EQ(turn.index, turn.round * lanes + turn.lane);
                    EXPECT_TRUE(indices.insert(turn.index).second);
                    EXPECT_TRUE(k == 0 || turn.index > before);
                    before = turn.index;
                }
            }
            EXPECT_EQ(indices.size(), lanes * 5U);
            EXPECT_EQ(*indices.rbegin(), lanes * 5U - 1);
        }
}

TEST(Turns, leave_a_shard_without_lanes_alone) {
    EXPECT_EQ(Turns(2, 2, 4).own_lanes(), 0U);
    EXPECT_EQ(Turns(3, 2, 4).own_lanes(), 1U);
}

TEST(Ring, makes_acquaintance_mutual) {
    for (const BotNumber users : {2U, 3U, 7U, 50U})
        for (const std::uint32_t contacts : {2U, 4U, 20U}) {
            const Ring ring(users, contacts);
            for (BotNumber bot = 0; bot < users; ++bot) {
                std::set<BotNumber> seen;
                for (std::uint32_t place = 0; place < ring.contacts(); ++place) {
                    const BotNumber contact = ring.contact(bot, place);
                    EXPECT_NE(contact, bot);
                    EXPECT_TRUE(seen.insert(contact).second);
                    EXPECT_EQ(ring.place_of(bot, contact), place);
                    EXPECT_TRUE(ring.place_of(contact, bot));
                }
                EXPECT_FALSE(ring.place_of(bot, bot));
            }
        }
}

TEST(Ring, has_no_more_contacts_than_there_are_others) {
    EXPECT_EQ(Ring(1, 20).contacts(), 0U);
    EXPECT_EQ(Ring(4, 20).contacts(), 2U);
    EXPECT_EQ(Ring(21, 20).contacts(), 20U);
    EXPECT_FALSE(Ring(50, 4).place_of(0, 3));
}

}  // namespace
}  // namespace bots
