#include "tests/bots/measure/sequence_set.h"

#include <cstdint>
#include <limits>
#include <set>

#include <gtest/gtest.h>

namespace bots {
namespace {

constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();

TEST(SequenceSet, without_gaps_holds_no_intervals) {
    SequenceSet set;
    for (std::uint64_t sequence = 1; sequence <= 1000; ++sequence)
        EXPECT_TRUE(set.insert(sequence));
    EXPECT_EQ(set.gaps(), 0U);
    EXPECT_EQ(set.highest(), 1000U);
    EXPECT_EQ(set.count_up_to(kLast), 1000U);
    EXPECT_EQ(sizeof set, 16U);
}

TEST(SequenceSet, behaves_as_a_set_of_numbers_in_any_order) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        SequenceSet set;
        std::set<std::uint64_t> model;
        std::uint64_t state = seed;
        for (int i = 0; i < 200; ++i) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            const std::uint64_t sequence = 1 + (state >> 33) % 150;
            const std::size_t gaps_before = set.gaps();
            const bool opens = set.opens_gap(sequence);
            EXPECT_EQ(set.insert(sequence), model.insert(sequence).second);
            EXPECT_EQ(set.gaps() > gaps_before, opens) << sequence;
        }
        std::size_t gaps = 0;
        std::uint64_t before = 0;
        for (const std::uint64_t sequence : model) {
            gaps += sequence != before + 1;
            before = sequence;
        }
        EXPECT_EQ(set.gaps(), gaps);
        EXPECT_EQ(set.highest(), *model.rbegin());
        EXPECT_EQ(set.count_up_to(kLast), model.size());
        EXPECT_EQ(set.count_up_to(75), std::distance(model.begin(), model.upper_bound(75)));
        for (std::uint64_t sequence = 0; sequence <= 151; ++sequence)
            EXPECT_EQ(set.contains(sequence), model.contains(sequence)) << sequence;
    }
}

TEST(SequenceSet, closes_gaps_when_what_was_missing_comes) {
    SequenceSet set;
    for (const std::uint64_t sequence : {1U, 3U, 5U, 4U, 2U})
        EXPECT_TRUE(set.insert(sequence));
    EXPECT_EQ(set.gaps(), 0U);
    EXPECT_FALSE(set.insert(3));
}

TEST(SequenceSet, holds_the_greatest_numbers) {
    SequenceSet set;
    EXPECT_TRUE(set.opens_gap(kLast));
    EXPECT_TRUE(set.insert(kLast));
    EXPECT_FALSE(set.insert(kLast));
    EXPECT_FALSE(set.opens_gap(kLast));
    EXPECT_FALSE(set.opens_gap(kLast - 1));
    EXPECT_TRUE(set.insert(kLast - 1));
    EXPECT_EQ(set.gaps(), 1U);
    EXPECT_EQ(set.count_up_to(kLast), 2U);
}

TEST(SequenceSet, merges_and_tells_how_many_were_in_both) {
    SequenceSet one;
    SequenceSet other;
    for (const std::uint64_t sequence : {1U, 2U, 3U, 7U, 8U})
        one.insert(sequence);
    for (const std::uint64_t sequence : {2U, 4U, 5U, 8U, 9U})
        other.insert(sequence);
    EXPECT_EQ(one.count_without(other, kLast), 3U);
    EXPECT_EQ(one.count_without(other, 6), 2U);
    EXPECT_EQ(one.merge(other), 2U);
    EXPECT_EQ(one.count_up_to(kLast), 8U);
    EXPECT_EQ(one.gaps(), 1U);
    EXPECT_EQ(one.merge(SequenceSet()), 0U);
}

}  // namespace
}  // namespace bots
