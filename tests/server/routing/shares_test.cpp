#include "server/routing/shares.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

constexpr Shares::Limits kLimits{
    .each_count_max = 2, .each_bytes_max = 100, .all_count_max = 3, .all_bytes_max = 150};

TEST(Shares, let_each_have_so_many_and_one_more_when_one_is_back) {
    Shares shares(kLimits);
    EXPECT_TRUE(shares.take("a", 1));
    EXPECT_TRUE(shares.take("a", 1));
    EXPECT_FALSE(shares.take("a", 1));
    EXPECT_TRUE(shares.take("b", 1));
    shares.give_back("a", 1);
    EXPECT_TRUE(shares.take("a", 1));
}

TEST(Shares, let_all_together_have_so_many) {
    Shares shares(kLimits);
    for (const char* who : {"a", "b", "c"})
        EXPECT_TRUE(shares.take(who, 1));
    EXPECT_FALSE(shares.take("d", 1));
    EXPECT_EQ(shares.count(), 3U);
}

TEST(Shares, let_each_have_so_many_bytes) {
    Shares shares(kLimits);
    EXPECT_TRUE(shares.take("a", 60));
    EXPECT_FALSE(shares.take("a", 41));
    EXPECT_TRUE(shares.take("a", 40));
}

TEST(Shares, let_all_together_have_so_many_bytes) {
    Shares shares(kLimits);
    EXPECT_TRUE(shares.take("a", 100));
    EXPECT_FALSE(shares.take("b", 51));
    EXPECT_TRUE(shares.take("b", 50));
    EXPECT_FALSE(shares.take("c", 1));
    shares.give_back("a", 100);
    EXPECT_TRUE(shares.take("c", 1));
    EXPECT_EQ(shares.bytes(), 51U);
}

TEST(Shares, take_one_thing_that_is_larger_than_a_share) {
    Shares shares(kLimits);
    EXPECT_TRUE(shares.take("a", 120));
    EXPECT_FALSE(shares.take("a", 1));
    shares.give_back("a", 120);
    EXPECT_FALSE(shares.take("a", 151)) << "but not than all of them";
}

TEST(MemoryOf, counts_what_a_stanza_holds) {
    xmpp::Stanza small = xmpp::Stanza::message(xmpp::MessageType::chat);
    xmpp::Stanza large = small;
    large.edit().add_text_child("body", std::string(10'000, 'x'));
    EXPECT_GT(memory_of(large), memory_of(small) + 10'000);
    large.share_content();
    EXPECT_GT(memory_of(large), memory_of(small) + 20'000);
}

}  // namespace
}  // namespace server::test
