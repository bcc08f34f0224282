// The order of what a client is sent, while something in it is still being stored.
#include "server/sessions/outbound_order.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

OutboundOrder::Item text(std::string words) {
    return {.text = base::SharedBytes(std::move(words))};
}

std::string taken(OutboundOrder& order) {
    std::string all;
    while (auto item = order.take())
        all += item->text.empty() ? "-" : item->text.view();
    return all;
}

TEST(OutboundOrder, lets_nothing_overtake_what_is_being_stored) {
    std::size_t all_bytes = 0;
    OutboundOrder order(1, all_bytes);
    order.add(text("a"));
    const std::uint64_t first = order.reserve(true, true);
    order.add(text("b"));
    const std::uint64_t second = order.reserve(false);
    order.add(text("c"));
    EXPECT_EQ(first, 2U);
    EXPECT_EQ(second, 4U);
    EXPECT_EQ(taken(order), "a");
    EXPECT_TRUE(order.fill(second, text("2")));
    EXPECT_EQ(taken(order), "");
    EXPECT_TRUE(order.fill(first, text("1")));
    EXPECT_EQ(taken(order), "1b2c");
    EXPECT_TRUE(order.empty());
    EXPECT_EQ(order.next(), 6U);
}

TEST(OutboundOrder, keeps_what_was_said_of_a_place_when_it_was_taken) {
    std::size_t all_bytes = 0;
    OutboundOrder order(7, all_bytes);
    const std::uint64_t place = order.reserve(true, true);
    OutboundOrder::Item item = text("x");
    item.id = 5;
    item.shared = true;
    ASSERT_TRUE(order.fill(place, std::move(item)));
    const auto filled = order.take();
    ASSERT_TRUE(filled);
    EXPECT_TRUE(filled->counted);
    EXPECT_TRUE(filled->managed);
    EXPECT_TRUE(filled->shared);
    EXPECT_EQ(filled->id, 5);
    // Given up: an empty item that counts all the same.
    ASSERT_TRUE(order.fill(order.reserve(true, true), {}));
    const auto given_up = order.take();
    ASSERT_TRUE(given_up);
    EXPECT_TRUE(given_up->counted);
    EXPECT_FALSE(given_up->stanza);
}

TEST(OutboundOrder, fills_each_place_once_and_no_other) {
    std::size_t all_bytes = 0;
    OutboundOrder order(10, all_bytes);
    const std::uint64_t place = order.reserve(true);
    EXPECT_FALSE(order.fill(place - 1, text("before")));
    EXPECT_FALSE(order.fill(place + 1, text("behind")));
    EXPECT_TRUE(order.fill(place, text("x")));
    EXPECT_FALSE(order.fill(place, text("again")));
    EXPECT_EQ(taken(order), "x");
    EXPECT_FALSE(order.fill(place, text("gone")));
}

TEST(OutboundOrder, gives_everything_when_nothing_more_will_be_sent) {
    std::size_t all_bytes = 0;
    OutboundOrder order(1, all_bytes);
    (void)order.reserve(true);
    order.add(text("a"));
    EXPECT_EQ(order.size(), 2U);
    EXPECT_FALSE(order.take());
    EXPECT_TRUE(order.take_any());
    EXPECT_EQ(order.take_any()->text.view(), "a");
    EXPECT_FALSE(order.take_any());
}

TEST(OutboundOrder, is_too_long_with_one_item_or_byte_too_many) {
    std::size_t all_bytes = 0;
    OutboundOrder order(1, all_bytes);
    (void)order.reserve(true);
    for (std::size_t i = 1; i < OutboundOrder::kItemsMax; ++i)
        order.add(text("x"));
    EXPECT_FALSE(order.is_too_long());
    order.add(text("x"));
    EXPECT_TRUE(order.is_too_long());
    OutboundOrder large(1, all_bytes);
    (void)large.reserve(true);
    large.add(text(std::string(OutboundOrder::kBytesMax, 'x')));
    EXPECT_FALSE(large.is_too_long());
    large.add(text("x"));
    EXPECT_TRUE(large.is_too_long());
    (void)large.take_any();
    (void)large.take_any();
    EXPECT_FALSE(large.is_too_long());
}

// When all clients of a shard together have too much waiting, not each of them is to blame.
TEST(OutboundOrder, is_too_long_with_more_than_a_small_part_of_too_much) {
    std::size_t all_bytes = OutboundOrder::kAllBytesMax;
    {
        OutboundOrder order(1, all_bytes);
        order.add(text(std::string(OutboundOrder::kSmallBytes, 'x')));
        EXPECT_FALSE(order.is_too_long());
        order.add(text("x"));
        EXPECT_TRUE(order.is_too_long());
        all_bytes -= OutboundOrder::kSmallBytes + 1;
        EXPECT_FALSE(order.is_too_long());
    }
    EXPECT_EQ(all_bytes, OutboundOrder::kAllBytesMax - (OutboundOrder::kSmallBytes + 1));
}

}  // namespace
}  // namespace server::test
