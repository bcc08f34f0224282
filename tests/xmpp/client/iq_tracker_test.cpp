#include "xmpp/client/iq_tracker.h"

#include <gtest/gtest.h>

#include <string>

namespace xmpp {
namespace {

const Jid kOwn = *Jid::parse("romeo@example.org/orchard");

std::optional<Jid> jid(std::string_view text) {
    return text.empty() ? std::optional<Jid>() : *Jid::parse(text);
}

bool may_answer(std::string_view to, std::string_view from) {
    return may_answer_iq(kOwn, jid(to), jid(from));
}

TEST(IqTracker, lets_the_server_answer_for_the_account) {
    for (const char* from : {"", "romeo@example.org", "romeo@example.org/orchard", "example.org"})
        EXPECT_TRUE(may_answer("", from)) << from;
    for (const char* from : {"juliet@example.org", "romeo@example.org/garden", "example.net",
                             "example.org/x", "romeo@example.net"})
        EXPECT_FALSE(may_answer("", from)) << from;
}

TEST(IqTracker, lets_nobody_but_the_peer_answer) {
    EXPECT_TRUE(may_answer("juliet@example.org/balcony", "juliet@example.org/balcony"));
    for (const char* from : {"", "juliet@example.org", "juliet@example.org/chamber", "example.org",
                             "romeo@example.org"})
        EXPECT_FALSE(may_answer("juliet@example.org/balcony", from)) << from;
    EXPECT_FALSE(may_answer("example.net", "")) << "another server";
    EXPECT_FALSE(may_answer("romeo@example.org/garden", "")) << "another resource";
}

TEST(IqTracker, takes_an_answer_from_nobody_for_the_own_account_and_server) {
    EXPECT_TRUE(may_answer("romeo@example.org", ""));
    EXPECT_TRUE(may_answer("romeo@example.org", "romeo@example.org"));
    EXPECT_FALSE(may_answer("romeo@example.org", "romeo@example.org/garden"));
    EXPECT_TRUE(may_answer("example.org", ""));
    EXPECT_TRUE(may_answer("example.org", "example.org"));
    EXPECT_FALSE(may_answer("example.org", "romeo@example.org"));
}

Stanza response(std::string_view id, std::string_view from) {
    Stanza iq = Stanza::iq(IqType::result, id);
    if (!from.empty()) iq.set_from(*jid(from));
    return iq;
}

TEST(IqTracker, gives_a_request_to_its_answer_once) {
    IqTracker<std::string> tracker;
    const std::string id = tracker.next_id("p");
    EXPECT_TRUE(tracker.add(id, jid("juliet@example.org/balcony"), "question"));
    EXPECT_FALSE(tracker.add(id, jid("juliet@example.org/balcony"), "another"));
    EXPECT_FALSE(tracker.take(kOwn, response("other", "juliet@example.org/balcony")));
    EXPECT_FALSE(tracker.take(kOwn, response(id, "mallory@example.org/balcony")));
    EXPECT_EQ(tracker.take(kOwn, response(id, "juliet@example.org/balcony")), "question");
    EXPECT_FALSE(tracker.take(kOwn, response(id, "juliet@example.org/balcony"))) << "again";
}

TEST(IqTracker, never_gives_an_id_twice) {
    IqTracker<int> tracker;
    const std::string first = tracker.next_id("p");
    EXPECT_NE(first, tracker.next_id("p"));
    EXPECT_TRUE(first.starts_with("p"));
}

TEST(IqTracker, forgets_what_is_given_up) {
    IqTracker<std::string> tracker;
    EXPECT_TRUE(tracker.add("1", {}, "one"));
    EXPECT_TRUE(tracker.add("2", {}, "two"));
    EXPECT_TRUE(tracker.add("3", {}, "three"));
    EXPECT_EQ(tracker.remove("1"), "one");
    EXPECT_FALSE(tracker.remove("1"));
    EXPECT_FALSE(tracker.take(kOwn, response("1", "")));
    EXPECT_EQ(tracker.take_all().size(), 2u);
    EXPECT_EQ(tracker.size(), 0u);
}

}  // namespace
}  // namespace xmpp
