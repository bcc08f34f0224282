// The blocking module: what only an operator sees of it. The protocol is in tests/scenarios.
#include "server/config/core_keys.h"
#include "server/modules/archive_keys.h"
#include "tests/support/server_harness.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace server::test {
namespace {

std::string block(std::string_view items) {
    return "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'>" + std::string(items) +
           "</block></iq>";
}

std::string reported(std::string_view jid, std::string_view reason) {
    return "<item jid='" + std::string(jid) + "'><report xmlns='urn:xmpp:reporting:1' reason='" +
           std::string(reason) + "'><text>He sold me a bridge.</text></report></item>";
}

TEST(Blocking, counts_reports_by_their_reason) {
    ServerHarness harness;
    ScriptedClient& romeo = harness.online("romeo@example.org/orchard");
    romeo.send(block(reported("a@x.example", "urn:xmpp:reporting:spam") +
                     reported("b@x.example", "urn:xmpp:reporting:abuse") +
                     reported("c@x.example", "urn:xmpp:reporting:abuse") +
                     reported("d@x.example", "urn:example:rude") +
                     "<item jid='e@x.example'><report xmlns='urn:xmpp:reporting:1'/></item>"
                     "<item jid='f@x.example'/>"));
    EXPECT_EQ(romeo.expect_element().attribute("type"), "result");
    EXPECT_EQ(harness.metric("module_blocking_reports_total", "spam"), 1);
    EXPECT_EQ(harness.metric("module_blocking_reports_total", "abuse"), 2);
    EXPECT_EQ(harness.metric("module_blocking_reports_total", "other"), 1);
}

TEST(Blocking, counts_no_report_of_a_block_that_was_refused) {
    ServerHarness harness;
    ScriptedClient& romeo = harness.online("romeo@example.org/orchard");
    harness.faults().fail_next_write();
    romeo.send(block(reported("a@x.example", "urn:xmpp:reporting:spam")));
    EXPECT_EQ(romeo.expect_element().attribute("type"), "error");
    EXPECT_EQ(harness.metric("module_blocking_reports_total", "spam"), 0);
}

TEST(Blocking, counts_what_it_stops) {
    ServerHarness harness;
    ScriptedClient& romeo = harness.online("romeo@example.org/orchard");
    ScriptedClient& juliet = harness.online("juliet@example.org/balcony");
    romeo.send(block("<item jid='juliet@example.org'/>"));
    EXPECT_EQ(romeo.expect_element().attribute("type"), "result");
    juliet.send("<message to='romeo@example.org' type='chat'><body>hi</body></message>");
    EXPECT_EQ(juliet.expect_element().attribute("type"), "error");
    juliet.send("<presence to='romeo@example.org'/>");
    juliet.expect_nothing();
    romeo.send("<message to='juliet@example.org' type='chat'><body>hi</body></message>");
    EXPECT_EQ(romeo.expect_element().attribute("type"), "error");
    EXPECT_EQ(harness.metric("module_blocking_refused_total"), 3);
}

/// Juliet writes to a phone that does not read; she is blocked, and the phone's connection breaks.
struct Unread {
    explicit Unread(Config config)
        : harness({.config = std::move(config)}),
          romeo(harness.online("romeo@example.org/orchard")),
          juliet(harness.online("juliet@example.org/balcony")) {
        ScriptedClient& phone = harness.online("romeo@example.org/phone");
        romeo.send("<presence/>");
        romeo.expect_element();
        phone.stop_reading();
        for (int i = 0; i < 60; ++i)
            juliet.send("<message to='romeo@example.org/phone' type='chat'><body>" +
                        std::string(8000, 'x') + "</body></message>");
        juliet.expect_nothing();
        romeo.send(block("<item jid='juliet@example.org'/>"));
        EXPECT_EQ(romeo.expect_element().attribute("type"), "result");
        phone.reset();
    }

    ServerHarness harness;
    ScriptedClient& romeo;
    ScriptedClient& juliet;
};

// XEP-0191 §3.3: not delivered any more, though it was accepted.
TEST(Blocking, bounces_what_a_client_did_not_read_before_its_sender_was_blocked) {
    Unread unread(
        Config().with(keys::kArchiveEnabled, false).with(keys::kDurability, Durability::memory));
    EXPECT_EQ(unread.juliet.expect_element().attribute("type"), "error");
    unread.romeo.expect_nothing();
    EXPECT_GT(unread.harness.metric("c2s_messages_given_back_total"), 0);
}

// What is stored has been taken for good. It waits for the day on which its sender is heard again.
TEST(Blocking, keeps_what_is_stored_until_its_sender_is_unblocked) {
    Unread unread{Config()};
    unread.romeo.expect_nothing();
    unread.juliet.expect_nothing();
    EXPECT_EQ(unread.harness.metric("c2s_messages_given_back_total"), 0);
    unread.romeo.send("<presence/>");
    unread.romeo.expect_element();
    unread.romeo.expect_nothing();
    unread.romeo.send("<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>");
    EXPECT_EQ(unread.romeo.expect_element().attribute("type"), "result");
    unread.romeo.send("<presence/>");
    unread.romeo.expect_element();
    EXPECT_EQ(unread.romeo.expect_element().attribute("from"), "juliet@example.org/balcony");
}

}  // namespace
}  // namespace server::test
