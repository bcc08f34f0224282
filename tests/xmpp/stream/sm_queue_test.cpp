#include "xmpp/stream/sm_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace xmpp {
namespace {

std::vector<std::string> acknowledged(SmQueue<std::string>& queue, std::uint32_t handled) {
    std::vector<std::string> taken;
    const auto count =
        queue.acknowledge(handled, [&taken](std::string&& entry) { taken.push_back(entry); });
    if (!count) return {"too high"};
    EXPECT_EQ(*count, taken.size());
    return taken;
}

using Texts = std::vector<std::string>;

TEST(SmInbound, counts_from_zero_and_wraps_around) {
    SmInbound inbound;
    EXPECT_EQ(inbound.handled(), 0u);
    inbound.count();
    EXPECT_EQ(inbound.handled(), 1u);
    SmInbound last(0xffff'ffff);
    last.count();
    EXPECT_EQ(last.handled(), 0u);
}

TEST(SmQueue, keeps_what_is_not_acknowledged) {
    SmQueue<std::string> queue;
    EXPECT_TRUE(queue.empty());
    for (const char* text : {"a", "b", "c"})
        queue.push(text);
    EXPECT_EQ(queue.sent(), 3u);
    EXPECT_EQ(acknowledged(queue, 0), Texts{});
    EXPECT_EQ(acknowledged(queue, 2), (Texts{"a", "b"}));
    EXPECT_EQ(queue.acknowledged(), 2u);
    EXPECT_EQ(queue.sent(), 3u);
    ASSERT_EQ(queue.size(), 1u);
    EXPECT_EQ(queue[0], "c");
    queue.push("d");
    EXPECT_EQ(acknowledged(queue, 2), Texts{}) << "the same count again";
    EXPECT_EQ(acknowledged(queue, 4), (Texts{"c", "d"}));
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.sent(), 4u);
}

TEST(SmQueue, counts_modulo_two_to_the_thirty_second) {
    SmQueue<std::string> queue(0xffff'fffe);
    for (const char* text : {"a", "b", "c", "d"})
        queue.push(text);
    EXPECT_EQ(queue.sent(), 2u);
    EXPECT_EQ(acknowledged(queue, 0xffff'ffff), Texts{"a"});
    EXPECT_EQ(acknowledged(queue, 0), Texts{"b"});
    EXPECT_EQ(acknowledged(queue, 2), (Texts{"c", "d"}));
    EXPECT_EQ(queue.acknowledged(), 2u);
}

TEST(SmQueue, refuses_a_count_that_is_too_high_or_went_back) {
    SmQueue<std::string> queue;
    queue.push("a");
    queue.push("b");
    EXPECT_EQ(queue.acknowledge(3).error(), (SmTooHigh{.handled = 3, .sent = 2}));
    EXPECT_EQ(queue.acknowledge(0xffff'ffff).error(), (SmTooHigh{0xffff'ffff, 2}));
    EXPECT_EQ(queue.size(), 2u) << "nothing is forgotten";
    EXPECT_EQ(acknowledged(queue, 2), (Texts{"a", "b"}));
    EXPECT_FALSE(queue.acknowledge(1)) << "back";
}

TEST(SmQueue, refuses_a_count_beyond_the_wrap) {
    SmQueue<std::string> queue(0xffff'ffff);
    queue.push("a");
    EXPECT_EQ(queue.acknowledge(1).error(), (SmTooHigh{.handled = 1, .sent = 0}));
    EXPECT_EQ(acknowledged(queue, 0), Texts{"a"});
}

TEST(SmQueue, yields_what_is_left_in_order) {
    SmQueue<std::string> queue;
    for (int i = 0; i < 100; ++i)
        queue.push(std::to_string(i));
    EXPECT_TRUE(queue.acknowledge(97));
    EXPECT_EQ(queue.take_all(), (Texts{"97", "98", "99"}));
    EXPECT_TRUE(queue.empty());
}

TEST(SmQueue, stays_in_order_over_many_partial_acknowledgements) {
    SmQueue<std::uint32_t> queue;
    std::uint32_t next = 0;
    for (std::uint32_t sent = 1; sent <= 1000; ++sent) {
        queue.push(sent);
        if (sent % 3 != 0) continue;
        EXPECT_TRUE(queue.acknowledge(sent - 1,
                                      [&next](std::uint32_t entry) { EXPECT_EQ(entry, ++next); }));
    }
    EXPECT_EQ(queue.size(), 1000 - next);
}

TEST(SmQueue, travels_between_owners) {
    SmQueue<std::string> queue;
    queue.push("a");
    queue.push("b");
    EXPECT_TRUE(queue.acknowledge(1));
    SmQueue<std::string> other = std::move(queue);
    EXPECT_EQ(other.sent(), 2u);
    EXPECT_EQ(acknowledged(other, 2), Texts{"b"});
}

}  // namespace
}  // namespace xmpp
