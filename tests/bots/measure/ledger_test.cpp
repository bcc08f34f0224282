#include "tests/bots/measure/ledger.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace bots {
namespace {

constexpr std::uint32_t kRun = 0xC0FFEE;
using enum Ledger::Arrival;

MessageStamp stamp_of(std::uint32_t sender, std::uint32_t receiver, std::uint64_t sequence) {
    return {kRun, sender, receiver, sequence, {1'000}};
}

Ledger::Arrival arrive(Ledger& ledger, std::uint32_t sender, std::uint32_t receiver,
                       std::uint64_t sequence) {
    return ledger.received(stamp_of(sender, receiver, sequence), receiver);
}

Tally balance_of(const Ledger& ledger) {
    const std::array<const Ledger*, 1> all = {&ledger};
    return Ledger::balance(all);
}

Tally balance_of(const Ledger& one, const Ledger& other) {
    const std::array<const Ledger*, 2> all = {&one, &other};
    return Ledger::balance(all);
}

TEST(MessageStamp, comes_back_from_its_text) {
    const std::vector<MessageStamp> stamps = {{0, 0, 0, 1, {0}},
                                              {kRun, 99'999, 12, 123'456'789, {987'654'321'012}},
                                              {0xFFFFFFFF,
                                               0xFFFFFFFF,
                                               0xFFFFFFFF,
                                               std::numeric_limits<std::uint64_t>::max(),
                                               {std::numeric_limits<std::int64_t>::max()}}};
    for (const MessageStamp& stamp : stamps) {
        std::string text;
        stamp.append_to(text);
        EXPECT_EQ(MessageStamp::parse(text), stamp) << text;
    }
    std::string text = "x";
    stamp_of(10, 11, 255).append_to(text);
    EXPECT_EQ(text, "xb1-c0ffee-a-b-ff-3e8");
}

TEST(MessageStamp, is_not_seen_in_foreign_ids) {
    for (const char* id : {"",
                           "b",
                           "b1",
                           "b1-",
                           "b1-----",
                           "b1-1-2-3-4",
                           "b1-1-2-3-4-",
                           "b1-1-2-3-4-5-",
                           "b1-1-2-3-4-5-6",
                           "b2-1-2-3-4-5",
                           "B1-1-2-3-4-5",
                           " b1-1-2-3-4-5",
                           "b1-1-2-3-4-5 ",
                           "b1-1-2-3-0-5",
                           "b1-01-2-3-4-5",
                           "b1-1-2-3-4-A",
                           "b1-1-2-3-4-g",
                           "b1--1-2-3-4-5",
                           "b1-+1-2-3-4-5",
                           "b1-0x1-2-3-4-5",
                           "b1-100000000-2-3-4-5",
                           "b1-1-100000000-3-4-5",
                           "b1-1-2-3-10000000000000000-5",
                           "b1-1-2-3-4-8000000000000000",
                           "b1-1-2-3-4--5",
                           "b1-1-2-3-4-5\n",
                           "8d7f1c2e-0b1a-4b1e-9d5c-3c1a5f6e7d80",
                           "purple1a2b"})
        EXPECT_FALSE(MessageStamp::parse(id)) << id;
    EXPECT_FALSE(MessageStamp::parse(std::string_view("b1-1-2-3-4-5\0", 13)));
    EXPECT_TRUE(MessageStamp::parse("b1-1-2-3-4-5"));
}

TEST(Ledger, balances_when_everything_arrived_in_order) {
    Ledger ledger(kRun);
    for (std::uint64_t i = 1; i <= 100; ++i) {
        EXPECT_EQ(ledger.next(1, 2), i);
        EXPECT_EQ(ledger.next(2, 1), i);
        EXPECT_EQ(arrive(ledger, 1, 2, i), fresh);
        EXPECT_EQ(arrive(ledger, 2, 1, i), fresh);
    }
    const Tally tally = balance_of(ledger);
    EXPECT_EQ(tally, (Tally{.sent = 200, .received = 200}));
    EXPECT_TRUE(tally.clean());
    EXPECT_EQ(ledger.sent(), 200U);
    EXPECT_EQ(ledger.received_count(), 200U);
}

TEST(Ledger, counts_what_never_arrived_as_lost) {
    Ledger ledger(kRun);
    for (int i = 0; i < 10; ++i)
        ledger.next(1, 2);
    ledger.next(3, 4);  // A conversation of which nothing arrives.
    for (const std::uint64_t sequence : {1U, 2U, 4U, 5U, 6U, 8U})
        arrive(ledger, 1, 2, sequence);
    const Tally tally = balance_of(ledger);
    EXPECT_EQ(tally, (Tally{.sent = 11, .received = 6, .lost = 5}));
    EXPECT_FALSE(tally.clean());
}

TEST(Ledger, counts_duplicates_and_late_ones) {
    Ledger ledger(kRun);
    for (int i = 0; i < 5; ++i)
        ledger.next(1, 2);
    EXPECT_EQ(arrive(ledger, 1, 2, 1), fresh);
    EXPECT_EQ(arrive(ledger, 1, 2, 1), duplicate);
    EXPECT_EQ(arrive(ledger, 1, 2, 4), fresh);
    EXPECT_EQ(arrive(ledger, 1, 2, 2), reordered);
    EXPECT_EQ(arrive(ledger, 1, 2, 2), duplicate);
    EXPECT_EQ(arrive(ledger, 1, 2, 3), reordered);
    EXPECT_EQ(arrive(ledger, 1, 2, 5), fresh);
    const Tally tally = balance_of(ledger);
    EXPECT_EQ(tally, (Tally{.sent = 5, .received = 5, .duplicated = 2, .reordered = 2}));
    EXPECT_FALSE(tally.clean());
}

TEST(Ledger, keeps_directions_and_pairs_apart) {
    Ledger ledger(kRun);
    ledger.next(1, 2);
    ledger.next(2, 1);
    ledger.next(1, 3);
    EXPECT_EQ(arrive(ledger, 1, 3, 1), fresh);
    EXPECT_EQ(arrive(ledger, 2, 1, 1), fresh);
    EXPECT_EQ(arrive(ledger, 1, 2, 1), fresh);
    EXPECT_TRUE(balance_of(ledger).clean());
}

TEST(Ledger, does_not_call_refused_messages_lost) {
    Ledger ledger(kRun);
    for (int i = 0; i < 4; ++i)
        ledger.next(1, 2);
    arrive(ledger, 1, 2, 1);
    ledger.refused(1, 2, 2);
    ledger.refused(1, 2, 2);
    EXPECT_EQ(arrive(ledger, 1, 2, 3), fresh);
    ledger.refused(1, 2, 4);
    EXPECT_EQ(ledger.sent(), 2U);
    EXPECT_EQ(ledger.refused_count(), 2U);
    const Tally tally = balance_of(ledger);
    EXPECT_EQ(tally, (Tally{.sent = 2, .received = 2, .refused = 2}));
    EXPECT_TRUE(tally.clean());
}

TEST(Ledger, counts_a_message_that_arrived_and_was_refused_as_received) {
    Ledger ledger(kRun);
    ledger.next(1, 2);
    ledger.refused(1, 2, 1);
    arrive(ledger, 1, 2, 1);
    EXPECT_EQ(balance_of(ledger), (Tally{.sent = 1, .received = 1}));
}

TEST(Ledger, takes_no_refusal_of_what_was_never_sent) {
    Ledger ledger(kRun);
    ledger.next(1, 2);
    ledger.refused(1, 2, 0);
    ledger.refused(1, 2, 2);
    ledger.refused(2, 1, 1);
    ledger.refused(7, 8, 1);
    EXPECT_EQ(balance_of(ledger), (Tally{.sent = 1, .lost = 1}));
}

TEST(Ledger, balances_across_shards) {
    Ledger senders(kRun);
    Ledger receivers(kRun);
    for (int i = 0; i < 6; ++i)
        senders.next(1, 2);
    for (const std::uint64_t sequence : {1U, 2U, 2U, 5U, 4U})
        arrive(receivers, 1, 2, sequence);
    senders.refused(1, 2, 6);
    EXPECT_EQ(
        balance_of(senders, receivers),
        (Tally{
            .sent = 5, .received = 4, .lost = 1, .duplicated = 1, .reordered = 1, .refused = 1}));
    EXPECT_EQ(balance_of(receivers, senders), balance_of(senders, receivers));
}

TEST(Ledger, finds_a_duplicate_that_came_to_another_shard) {
    Ledger one(kRun);
    Ledger other(kRun);
    one.next(1, 2);
    one.next(1, 2);
    EXPECT_EQ(arrive(one, 1, 2, 1), fresh);
    EXPECT_EQ(arrive(other, 1, 2, 1), fresh);
    EXPECT_EQ(arrive(other, 1, 2, 2), fresh);
    EXPECT_EQ(balance_of(one, other), (Tally{.sent = 2, .received = 2, .duplicated = 1}));
}

TEST(Ledger, sees_what_came_to_the_wrong_bot_or_was_never_sent) {
    Ledger ledger(kRun);
    ledger.next(1, 2);
    EXPECT_EQ(ledger.received(stamp_of(1, 2, 1), 3), stray);
    EXPECT_EQ(ledger.received(stamp_of(1, 2, 0), 2), stray);
    EXPECT_EQ(arrive(ledger, 1, 2, 1), fresh);
    EXPECT_EQ(arrive(ledger, 1, 2, 2), fresh);  // Known as never sent when the books are joined.
    EXPECT_EQ(arrive(ledger, 5, 2, 1), fresh);
    const Tally tally = balance_of(ledger);
    EXPECT_EQ(tally, (Tally{.sent = 1, .received = 1, .stray = 4}));
    EXPECT_FALSE(tally.clean());
}

TEST(Ledger, leaves_messages_of_another_run_out) {
    Ledger ledger(kRun);
    ledger.next(1, 2);
    arrive(ledger, 1, 2, 1);
    MessageStamp old = stamp_of(1, 2, 1);
    old.run = kRun + 1;
    EXPECT_EQ(ledger.received(old, 2), foreign);
    const Tally tally = balance_of(ledger);
    EXPECT_EQ(tally, (Tally{.sent = 1, .received = 1, .foreign = 1}));
    EXPECT_TRUE(tally.clean());
}

TEST(Ledger, opens_no_more_conversations_than_allowed_for_arrivals) {
    Ledger ledger(kRun, {.conversations_max = 2});
    EXPECT_EQ(arrive(ledger, 1, 9, 1), fresh);
    EXPECT_EQ(arrive(ledger, 2, 9, 1), fresh);
    EXPECT_EQ(arrive(ledger, 3, 9, 1), stray);
    EXPECT_EQ(arrive(ledger, 2, 9, 2), fresh);
    EXPECT_EQ(ledger.next(3, 9), 1U);  // Our own senders are not limited.
    EXPECT_EQ(arrive(ledger, 3, 9, 1), fresh);
}

TEST(Ledger, watches_no_more_gaps_than_allowed) {
    Ledger ledger(kRun, {.gaps_max = 2});
    for (int i = 0; i < 10; ++i)
        ledger.next(1, 2);
    EXPECT_EQ(arrive(ledger, 1, 2, 2), fresh);
    EXPECT_EQ(arrive(ledger, 1, 2, 4), fresh);
    EXPECT_EQ(arrive(ledger, 1, 2, 6), stray);
    EXPECT_EQ(arrive(ledger, 1, 2, 5), fresh);  // Widens no gap.
    EXPECT_EQ(arrive(ledger, 1, 2, 1), reordered);
    EXPECT_EQ(arrive(ledger, 1, 2, 7), fresh);  // One was closed.
    const Tally tally = balance_of(ledger);
    EXPECT_EQ(tally, (Tally{.sent = 10, .received = 5, .lost = 5, .reordered = 1, .stray = 1}));
}

TEST(Ledger, gives_stamps_with_rising_numbers) {
    Ledger ledger(kRun);
    EXPECT_EQ(ledger.stamp(1, 2, {5}), (MessageStamp{kRun, 1, 2, 1, {5}}));
    EXPECT_EQ(ledger.stamp(1, 2, {6}), (MessageStamp{kRun, 1, 2, 2, {6}}));
    EXPECT_EQ(ledger.stamp(2, 1, {7}), (MessageStamp{kRun, 2, 1, 1, {7}}));
}

}  // namespace
}  // namespace bots
