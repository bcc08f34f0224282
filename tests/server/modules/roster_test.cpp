// The roster module: RFC 6121 §2.
#include "server/config/core_keys.h"
#include "tests/server/routing/presence_harness.h"

#include <gtest/gtest.h>

#include <string>

namespace server::test {
namespace {

std::string get(std::string_view id, const char* version = nullptr) {
    std::string xml = "<iq xmlns='jabber:client' type='get' id='" + std::string(id) +
                      "'><query xmlns='jabber:iq:roster'";
    if (version != nullptr) xml.append(" ver='").append(version).append("'");
    return xml + "/></iq>";
}

std::string set(std::string_view id, std::string_view item) {
    return "<iq xmlns='jabber:client' type='set' id='" + std::string(id) +
           "'><query xmlns='jabber:iq:roster'>" + std::string(item) + "</query></iq>";
}

class RosterModule : public testing::Test {
protected:
    std::string version() { return std::to_string(server.version_of("romeo@example.org")); }

    TestServer server;
    TestClient& romeo = server.online("romeo@example.org/orchard");
};

TEST_F(RosterModule, gives_an_empty_roster_with_a_version) {
    server.send(romeo, get("g1"));
    ASSERT_EQ(romeo.inbox.size(), 1U);
    EXPECT_EQ(romeo.inbox[0].payload()->attribute("ver"), "0");
    EXPECT_EQ(romeo.inbox[0].to()->text(), "romeo@example.org/orchard");
    EXPECT_EQ(romeo.take(), (Lines{"result g1 roster:"}));
}

TEST_F(RosterModule, adds_changes_and_removes_contacts) {
    server.send(romeo, set("s1",
                           "<item jid='nurse@example.net' name='Nurse'>"
                           "<group>Servants</group></item>"));
    EXPECT_EQ(romeo.take(),
              (Lines{"push nurse@example.net none name=Nurse group=Servants", "result s1"}));
    server.send(romeo, set("s2", "<item jid='nurse@example.net' subscription='both'/>"));
    EXPECT_EQ(romeo.take(), (Lines{"push nurse@example.net none", "result s2"}));
    server.send(romeo, get("g1"));
    EXPECT_EQ(romeo.take(), (Lines{"result g1 roster: nurse@example.net none;"}));
    server.send(romeo, set("s3", "<item jid='nurse@example.net' subscription='remove'/>"));
    EXPECT_EQ(romeo.take(), (Lines{"push nurse@example.net remove", "result s3"}));
    server.send(romeo, get("g2"));
    EXPECT_EQ(romeo.take(), (Lines{"result g2 roster:"}));
}

TEST_F(RosterModule, pushes_to_every_interested_resource_and_to_no_other) {
    TestClient& tomb = server.online("romeo@example.org/tomb");
    TestClient& plain = server.connect("romeo@example.org/plain");
    server.send(plain, "<presence xmlns='jabber:client'/>");
    romeo.inbox.clear();
    tomb.inbox.clear();
    plain.inbox.clear();
    server.send(plain, set("s1", "<item jid='nurse@example.net'/>"));
    EXPECT_EQ(romeo.take(), (Lines{"push nurse@example.net none"}));
    EXPECT_EQ(tomb.take(), (Lines{"push nurse@example.net none"}));
    EXPECT_EQ(plain.take(), (Lines{"result s1"}));
}

TEST_F(RosterModule, refuses_what_the_syntax_forbids) {
    server.send(romeo, set("s1", ""));
    server.send(romeo, set("s2", "<item jid='a@x'/><item jid='b@x'/>"));
    server.send(romeo, set("s3", "<item jid='@x'/>"));
    server.send(romeo, set("s4", "<item jid='a@x'><group/></item>"));
    server.send(romeo, set("s5", "<item jid='a@x'><group>g</group><group>g</group></item>"));
    server.send(romeo, set("s6", "<item jid='romeo@example.org'/>"));
    EXPECT_EQ(romeo.take(), (Lines{"error s1 bad-request modify", "error s2 bad-request modify",
                                   "error s3 bad-request modify", "error s4 not-acceptable modify",
                                   "error s5 bad-request modify", "error s6 not-allowed cancel"}));
    EXPECT_EQ(server.version_of("romeo@example.org"), 0);
}

TEST_F(RosterModule, does_not_remove_what_is_not_there) {
    server.send(romeo, set("s1", "<item jid='a@x' subscription='remove'/>"));
    EXPECT_EQ(romeo.take(), (Lines{"error s1 item-not-found cancel"}));
}

TEST_F(RosterModule, is_closed_to_others) {
    TestClient& juliet = server.online("juliet@example.org/balcony");
    server.send(juliet,
                "<iq xmlns='jabber:client' type='get' id='g' to='romeo@example.org'>"
                "<query xmlns='jabber:iq:roster'/></iq>");
    server.send(juliet,
                "<iq xmlns='jabber:client' type='set' id='s' to='romeo@example.org'>"
                "<query xmlns='jabber:iq:roster'><item jid='a@x'/></query></iq>");
    EXPECT_EQ(juliet.take(), (Lines{"error g forbidden auth", "error s forbidden auth"}));
    EXPECT_EQ(romeo.take(), (Lines{}));
}

TEST_F(RosterModule, ends_the_subscriptions_of_a_contact_it_removes) {
    TestClient& juliet = server.online("juliet@example.org/balcony");
    befriend(server, romeo, juliet);
    server.send(romeo, set("s1", "<item jid='juliet@example.org' subscription='remove'/>"));
    EXPECT_EQ(romeo.take()[0], "push juliet@example.org remove");
    EXPECT_EQ(juliet.take(),
              (Lines{"presence unavailable romeo@example.org/orchard > juliet@example.org",
                     "presence unsubscribe romeo@example.org > juliet@example.org",
                     "push romeo@example.org to",
                     "presence unsubscribed romeo@example.org > juliet@example.org",
                     "push romeo@example.org none"}));
}

TEST_F(RosterModule, withdraws_and_denies_the_requests_of_a_contact_it_removes) {
    TestClient& juliet = server.online("juliet@example.org/balcony");
    server.send(romeo,
                "<presence xmlns='jabber:client' type='subscribe' to='juliet@example.org'/>");
    server.send(juliet,
                "<presence xmlns='jabber:client' type='subscribe' to='romeo@example.org'/>");
    romeo.inbox.clear();
    juliet.inbox.clear();
    server.send(romeo, set("s1", "<item jid='juliet@example.org' subscription='remove'/>"));
    EXPECT_EQ(juliet.take(), (Lines{"presence unsubscribe romeo@example.org > juliet@example.org",
                                    "presence unsubscribed romeo@example.org > juliet@example.org",
                                    "push romeo@example.org none"}));
    EXPECT_FALSE(server.account("romeo@example.org").roster.has_requests());
}

TEST_F(RosterModule, keeps_subscription_and_approval_when_the_name_changes) {
    server.send(romeo,
                "<presence xmlns='jabber:client' type='subscribed' to='juliet@example.org'/>");
    server.send(romeo,
                "<presence xmlns='jabber:client' type='subscribe' to='juliet@example.org'/>");
    romeo.inbox.clear();
    server.send(romeo, set("s1", "<item jid='juliet@example.org' name='J'/>"));
    EXPECT_EQ(romeo.take(),
              (Lines{"push juliet@example.org none ask approved name=J", "result s1"}));
}

TEST_F(RosterModule, changes_nothing_when_storage_fails) {
    server.faults.fail_next_write();
    server.send(romeo, set("s1", "<item jid='a@x'/>"));
    server.faults.fail_next_commit();
    server.send(romeo, set("s2", "<item jid='a@x'/>"));
    server.faults.disk_full(true);
    server.send(romeo, set("s3", "<item jid='a@x'/>"));
    EXPECT_EQ(romeo.take(), (Lines{"error s1 internal-server-error cancel",
                                   "error s2 internal-server-error cancel",
                                   "error s3 resource-constraint wait"}));
    EXPECT_TRUE(server.account("romeo@example.org").roster.items().empty());
}

TEST(RosterLimits, refuse_one_contact_too_many) {
    TestServer server(1, Config().with(keys::kRosterItemsMax, 2));
    TestClient& romeo = server.online("romeo@example.org/orchard");
    server.send(romeo, set("s1", "<item jid='a@x'/>"));
    server.send(romeo, set("s2", "<item jid='b@x'/>"));
    romeo.inbox.clear();
    server.send(romeo, set("s3", "<item jid='c@x'/>"));
    server.send(romeo, "<presence xmlns='jabber:client' type='subscribe' to='d@example.org'/>");
    EXPECT_EQ(romeo.take(), (Lines{"error s3 resource-constraint wait",
                                   "presence error d@example.org > romeo@example.org/orchard "
                                   "resource-constraint wait"}));
    server.send(romeo, set("s4", "<item jid='a@x' name='still'/>"));
    EXPECT_EQ(romeo.take(), (Lines{"push a@x none name=still", "result s4"}));
}

// ---- versions (§2.6)

TEST_F(RosterModule, gives_the_whole_roster_to_a_client_that_knows_none) {
    server.send(romeo, set("s1", "<item jid='a@x'/>"));
    romeo.inbox.clear();
    server.send(romeo, get("g1", ""));
    ASSERT_EQ(romeo.inbox.size(), 1U);
    EXPECT_EQ(romeo.inbox[0].payload()->attribute("ver"), version());
    EXPECT_EQ(romeo.take(), (Lines{"result g1 roster: a@x none;"}));
    server.send(romeo, get("g2", "no number"));
    server.send(romeo, get("g3", "99999999999999"));
    EXPECT_EQ(romeo.take(), (Lines{"result g2 roster: a@x none;", "result g3 roster: a@x none;"}));
}

TEST_F(RosterModule, answers_with_nothing_when_nothing_has_changed) {
    server.send(romeo, set("s1", "<item jid='a@x'/>"));
    romeo.inbox.clear();
    server.send(romeo, get("g1", version().c_str()));
    EXPECT_EQ(romeo.take(), (Lines{"result g1"}));
}

TEST_F(RosterModule, pushes_what_changed_after_an_empty_result) {
    server.send(romeo, set("s1", "<item jid='a@x'/>"));
    server.send(romeo, set("s2", "<item jid='b@x'/>"));
    const std::string known = version();
    server.send(romeo, set("s3", "<item jid='c@x'/>"));
    server.send(romeo, set("s4", "<item jid='a@x' subscription='remove'/>"));
    server.send(romeo, set("s5", "<item jid='b@x' name='B'/>"));
    TestClient& tomb = server.connect("romeo@example.org/tomb");
    // A change that is under way when the client asks comes with the others, once.
    server.send_together(tomb, {get("g1", known.c_str()), set("s6", "<item jid='d@x'/>")});
    EXPECT_EQ(tomb.inbox.back().payload()->attribute("ver"), version());
    Lines lines = tomb.take();
    std::erase(lines, "result s6");
    EXPECT_EQ(lines, (Lines{"result g1", "push c@x none", "push a@x remove", "push b@x none name=B",
                            "push d@x none"}));
    server.send(tomb, set("s7", "<item jid='e@x'/>"));
    EXPECT_EQ(tomb.take(), (Lines{"push e@x none", "result s7"}));
}

TEST_F(RosterModule, gives_the_whole_roster_to_a_client_that_missed_too_much) {
    server.send(romeo, set("s0", "<item jid='z@x'/>"));
    const std::string known = version();
    for (int i = 0; i <= 100; ++i)
        server.send(romeo, set("s1", "<item jid='a" + std::to_string(i) + "@x'/>"));
    TestClient& tomb = server.connect("romeo@example.org/tomb");
    server.send(tomb, get("g1", known.c_str()));
    const Lines lines = tomb.take();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines[0].starts_with("result g1 roster: a0@x none;"));
}

TEST_F(RosterModule, keeps_its_versions_over_a_restart) {
    server.send(romeo, set("s1", "<item jid='a@x' name='A'><group>g</group></item>"));
    const std::string known = version();
    server.disconnect(romeo);
    server.restart();
    TestClient& tomb = server.connect("romeo@example.org/tomb");
    server.send(tomb, get("g1", known.c_str()));
    EXPECT_EQ(tomb.take(), (Lines{"result g1"}));
    server.send(tomb, get("g2"));
    EXPECT_EQ(tomb.take(), (Lines{"result g2 roster: a@x none name=A group=g;"}));
}

}  // namespace
}  // namespace server::test
