// The carbons module: what a scenario cannot see. The protocol is in tests/scenarios.
#include "server/config/core_keys.h"
#include "tests/support/server_harness.h"

#include <gtest/gtest.h>

#include <string>

namespace server::test {
namespace {

using namespace std::chrono_literals;

Config small_queues() {
    return Config()
        .with(keys::kStanzaBytesMax, 10'000)
        .with(keys::kOutboundQueueMax, 65'536)
        .with(keys::kStanzasPerSecond, 100'000)
        .with(keys::kStanzasBurst, 100'000);
}

void enable(ScriptedClient& client) {
    client.send("<iq type='set' id='e'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
    EXPECT_EQ(client.expect_element().attribute("type"), "result");
}

std::string chat(std::string_view to, std::string_view id, std::string_view body = "hi") {
    return "<message type='chat' to='" + std::string(to) + "' id='" + std::string(id) + "'><body>" +
           std::string(body) + "</body></message>";
}

TEST(Carbons, gives_no_copy_to_anybody_that_its_client_did_not_read) {
    ServerHarness harness({.config = small_queues()});
    ScriptedClient& romeo = harness.online("romeo@example.org/orchard");
    ScriptedClient& phone = harness.online("romeo@example.org/phone");
    ScriptedClient& juliet = harness.online("juliet@example.org/balcony");
    enable(phone);
    romeo.send("<presence/>");
    romeo.expect_element();
    phone.stop_reading();
    constexpr int kMessages = 60;
    for (int i = 0; i < kMessages; ++i) {
        juliet.send(chat("romeo@example.org/orchard", "1", std::string(8000, 'x')));
        EXPECT_EQ(romeo.expect_element().attribute("from"), "juliet@example.org/balcony");
    }
    harness.advance(10s);
    EXPECT_EQ(harness.metric("c2s_sessions"), 2);  // The phone's is over.
    EXPECT_EQ(harness.metric("c2s_messages_given_back_total"), 0);
    romeo.expect_nothing();
}

TEST(Carbons, counts_copies) {
    ServerHarness harness;
    ScriptedClient& romeo = harness.online("romeo@example.org/orchard");
    ScriptedClient& phone = harness.online("romeo@example.org/phone");
    harness.online("juliet@example.org/balcony");
    romeo.send(chat("juliet@example.org/balcony", "1"));
    phone.expect_nothing();
    EXPECT_EQ(harness.metric("module_carbons_copies_total"), 0);
    enable(phone);
    romeo.send(chat("juliet@example.org/balcony", "2"));
    phone.expect_element();
    EXPECT_EQ(harness.metric("module_carbons_copies_total"), 1);
}

// One past the number that is remembered: the oldest is forgotten, the next one is not.
TEST(Carbons, recognises_errors_for_so_many_messages) {
    ServerHarness harness({.config = small_queues()});
    ScriptedClient& romeo = harness.online("romeo@example.org/orchard");
    ScriptedClient& phone = harness.online("romeo@example.org/phone");
    ScriptedClient& juliet = harness.online("juliet@example.org/balcony");
    enable(phone);
    constexpr int kRecent = 128;
    for (int i = 0; i <= kRecent; ++i) {
        romeo.send(chat("juliet@example.org/balcony", std::to_string(i)));
        phone.expect_element();
    }
    const auto fail = [&](int id) {
        juliet.send("<message type='error' to='romeo@example.org/orchard' id='" +
                    std::to_string(id) +
                    "'><error type='cancel'><gone "
                    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
        romeo.expect_element();
    };
    fail(0);
    phone.expect_nothing();
    fail(1);
    EXPECT_EQ(phone.expect_element().attribute("type"), "error");
    fail(kRecent);
    EXPECT_EQ(phone.expect_element().attribute("type"), "error");
}

}  // namespace
}  // namespace server::test
