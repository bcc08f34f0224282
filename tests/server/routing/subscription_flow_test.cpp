// RFC 6121 §3: subscriptions, as the clients of two accounts see them. The states themselves:
// accounts/subscription_table_test.cpp.
#include "server/routing/subscription_flow.h"
#include "tests/server/routing/presence_harness.h"

#include <gtest/gtest.h>

#include <string>

namespace server::test {
namespace {

std::string presence(std::string_view type, std::string_view to, std::string_view inner = {}) {
    std::string xml = "<presence xmlns='jabber:client'";
    if (!type.empty()) xml.append(" type='").append(type).append("'");
    xml.append(" to='").append(to).append("' id='p1'>").append(inner).append("</presence>");
    return xml;
}

std::string state_of(TestServer& server, std::string_view owner, std::string_view contact) {
    return std::string(name_of(server.account(owner).roster.state_of(*xmpp::Jid::parse(contact))));
}

constexpr std::string_view kRomeo = "romeo@example.org";
constexpr std::string_view kJuliet = "juliet@example.org";

class Subscriptions : public testing::Test {
protected:
    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
    TestClient& juliet = server.online("juliet@example.org/balcony");
};

TEST_F(Subscriptions, go_from_request_to_approval_in_the_order_of_the_rfc) {
    server.send(romeo, presence("subscribe", kJuliet, "<status>It is I</status>"));
    EXPECT_EQ(romeo.take(), (Lines{"push juliet@example.org none ask"}));
    ASSERT_EQ(juliet.inbox.size(), 1U);
    EXPECT_EQ(juliet.inbox[0].id(), "p1");
    EXPECT_EQ(juliet.take(),
              (Lines{"presence subscribe romeo@example.org > juliet@example.org 'It is I'"}));

    server.send(juliet, presence("subscribed", kRomeo));
    EXPECT_EQ(juliet.take(), (Lines{"push romeo@example.org from"}));
    EXPECT_EQ(romeo.take(), (Lines{"presence subscribed juliet@example.org > romeo@example.org",
                                   "push juliet@example.org to",
                                   "presence juliet@example.org/balcony > romeo@example.org"}));
    EXPECT_EQ(state_of(server, kRomeo, kJuliet), "To");
    EXPECT_EQ(state_of(server, kJuliet, kRomeo), "From");
}

TEST_F(Subscriptions, can_be_denied) {
    server.send(romeo, presence("subscribe", kJuliet));
    romeo.inbox.clear();
    juliet.inbox.clear();
    server.send(juliet, presence("unsubscribed", kRomeo));
    EXPECT_EQ(juliet.take(), (Lines{}));
    EXPECT_EQ(romeo.take(), (Lines{"presence unsubscribed juliet@example.org > romeo@example.org",
                                   "push juliet@example.org none"}));
    EXPECT_EQ(state_of(server, kJuliet, kRomeo), "None");
}

TEST_F(Subscriptions, address_the_bare_jid_even_when_a_resource_is_named) {
    server.send(romeo, presence("subscribe", "juliet@example.org/balcony"));
    EXPECT_EQ(romeo.take(), (Lines{"push juliet@example.org none ask"}));
    EXPECT_EQ(juliet.take(), (Lines{"presence subscribe romeo@example.org > juliet@example.org"}));
}

TEST_F(Subscriptions, are_asked_for_once_however_often_a_client_repeats_it) {
    server.send(romeo, presence("subscribe", kJuliet));
    server.send(romeo, presence("subscribe", kJuliet));
    EXPECT_EQ(juliet.take().size(), 1U);
    EXPECT_EQ(romeo.take().size(), 1U);
}

TEST_F(Subscriptions, are_confirmed_by_the_server_when_they_exist_already) {
    befriend(server, romeo, juliet);
    server.route(
        "<presence xmlns='jabber:client' type='subscribe' from='romeo@example.org' "
        "to='juliet@example.org'/>");
    EXPECT_EQ(juliet.take(), (Lines{}));
    // Romeo's server has nothing pending, so only the presence gets through.
    EXPECT_EQ(romeo.take(), (Lines{"presence juliet@example.org/balcony > romeo@example.org"}));
}

TEST_F(Subscriptions, end_by_the_subscriber) {
    befriend(server, romeo, juliet);
    server.send(romeo, presence("unsubscribe", kJuliet));
    EXPECT_EQ(romeo.take(),
              (Lines{"push juliet@example.org from",
                     "presence unavailable juliet@example.org/balcony > romeo@example.org"}));
    EXPECT_EQ(juliet.take(), (Lines{"presence unsubscribe romeo@example.org > juliet@example.org",
                                    "push romeo@example.org to"}));
}

TEST_F(Subscriptions, end_by_the_contact_who_is_seen_to_leave_first) {
    befriend(server, romeo, juliet);
    server.send(juliet, presence("unsubscribed", kRomeo));
    EXPECT_EQ(juliet.take(), (Lines{"push romeo@example.org to"}));
    EXPECT_EQ(romeo.take(),
              (Lines{"presence unavailable juliet@example.org/balcony > romeo@example.org",
                     "presence unsubscribed juliet@example.org > romeo@example.org",
                     "push juliet@example.org from"}));
}

TEST_F(Subscriptions, ignore_answers_nobody_asked_for) {
    server.route(
        "<presence xmlns='jabber:client' type='subscribed' from='juliet@example.org' "
        "to='romeo@example.org'/>");
    server.route(
        "<presence xmlns='jabber:client' type='unsubscribed' from='juliet@example.org' "
        "to='romeo@example.org'/>");
    server.route(
        "<presence xmlns='jabber:client' type='unsubscribe' from='juliet@example.org' "
        "to='romeo@example.org'/>");
    EXPECT_EQ(romeo.take(), (Lines{}));
    EXPECT_EQ(server.version_of(kRomeo), 0);
}

TEST_F(Subscriptions, to_oneself_do_nothing) {
    server.send(romeo, presence("subscribe", kRomeo));
    server.send(romeo, presence("subscribed", kRomeo));
    EXPECT_EQ(romeo.take(), (Lines{}));
    EXPECT_EQ(server.version_of(kRomeo), 0);
}

TEST_F(Subscriptions, without_an_addressee_are_refused) {
    for (const std::string type :
         {"subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe"})
        server.send(romeo, "<presence xmlns='jabber:client' type='" + type + "'/>");
    EXPECT_EQ(romeo.take(),
              Lines(5, "presence error - > romeo@example.org/orchard bad-request modify"));
}

TEST_F(Subscriptions, of_a_host_that_cannot_be_reached_answer_with_an_error) {
    server.send(romeo, presence("subscribe", "rosaline@example.net"));
    EXPECT_EQ(romeo.take(), (Lines{"push rosaline@example.net none ask",
                                   "presence error rosaline@example.net > romeo@example.org "
                                   "remote-server-not-found cancel"}));
}

TEST_F(Subscriptions, to_an_account_that_does_not_exist_tell_nothing) {
    server.send(romeo, presence("subscribe", "nobody@example.org"));
    EXPECT_EQ(romeo.take(), (Lines{"push nobody@example.org none ask"}));
}

TEST_F(Subscriptions, are_asked_for_from_available_clients_whether_they_read_the_roster_or_not) {
    TestClient& plain = server.connect("juliet@example.org/plain");
    TestClient& absent = server.connect("juliet@example.org/absent");
    server.send(plain, "<presence xmlns='jabber:client'/>");
    plain.inbox.clear();
    juliet.inbox.clear();
    server.send(romeo, presence("subscribe", kJuliet));
    EXPECT_EQ(plain.take().size(), 1U);
    EXPECT_EQ(absent.take(), (Lines{}));
    EXPECT_EQ(juliet.take().size(), 1U);
}

// ---- requests that wait (§3.1.3)

TEST(SubscriptionRequests, reach_each_new_resource_until_they_are_answered) {
    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
    server.send(romeo, presence("subscribe", kJuliet, "<status>It is I</status>"));
    server.send(romeo, presence("subscribe", kJuliet, "<status>Again</status>"));

    const std::string request =
        "presence subscribe romeo@example.org > juliet@example.org 'It is I'";
    TestClient& balcony = server.connect("juliet@example.org/balcony");
    server.send(
        balcony,
        "<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    EXPECT_EQ(balcony.take(), (Lines{"result r roster:"}));  // Neither an item nor the request yet.
    server.send(balcony, "<presence xmlns='jabber:client'/>");
    EXPECT_EQ(balcony.take(),
              (Lines{"presence juliet@example.org/balcony > juliet@example.org/balcony", request}));
    server.send(balcony, "<presence xmlns='jabber:client'><show>away</show></presence>");
    EXPECT_EQ(balcony.take().size(), 1U);  // Not again with each presence.

    server.disconnect(balcony);
    server.restart();
    TestClient& chamber = server.connect("juliet@example.org/chamber");
    server.send(chamber, "<presence xmlns='jabber:client'/>");
    EXPECT_EQ(chamber.take(),
              (Lines{"presence juliet@example.org/chamber > juliet@example.org/chamber", request}));
    // Asking for the roster does not repeat it.
    server.send(
        chamber,
        "<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    EXPECT_EQ(chamber.take(), (Lines{"result r roster:"}));

    server.send(chamber, presence("subscribed", kRomeo));
    chamber.inbox.clear();
    TestClient& tomb = server.connect("juliet@example.org/tomb");
    server.send(
        tomb, "<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    server.send(tomb, "<presence xmlns='jabber:client'/>");
    for (const std::string& line : tomb.take())
        EXPECT_EQ(line.find("subscribe"), std::string::npos) << line;
}

TEST(SubscriptionRequests, that_are_withdrawn_are_not_delivered) {
    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
    server.send(romeo, presence("subscribe", kJuliet));
    server.send(romeo, presence("unsubscribe", kJuliet));
    TestClient& juliet = server.connect("juliet@example.org/balcony");
    server.send_together(
        juliet,
        {"<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>",
         "<presence xmlns='jabber:client'/>"});
    EXPECT_EQ(juliet.take(),
              (Lines{"result r roster:",
                     "presence juliet@example.org/balcony > juliet@example.org/balcony"}));
}

TEST(SubscriptionRequests, of_many_are_all_delivered) {
    TestServer server;
    for (int i = 0; i < 45; ++i)
        server.route(
            "<presence xmlns='jabber:client' type='subscribe' to='juliet@example.org' from='u" +
            std::to_string(i) + "@example.net'/>");
    TestClient& juliet = server.connect("juliet@example.org/balcony");
    server.send(
        juliet,
        "<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    server.send(juliet, "<presence xmlns='jabber:client'/>");
    EXPECT_EQ(juliet.take().size(), 47U);
}

TEST(SubscriptionRequests, that_cannot_be_kept_are_refused_and_change_nothing) {
    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
    TestClient& juliet = server.online("juliet@example.org/balcony");
    server.send(
        romeo, presence("subscribe", kJuliet, "<status>" + std::string(70'000, 'x') + "</status>"));
    EXPECT_EQ(juliet.take(), (Lines{}));
    EXPECT_EQ(romeo.take(), (Lines{"push juliet@example.org none ask",
                                   "presence error juliet@example.org > romeo@example.org "
                                   "resource-constraint wait"}));
    EXPECT_EQ(state_of(server, kJuliet, kRomeo), "None");
}

// ---- pre-approval (§3.4)

TEST_F(Subscriptions, granted_in_advance_need_no_question) {
    server.send(juliet, presence("subscribed", kRomeo));
    EXPECT_EQ(juliet.take(), (Lines{"push romeo@example.org none approved"}));
    EXPECT_EQ(romeo.take(), (Lines{}));
    server.send(juliet, presence("subscribed", kRomeo));
    EXPECT_EQ(juliet.take(), (Lines{}));  // Said before.

    server.send(romeo, presence("subscribe", kJuliet));
    EXPECT_EQ(romeo.take(), (Lines{"push juliet@example.org none ask",
                                   "presence subscribed juliet@example.org > romeo@example.org",
                                   "push juliet@example.org to",
                                   "presence juliet@example.org/balcony > romeo@example.org"}));
    EXPECT_EQ(juliet.take(), (Lines{"push romeo@example.org from"}));
}

TEST_F(Subscriptions, granted_in_advance_can_be_taken_back) {
    server.send(juliet, presence("subscribed", kRomeo));
    juliet.inbox.clear();
    server.send(juliet, presence("unsubscribed", kRomeo));
    EXPECT_EQ(juliet.take(), (Lines{"push romeo@example.org none"}));
    EXPECT_EQ(romeo.take(), (Lines{}));
    server.send(romeo, presence("subscribe", kJuliet));
    EXPECT_EQ(juliet.take(), (Lines{"presence subscribe romeo@example.org > juliet@example.org"}));
}

TEST_F(Subscriptions, granted_in_advance_are_ignored_when_they_exist) {
    befriend(server, romeo, juliet);
    server.send(juliet, presence("subscribed", kRomeo));
    EXPECT_EQ(juliet.take(), (Lines{}));
    EXPECT_EQ(romeo.take(), (Lines{}));
}

TEST_F(Subscriptions, granted_in_advance_survive_a_probe) {
    server.send(juliet, presence("subscribed", kRomeo));
    juliet.inbox.clear();
    server.send(romeo, presence("probe", kJuliet));
    EXPECT_EQ(juliet.take(), (Lines{}));
    EXPECT_TRUE(server.account(kJuliet).roster.find(*xmpp::Jid::parse(kRomeo))->approved());
}

// ---- storage (save, then apply, then send)

TEST_F(Subscriptions, that_cannot_be_saved_are_refused_and_change_nothing) {
    server.faults.fail_next_write();
    server.send(romeo, presence("subscribe", kJuliet));
    EXPECT_EQ(romeo.take(), (Lines{"presence error juliet@example.org > romeo@example.org/orchard "
                                   "internal-server-error cancel"}));
    EXPECT_EQ(juliet.take(), (Lines{}));
    EXPECT_EQ(state_of(server, kRomeo, kJuliet), "None");

    server.faults.disk_full(true);
    server.send(romeo, presence("subscribe", kJuliet));
    EXPECT_EQ(romeo.take(), (Lines{"presence error juliet@example.org > romeo@example.org/orchard "
                                   "resource-constraint wait"}));
    server.faults.disk_full(false);
    server.send(romeo, presence("subscribe", kJuliet));
    EXPECT_EQ(romeo.take(), (Lines{"push juliet@example.org none ask"}));
}

TEST_F(Subscriptions, are_kept_over_a_restart) {
    befriend(server, romeo, juliet);
    server.disconnect(romeo);
    server.disconnect(juliet);
    server.restart();
    TestClient& again = server.online("romeo@example.org/orchard");
    EXPECT_EQ(state_of(server, kRomeo, kJuliet), "Both");
    EXPECT_FALSE(again.closed);
}

TEST_F(Subscriptions, are_handled_in_the_order_in_which_a_client_sends_them) {
    server.faults.delay(std::chrono::milliseconds(10));
    server.send_together(juliet,
                         {presence("subscribed", kRomeo),
                          "<presence xmlns='jabber:client'><status>late</status></presence>",
                          presence("unsubscribed", kRomeo), presence("subscribe", kRomeo)});
    EXPECT_EQ(juliet.take(),
              (Lines{"push romeo@example.org none approved",
                     "presence juliet@example.org/balcony > juliet@example.org/balcony 'late'",
                     "push romeo@example.org none", "push romeo@example.org none ask"}));
}

TEST_F(Subscriptions, are_delivered_in_the_order_in_which_they_came) {
    server.faults.delay(std::chrono::milliseconds(10));
    server.send(romeo, presence("subscribe", kJuliet));
    // Romeo's account is busy with a second edit while Juliet's answer and presence arrive.
    server.submit(romeo, presence("subscribed", "somebody@example.org"));
    server.submit(romeo, presence("unsubscribed", "somebody@example.org"));
    romeo.inbox.clear();
    server.submit(juliet, presence("subscribed", kRomeo));
    server.submit(juliet, "<presence xmlns='jabber:client'><status>late</status></presence>");
    server.run();
    EXPECT_EQ(romeo.take(),
              (Lines{"push somebody@example.org none approved", "push somebody@example.org none",
                     "presence subscribed juliet@example.org > romeo@example.org",
                     "push juliet@example.org to",
                     "presence juliet@example.org/balcony > romeo@example.org",
                     "presence juliet@example.org/balcony > romeo@example.org 'late'"}));
}

TEST(SubscriptionsAcrossShards, work_as_on_one) {
    TestServer server(2);
    // Two accounts that live apart.
    std::string apart;
    for (char letter = 'a'; apart.empty(); ++letter) {
        const std::string name = std::string("nurse") + letter + "@example.org";
        if (server.shard_of_account(name) != server.shard_of_account(kRomeo)) apart = name;
    }
    server.add_user(apart);
    TestClient& romeo = server.online("romeo@example.org/orchard");
    TestClient& nurse = server.online(apart + "/house");
    befriend(server, romeo, nurse);
    EXPECT_EQ(state_of(server, kRomeo, apart), "Both");
    EXPECT_EQ(state_of(server, apart, kRomeo), "Both");
    server.disconnect(nurse);
    EXPECT_EQ(romeo.take(),
              (Lines{"presence unavailable " + apart + "/house > romeo@example.org"}));
    TestClient& back = server.online(apart + "/garden");
    EXPECT_EQ(romeo.take(), (Lines{"presence " + apart + "/garden > romeo@example.org"}));
    EXPECT_TRUE(back.inbox.empty());
}

}  // namespace
}  // namespace server::test
