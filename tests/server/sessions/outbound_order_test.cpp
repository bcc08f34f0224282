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
    OutboundOrder order(1);
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
    OutboundOrder order(7);
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
    OutboundOrder order(10);
    const std::uint64_t place = order.reserve(true);
    EXPECT_FALSE(order.fill(place - 1, text("before")));
    EXPECT_FALSE(order.fill(place + 1, text("behind")));
    EXPECT_TRUE(order.fill(place, text("x")));
    EXPECT_FALSE(order.fill(place, text("again")));
    EXPECT_EQ(taken(order), "x");
    EXPECT_FALSE(order.fill(place, text("gone")));
}

TEST(OutboundOrder, gives_everything_when_nothing_more_will_be_sent) {
    OutboundOrder order(1);
    (void)order.reserve(true);
    order.add(text("a"));
    EXPECT_EQ(order.size(), 2U);
    EXPECT_FALSE(order.take());
    EXPECT_TRUE(order.take_any());
    EXPECT_EQ(order.take_any()->text.view(), "a");
    EXPECT_FALSE(order.take_any());
}

}  // namespace
}  // namespace server::test
