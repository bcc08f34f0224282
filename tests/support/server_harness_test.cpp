// The harness itself: a whole server that chats, restarts and fails on demand.
#include "tests/support/server_harness.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using namespace std::chrono_literals;

TEST(ServerHarness, lets_two_clients_chat) {
    ServerHarness harness;
    ScriptedClient& romeo = harness.online("romeo@example.org/orchard");
    ScriptedClient& juliet = harness.online("juliet@example.org/balcony");
    juliet.send("<message to='romeo@example.org/orchard' type='chat'><body>hi</body></message>");
    const xmpp::Element message = romeo.expect_element();
    EXPECT_EQ(message.attribute("from"), "juliet@example.org/balcony");
    EXPECT_EQ(message.child_text("body"), "hi");
    romeo.expect_nothing();
}

TEST(ServerHarness, does_the_same_on_two_shards) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        ServerHarness harness({.config = {}, .shards = 2, .seed = seed});
        ScriptedClient& romeo = harness.online("romeo@example.org/orchard");
        ScriptedClient& juliet = harness.online("juliet@example.net/balcony");
        juliet.send("<message to='romeo@example.org/orchard'><body>hi</body></message>");
        EXPECT_EQ(romeo.expect_element().child_text("body"), "hi");
        EXPECT_EQ(harness.metric("router_bounced_total"), 0);
    }
}

TEST(ServerHarness, keeps_accounts_over_a_restart) {
    ServerHarness harness;
    ScriptedClient& romeo = harness.online("romeo@example.org/orchard");
    harness.restart();
    EXPECT_EQ(romeo.expect_stream_error(), "system-shutdown");
    EXPECT_EQ(harness.online("romeo@example.org/tomb").jid(), "romeo@example.org/tomb");
    harness.crash();
    EXPECT_EQ(harness.online("romeo@example.org/tomb").jid(), "romeo@example.org/tomb");
}

TEST(ServerHarness, makes_writes_fail) {
    ServerHarness harness;
    harness.faults().fail_next_write();
    EXPECT_THROW(harness.add_user("romeo@example.org"), ScriptFailure);
    harness.add_user("romeo@example.org");
    harness.remove_user("romeo@example.org");
    EXPECT_THROW(harness.remove_user("romeo@example.org"), ScriptFailure);
}

TEST(ServerHarness, lets_time_pass_in_no_time) {
    ServerHarness harness;
    ScriptedClient& client = harness.connected();
    harness.advance(2min);
    client.expect_open();
    EXPECT_EQ(client.expect_stream_error(), "connection-timeout");
}

}  // namespace
}  // namespace server::test
