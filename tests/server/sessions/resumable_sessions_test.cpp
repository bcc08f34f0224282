// Which streams may be resumed, and what is known of those that may not be any more.
#include "server/sessions/resumable_sessions.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using namespace std::chrono_literals;

constexpr base::MonotonicTime kStart{1'000'000'000'000};

xmpp::Jid jid(std::string_view text) {
    return xmpp::Jid::parse(text).value();
}

LostStream lost(std::string token, storage::SmSessionKey key, std::string_view owner) {
    return {.token = std::move(token), .key = key, .owner = jid(owner), .taken = 7};
}

TEST(ResumableSessions, finds_those_that_live_here) {
    ResumableSessions sessions;
    sessions.add("a", 5);
    EXPECT_EQ(sessions.find("a"), 5U);
    EXPECT_FALSE(sessions.find("b"));
    sessions.remove("a");
    EXPECT_FALSE(sessions.find("a"));
}

TEST(ResumableSessions, tells_the_count_of_a_stream_that_has_ended_to_its_own_account) {
    ResumableSessions sessions;
    sessions.add_lost(lost("a", 1, "romeo@example.org/orchard"), kStart);
    EXPECT_FALSE(sessions.release_lost("a", jid("juliet@example.org")));
    EXPECT_FALSE(sessions.release_lost("b", jid("romeo@example.org")));
    const auto first = sessions.release_lost("a", jid("romeo@example.org/elsewhere"));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->taken, 7U);
    EXPECT_FALSE(first->released);
    const auto again = sessions.release_lost("a", jid("romeo@example.org"));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->released);
    EXPECT_EQ(again->taken, 7U);
}

TEST(ResumableSessions, releases_those_of_an_account_once) {
    ResumableSessions sessions;
    sessions.add_lost(lost("b", 2, "romeo@example.org/b"), kStart);
    sessions.add_lost(lost("a", 1, "romeo@example.org/a"), kStart + 1s);
    sessions.add_lost(lost("c", 3, "romeo@example.org.example.net/c"), kStart);
    sessions.add_lost(lost("d", 4, "juliet@example.org/d"), kStart);
    const auto released = sessions.release_lost_of(jid("romeo@example.org/x"));
    ASSERT_EQ(released.size(), 2U);
    EXPECT_EQ(released[0].key, 1);
    EXPECT_EQ(released[1].key, 2);
    EXPECT_TRUE(sessions.release_lost_of(jid("romeo@example.org")).empty());
    // The counts stay.
    EXPECT_TRUE(sessions.release_lost("b", jid("romeo@example.org")));
}

TEST(ResumableSessions, gives_out_those_whose_time_has_come) {
    ResumableSessions sessions;
    EXPECT_FALSE(sessions.next_lost());
    sessions.add_lost(lost("b", 2, "romeo@example.org/b"), kStart + 2s);
    sessions.add_lost(lost("c", 3, "romeo@example.org/c"), kStart + 1s);
    sessions.add_lost(lost("a", 1, "romeo@example.org/a"), kStart + 1s);
    EXPECT_EQ(sessions.next_lost(), kStart + 1s);
    EXPECT_TRUE(sessions.take_lost_until(kStart).empty());
    const auto taken = sessions.take_lost_until(kStart + 1s);
    ASSERT_EQ(taken.size(), 2U);
    EXPECT_EQ(taken[0].token, "a");
    EXPECT_FALSE(sessions.release_lost("a", jid("romeo@example.org")));
    EXPECT_EQ(sessions.next_lost(), kStart + 2s);
    EXPECT_EQ(sessions.take_lost_until(kStart + 1h).size(), 1U);
    EXPECT_EQ(sessions.lost_count(), 0U);
}

TEST(ResumableSessions, knows_one_thing_of_a_stream) {
    ResumableSessions sessions;
    sessions.add_lost(lost("a", 1, "romeo@example.org/a"), kStart);
    LostStream later = lost("a", 1, "romeo@example.org/a");
    later.taken = 8;
    sessions.add_lost(later, kStart + 1s);
    EXPECT_EQ(sessions.lost_count(), 1U);
    EXPECT_EQ(sessions.next_lost(), kStart + 1s);
    EXPECT_EQ(sessions.release_lost("a", jid("romeo@example.org"))->taken, 8U);
    // Some have no name that a client knows.
    sessions.add_lost(lost("", 2, "romeo@example.org/b"), kStart);
    sessions.add_lost(lost("", 3, "romeo@example.org/c"), kStart);
    EXPECT_EQ(sessions.lost_count(), 3U);
    EXPECT_FALSE(sessions.release_lost("", jid("romeo@example.org")));
    EXPECT_EQ(sessions.take_lost_until(kStart + 1h).size(), 3U);
}

TEST(ResumableSessions, has_no_room_for_the_count_of_one_stream_too_many) {
    ResumableSessions sessions;
    for (std::size_t i = 1; i < kCountsKeptMax; ++i)
        sessions.add_lost(lost("t" + std::to_string(i), static_cast<storage::SmSessionKey>(i),
                               "romeo@example.org/x"),
                          kStart);
    EXPECT_TRUE(sessions.has_room());
    sessions.add_lost(lost("last", 1'000'000, "romeo@example.org/x"), kStart);
    EXPECT_FALSE(sessions.has_room());
}

}  // namespace
}  // namespace server::test
