// RFC 6121 §4: who sees which presence.
#include "server/routing/presence.h"

#include "server/routing/presence_broadcast.h"
#include "tests/server/routing/presence_harness.h"
#include "xmpp/payloads/delay.h"

#include <gtest/gtest.h>

#include <string>

namespace server::test {
namespace {

constexpr std::string_view kAvailable = "<presence xmlns='jabber:client'/>";
constexpr std::string_view kUnavailable = "<presence xmlns='jabber:client' type='unavailable'/>";

std::string presence(std::string_view type, std::string_view to) {
    std::string xml = "<presence xmlns='jabber:client'";
    if (!type.empty()) xml.append(" type='").append(type).append("'");
    return xml.append(" to='").append(to).append("'/>");
}

std::string with_priority(std::string_view priority) {
    return "<presence xmlns='jabber:client'><priority>" + std::string(priority) +
           "</priority></presence>";
}

std::string with_status(std::string_view status) {
    return "<presence xmlns='jabber:client'><status>" + std::string(status) +
           "</status></presence>";
}

class PresenceOfFriends : public testing::Test {
protected:
    PresenceOfFriends() { befriend(server, romeo, juliet); }

    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
    TestClient& juliet = server.online("juliet@example.org/balcony");
};

// ---- §4.2, §4.4, §4.5: broadcast

TEST_F(PresenceOfFriends, is_told_to_contacts_and_to_ones_own_resources) {
    TestClient& chamber = server.connect("juliet@example.org/chamber");
    server.send(chamber, with_status("up"));
    EXPECT_EQ(romeo.take(),
              (Lines{"presence juliet@example.org/chamber > romeo@example.org 'up'"}));
    EXPECT_EQ(juliet.take(),
              (Lines{"presence juliet@example.org/chamber > juliet@example.org/balcony 'up'"}));
    // The new one sees its siblings, itself and, by probes, the contacts.
    EXPECT_EQ(chamber.take(),
              (Lines{"presence juliet@example.org/balcony > juliet@example.org/chamber",
                     "presence juliet@example.org/chamber > juliet@example.org/chamber 'up'",
                     "presence romeo@example.org/orchard > juliet@example.org/chamber"}));
}

TEST_F(PresenceOfFriends, that_changes_is_broadcast_without_probes) {
    server.send(romeo, with_status("lovesick"));
    EXPECT_EQ(juliet.take(),
              (Lines{"presence romeo@example.org/orchard > juliet@example.org 'lovesick'"}));
    EXPECT_EQ(romeo.take(),
              (Lines{"presence romeo@example.org/orchard > romeo@example.org/orchard 'lovesick'"}));
}

TEST_F(PresenceOfFriends, ends_with_unavailable_once) {
    server.send(
        romeo,
        "<presence xmlns='jabber:client' type='unavailable'><status>away</status></presence>");
    EXPECT_EQ(
        juliet.take(),
        (Lines{"presence unavailable romeo@example.org/orchard > juliet@example.org 'away'"}));
    EXPECT_EQ(romeo.take(), (Lines{"presence unavailable romeo@example.org/orchard > "
                                   "romeo@example.org/orchard 'away'"}));
    server.send(romeo, kUnavailable);
    server.disconnect(romeo);
    EXPECT_EQ(juliet.take(), (Lines{}));
}

TEST_F(PresenceOfFriends, is_withdrawn_when_the_session_is_lost) {
    server.disconnect(romeo);
    EXPECT_EQ(juliet.take(),
              (Lines{"presence unavailable romeo@example.org/orchard > juliet@example.org"}));
}

TEST_F(PresenceOfFriends, of_an_unavailable_resource_is_not_told_and_tells_it_nothing) {
    server.send(romeo, kUnavailable);
    romeo.inbox.clear();
    juliet.inbox.clear();
    server.send(juliet, with_status("here"));
    EXPECT_EQ(romeo.take(), (Lines{}));
    server.send(romeo, kAvailable);  // Initial again: probes.
    EXPECT_EQ(romeo.take(),
              (Lines{"presence romeo@example.org/orchard > romeo@example.org/orchard",
                     "presence juliet@example.org/balcony > romeo@example.org/orchard 'here'"}));
}

TEST_F(PresenceOfFriends, keeps_its_id_language_and_content) {
    server.send(romeo,
                "<presence xmlns='jabber:client' id='i7' xml:lang='it'><show>dnd</show>"
                "<x xmlns='urn:example:x' a='1'><y/></x></presence>");
    ASSERT_EQ(juliet.inbox.size(), 1U);
    const xmpp::Stanza& seen = juliet.inbox[0];
    EXPECT_EQ(seen.id(), "i7");
    EXPECT_EQ(seen.lang(), "it");
    EXPECT_EQ(seen.element().child_text("show"), "dnd");
    EXPECT_NE(seen.child("x", "urn:example:x"), nullptr);
}

TEST_F(PresenceOfFriends, is_seen_one_way_when_the_subscription_is_one_way) {
    server.send(romeo, presence("unsubscribe", "juliet@example.org"));
    romeo.inbox.clear();
    juliet.inbox.clear();
    server.send(juliet, with_status("alone"));
    EXPECT_EQ(romeo.take(), (Lines{}));
    juliet.inbox.clear();
    server.send(romeo, with_status("watched"));
    EXPECT_EQ(juliet.take(),
              (Lines{"presence romeo@example.org/orchard > juliet@example.org 'watched'"}));
}

TEST_F(PresenceOfFriends, shares_its_bytes_among_all_who_get_it) {
    TestClient& chamber = server.online("juliet@example.org/chamber");
    romeo.inbox.clear();
    juliet.inbox.clear();
    server.send(romeo, with_status("one"));
    ASSERT_EQ(juliet.inbox.size(), 1U);
    ASSERT_EQ(chamber.inbox.size(), 1U);
    const std::string_view first = juliet.inbox[0].raw_inner().view();
    EXPECT_FALSE(first.empty());
    EXPECT_EQ(first.data(), chamber.inbox[0].raw_inner().view().data());
    EXPECT_EQ(first.data(), romeo.inbox[0].raw_inner().view().data());
}

// ---- §4.3: probes

TEST_F(PresenceOfFriends, is_answered_to_probes) {
    server.send(juliet, with_status("here"));
    romeo.inbox.clear();
    server.send(romeo, presence("probe", "juliet@example.org"));
    EXPECT_EQ(romeo.take(),
              (Lines{"presence juliet@example.org/balcony > romeo@example.org/orchard 'here'"}));
    server.send(romeo, presence("probe", "juliet@example.org/balcony"));
    EXPECT_EQ(romeo.take(),
              (Lines{"presence juliet@example.org/balcony > romeo@example.org/orchard 'here'"}));
    server.send(romeo, presence("probe", "juliet@example.org/elsewhere"));
    EXPECT_EQ(romeo.take(), (Lines{"presence unavailable juliet@example.org/elsewhere > "
                                   "romeo@example.org/orchard"}));
}

TEST_F(PresenceOfFriends, is_unavailable_from_the_bare_jid_when_nobody_is_there) {
    server.send(juliet, kUnavailable);
    romeo.inbox.clear();
    server.send(romeo, presence("probe", "juliet@example.org"));
    EXPECT_EQ(romeo.take(),
              (Lines{"presence unavailable juliet@example.org > romeo@example.org/orchard"}));
}

TEST_F(PresenceOfFriends, that_ended_is_stamped_with_the_time_of_its_end) {
    const base::WallTime left = base::WallTime::from_seconds(1'700'000'000);
    server.send(juliet, kUnavailable);
    server.set_last_seen("juliet@example.org", left);
    romeo.inbox.clear();
    server.send(romeo, presence("probe", "juliet@example.org"));
    ASSERT_EQ(romeo.inbox.size(), 1U);
    const xmpp::Element* delay = romeo.inbox[0].child("delay", xmpp::ns::delay);
    ASSERT_NE(delay, nullptr);
    EXPECT_EQ(delay->attribute("from"), "juliet@example.org");
    EXPECT_EQ(xmpp::parse_delay(*delay)->stamp, left);
}

TEST_F(PresenceOfFriends, that_begins_while_a_probe_is_answered_is_not_contradicted) {
    server.send(juliet, kUnavailable);
    romeo.inbox.clear();
    server.faults.delay(std::chrono::milliseconds(10));
    server.submit(romeo, presence("probe", "juliet@example.org"));
    server.submit(juliet, kAvailable);
    server.run();
    EXPECT_EQ(romeo.take(), (Lines{"presence juliet@example.org/balcony > romeo@example.org"}));
}

TEST(PresenceProbes, of_strangers_learn_nothing) {
    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
    server.online("juliet@example.org/balcony");
    const Lines answer{"presence unsubscribed juliet@example.org > romeo@example.org"};
    // To be seen, the answer needs somebody who is subscribed in his own roster.
    server.send(romeo, presence("subscribe", "juliet@example.org"));
    romeo.inbox.clear();
    server.send(romeo, presence("probe", "juliet@example.org"));
    EXPECT_EQ(romeo.take(), (Lines{answer[0], "push juliet@example.org none"}));
    server.send(romeo, presence("subscribe", "juliet@example.org"));
    romeo.inbox.clear();
    server.send(romeo, presence("probe", "juliet@example.org/balcony"));
    EXPECT_EQ(romeo.take(), (Lines{answer[0], "push juliet@example.org none"}));
}

TEST(PresenceProbes, of_accounts_that_do_not_exist_are_answered_as_those_of_strangers) {
    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
    server.send(romeo, presence("subscribe", "nobody@example.org"));
    romeo.inbox.clear();
    server.send(romeo, presence("probe", "nobody@example.org/x"));
    EXPECT_EQ(romeo.take(), (Lines{"presence unsubscribed nobody@example.org > romeo@example.org",
                                   "push nobody@example.org none"}));
}

TEST(PresenceProbes, of_ones_own_account_are_answered) {
    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
    server.send(romeo, presence("probe", "romeo@example.org"));
    EXPECT_EQ(romeo.take(),
              (Lines{"presence romeo@example.org/orchard > romeo@example.org/orchard"}));
}

// ---- §4.6: directed presence

class DirectedPresence : public testing::Test {
protected:
    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
    TestClient& juliet = server.online("juliet@example.org/balcony");
};

TEST_F(DirectedPresence, goes_to_a_stranger_and_is_withdrawn_with_the_session) {
    server.send(romeo, presence("", "juliet@example.org/balcony"));
    EXPECT_EQ(juliet.take(),
              (Lines{"presence romeo@example.org/orchard > juliet@example.org/balcony"}));
    server.send(romeo, with_status("broadcasts pass her by"));
    EXPECT_EQ(juliet.take(), (Lines{}));
    server.disconnect(romeo);
    EXPECT_EQ(juliet.take(), (Lines{"presence unavailable romeo@example.org/orchard > "
                                    "juliet@example.org/balcony"}));
}

TEST_F(DirectedPresence, is_withdrawn_by_unavailable_presence) {
    server.send(romeo, presence("", "juliet@example.org"));
    juliet.inbox.clear();
    server.send(romeo, kUnavailable);
    EXPECT_EQ(juliet.take(),
              (Lines{"presence unavailable romeo@example.org/orchard > juliet@example.org"}));
    server.disconnect(romeo);
    EXPECT_EQ(juliet.take(), (Lines{}));
}

TEST_F(DirectedPresence, that_was_taken_back_is_not_withdrawn_again) {
    server.send(romeo, presence("", "juliet@example.org/balcony"));
    server.send(romeo, presence("unavailable", "juliet@example.org/balcony"));
    EXPECT_EQ(juliet.take().size(), 2U);
    server.disconnect(romeo);
    EXPECT_EQ(juliet.take(), (Lines{}));
}

TEST_F(DirectedPresence, of_a_resource_that_was_never_available_is_withdrawn_too) {
    TestClient& tomb = server.connect("romeo@example.org/tomb");
    server.send(tomb, presence("", "juliet@example.org/balcony"));
    juliet.inbox.clear();
    server.disconnect(tomb);
    EXPECT_EQ(juliet.take(),
              (Lines{"presence unavailable romeo@example.org/tomb > juliet@example.org/balcony"}));
}

TEST_F(DirectedPresence, to_a_subscribed_contact_leads_to_one_unavailable) {
    befriend(server, romeo, juliet);
    server.send(romeo, presence("", "juliet@example.org/balcony"));
    juliet.inbox.clear();
    server.disconnect(romeo);
    EXPECT_EQ(juliet.take(),
              (Lines{"presence unavailable romeo@example.org/orchard > juliet@example.org"}));
}

TEST_F(DirectedPresence, lets_the_entity_probe_the_full_jid_and_see_only_that_it_is_there) {
    server.send(romeo, with_status("secret"));
    server.send(romeo, presence("", "juliet@example.org/balcony"));
    juliet.inbox.clear();
    server.send(juliet, presence("probe", "romeo@example.org/orchard"));
    EXPECT_EQ(juliet.take(),
              (Lines{"presence romeo@example.org/orchard > juliet@example.org/balcony"}));
    server.send(juliet, presence("probe", "romeo@example.org"));
    EXPECT_EQ(juliet.take(), (Lines{}));  // An "unsubscribed" that Juliet's server does not need.
}

TEST_F(DirectedPresence, is_bounded) {
    for (std::size_t i = 0; i < kDirectedMax; ++i)
        server.account("romeo@example.org")
            .find("orchard")
            ->directed.push_back(*xmpp::Jid::parse("u" + std::to_string(i) + "@example.org"));
    server.send(romeo, presence("", "juliet@example.org"));
    EXPECT_EQ(romeo.take(), (Lines{"presence error juliet@example.org > romeo@example.org/orchard "
                                   "resource-constraint wait"}));
    EXPECT_EQ(juliet.take(), (Lines{}));
    server.send(romeo, presence("unavailable", "u0@example.org"));
    server.send(romeo, presence("", "juliet@example.org"));
    EXPECT_EQ(juliet.take().size(), 1U);
}

TEST_F(DirectedPresence, reaches_a_resource_that_is_not_available) {
    TestClient& chamber = server.connect("juliet@example.org/chamber");
    server.send(romeo, presence("", "juliet@example.org/chamber"));
    EXPECT_EQ(chamber.take().size(), 1U);
    server.send(romeo, presence("", "juliet@example.org"));  // The bare JID: the available ones.
    EXPECT_EQ(chamber.take(), (Lines{}));
    EXPECT_EQ(juliet.take().size(), 1U);
}

// ---- errors and priorities

TEST(PresenceErrors, reach_the_resource_they_are_for) {
    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
    TestClient& tomb = server.online("romeo@example.org/tomb");
    romeo.inbox.clear();
    server.send(romeo, presence("", "somebody@example.net"));
    EXPECT_EQ(romeo.take(), (Lines{"presence error somebody@example.net > "
                                   "romeo@example.org/orchard remote-server-not-found cancel"}));
    EXPECT_EQ(tomb.take(), (Lines{}));
}

TEST(Priority, is_an_integer_from_minus_128_to_127) {
    TestServer server;
    TestClient& romeo = server.connect("romeo@example.org/orchard");
    const auto priority = [&] {
        return int{server.account("romeo@example.org").find("orchard")->priority};
    };
    for (const auto& [text, value] : {std::pair{"5", 5},
                                      {"-128", -128},
                                      {"127", 127},
                                      {"+3", 3},
                                      {" 7\n", 7},
                                      {"007", 7},
                                      {"-0", 0}}) {
        server.send(romeo, with_priority(text));
        EXPECT_EQ(romeo.take().size(), 1U) << text;
        EXPECT_EQ(priority(), value) << text;
    }
    server.send(romeo, kAvailable);
    EXPECT_EQ(priority(), 0);
}

TEST(Priority, that_is_none_is_refused_and_leaves_presence_as_it_was) {
    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
    for (const char* text :
         {"128", "-129", "high", "1.5", "", "+-1", "--1", "99999999999999999999"}) {
        server.send(romeo, with_priority(text));
        EXPECT_EQ(romeo.take(),
                  (Lines{"presence error - > romeo@example.org/orchard bad-request modify"}))
            << text;
    }
    EXPECT_TRUE(server.account("romeo@example.org").find("orchard")->available());
}

}  // namespace
}  // namespace server::test
