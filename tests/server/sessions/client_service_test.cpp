// ClientService: limits on connections, floods, shards, reload, kicking, and orderly shutdown.
#include "server/sessions/client_service.h"

#include "reactor/tls_certificate.h"
#include "storage/tables/users.h"
#include "tests/server/sessions/session_harness.h"
#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>

namespace server::test {
namespace {

using namespace std::chrono_literals;

TEST(ConnectionLimits, refuse_one_too_many_of_an_address) {
    SessionHarness harness(Config().with(keys::kConnectionsPerAddressMax, 3));
    for (int i = 0; i < 3; ++i)
        harness.connected("10.7.7.7").open();
    ScriptedClient& fourth = harness.connected("10.7.7.7");
    EXPECT_FALSE(fourth.expect_end().orderly);
    EXPECT_EQ(harness.metric("c2s_refused_total", "too_many_of_address"), 1);
    harness.connected("10.7.7.8").open();
    EXPECT_EQ(harness.connections(), 4u);
}

TEST(ConnectionLimits, are_free_again_when_connections_end) {
    SessionHarness harness(Config().with(keys::kConnectionsPerAddressMax, 1));
    for (int i = 0; i < 5; ++i) {
        ScriptedClient& client = harness.connected("10.7.7.7");
        client.open();
        client.reset();
        harness.advance(1s);
    }
    EXPECT_EQ(harness.metric("c2s_refused_total", "too_many_of_address"), 0);
}

TEST(ConnectionLimits, refuse_one_too_many_altogether) {
    SessionHarness harness(Config().with(keys::kConnectionsMax, 10));
    for (int i = 0; i < 10; ++i)
        harness.connected("10.7.7." + std::to_string(i)).open();
    harness.connected("10.7.8.1").expect_end();
    EXPECT_EQ(harness.metric("c2s_refused_total", "too_many"), 1);
}

TEST(ConnectionLimits, hold_over_all_shards) {
    SessionHarness harness(Config().with(keys::kConnectionsPerAddressMax, 5), 4);
    for (int i = 0; i < 12; ++i)
        harness.connected("10.7.7.7");
    harness.advance(1s);
    EXPECT_EQ(harness.connections(), 5u);
    EXPECT_EQ(harness.metric("c2s_refused_total", "too_many_of_address"), 7);
    // Those that end make room, wherever they lived and moved.
    harness.advance(2min);
    EXPECT_EQ(harness.connections(), 0u);
    for (int i = 0; i < 5; ++i)
        harness.connected("10.7.7.7").become("romeo", kPassword);
    EXPECT_EQ(harness.sessions(), 5u);
}

TEST(Flood, of_connections_harms_nobody_who_is_there) {
    SessionHarness harness(Config().with(keys::kConnectionsPerAddressMax, 50));
    ScriptedClient& romeo = harness.online("romeo", "x");
    for (int i = 0; i < 300; ++i)
        harness.connected("10.66.6.6");
    harness.advance(1s);
    EXPECT_EQ(harness.connections(), 51u);
    romeo.send("<message to='romeo@example.org/x' id='still'/>");
    EXPECT_EQ(romeo.expect_element().attribute("id"), "still");
    harness.advance(31s);
    EXPECT_EQ(harness.connections(), 1u);
}

TEST(Kick, closes_the_sessions_of_an_account_or_one_of_them) {
    SessionHarness harness;
    ScriptedClient& one = harness.online("romeo", "a");
    ScriptedClient& other = harness.online("romeo", "b");
    ScriptedClient& juliet = harness.online("juliet", "c");
    const auto kick = [&](std::string_view jid) {
        return harness.on_shard(0, [&] {
            return harness.service().kick(
                xmpp::Jid::parse(jid).value(),
                xmpp::StreamError(xmpp::StreamCondition::policy_violation, "bye"));
        });
    };
    EXPECT_EQ(kick("romeo@example.org/a"), 1u);
    EXPECT_EQ(one.expect_stream_error(), "policy-violation");
    harness.advance(1s);
    EXPECT_EQ(kick("romeo@example.org"), 1u);
    EXPECT_EQ(other.expect_stream_error(), "policy-violation");
    harness.advance(1s);
    EXPECT_EQ(kick("romeo@example.org"), 0u);
    EXPECT_EQ(kick("nobody@example.org"), 0u);
    juliet.expect_nothing();
}

TEST(Shutdown, says_so_to_every_stream_and_waits_for_what_is_queued) {
    SessionHarness harness;
    ScriptedClient& bound = harness.online("romeo", "x");
    ScriptedClient& fresh = harness.connected();
    fresh.open();
    ScriptedClient& silent = harness.connected();
    bound.stop_reading();
    ScriptedClient& juliet = harness.online("juliet", "y");
    juliet.send("<message to='romeo@example.org/x' id='last'><body>" + std::string(100'000, 'x') +
                "</body></message>");
    harness.advance(1s);
    auto down = harness.on_shard(0, [&] { return harness.service().shut_down(10s); });
    EXPECT_EQ(juliet.expect_stream_error(), "system-shutdown");
    EXPECT_EQ(fresh.expect_stream_error(), "system-shutdown");
    silent.expect_open();
    EXPECT_EQ(silent.expect_stream_error(), "system-shutdown");
    EXPECT_FALSE(down.settled());
    EXPECT_THROW(harness.connected(), ScriptFailure);
    bound.read_on();
    EXPECT_EQ(bound.expect_element().attribute("id"), "last");
    EXPECT_EQ(bound.expect_stream_error(), "system-shutdown");
    harness.advance(1s);
    ASSERT_TRUE(down.settled());
    EXPECT_TRUE(down.take().has_value());
    EXPECT_EQ(harness.connections(), 0u);
}

TEST(Shutdown, does_not_wait_for_ever) {
    SessionHarness harness;
    ScriptedClient& stuck = harness.online("romeo", "x");
    ScriptedClient& juliet = harness.online("juliet", "y");
    stuck.stop_reading();
    juliet.send("<message to='romeo@example.org/x'><body>" + std::string(200'000, 'x') +
                "</body></message>");
    harness.advance(1s);
    auto down = harness.on_shard(0, [&] { return harness.service().shut_down(3s); });
    harness.advance(2s);
    EXPECT_FALSE(down.settled());
    harness.advance(2s);
    ASSERT_TRUE(down.settled());
    EXPECT_TRUE(down.take().has_value());
    EXPECT_EQ(harness.connections(), 0u);
}

TEST(Shutdown, is_over_at_once_when_nobody_is_there) {
    SessionHarness harness({}, 2);
    for (reactor::ShardId id = 0; id < 2; ++id)
        EXPECT_TRUE(
            harness.on_shard(id, [&] { return harness.service(id).shut_down(3s); }).settled());
}

TEST(Reload, gives_new_connections_new_certificates_and_keeps_the_old_ones_up) {
    SessionHarness harness;
    ScriptedClient& old = harness.online("romeo", "x");
    const std::string before = old.tls()->peer_certificate()->fingerprint_sha256;
    const std::array<std::string, 1> names{"example.org"};
    harness.tls_options.identity =
        reactor::generate_self_signed(names, {1'735'689'600'000'000}, 20'000).value();
    const Config config =
        Config().with(keys::kResourcesPerAccountMax, 1).with(keys::kAuthAttemptsMax, 1);
    harness.on_shard(0, [&] { harness.service().reload(config, harness.make_tls(config)); });
    ScriptedClient& young = harness.connected();
    young.secure();
    EXPECT_NE(young.tls()->peer_certificate()->fingerprint_sha256, before);
    EXPECT_EQ(young.log_in("romeo", "wrong").name(), "failure");
    EXPECT_EQ(young.expect_stream_error(), "policy-violation");
    old.send("<message to='romeo@example.org/x' id='here'/>");
    EXPECT_EQ(old.expect_element().attribute("id"), "here");
}

TEST(Features, of_modules_follow_a_login) {
    SessionHarness harness;
    harness.on_shard(0, [&] {
        harness.service().add_feature([](std::string_view host) {
            return xmpp::Element("c", "urn:test").set_attribute("host", host);
        });
    });
    ScriptedClient& client = harness.connected();
    EXPECT_EQ(client.secure().child("c", "urn:test"), nullptr);
    client.log_in("romeo", std::string(kPassword));
    const xmpp::Element features = client.open();
    ASSERT_NE(features.child("c", "urn:test"), nullptr);
    EXPECT_EQ(features.child("c", "urn:test")->attribute("host"), "example.org");
}

TEST(Anonymous, lasts_as_long_as_its_connection) {
    SessionHarness harness(Config().with(keys::kSaslAnonymous, true), 2);
    ScriptedClient& client = harness.connected();
    client.secure();
    EXPECT_EQ(client.log_in("", "", "ANONYMOUS").name(), "success");
    client.open();
    const xmpp::Element bound = client.bind();
    ASSERT_EQ(bound.attribute("type"), "result");
    const std::string jid = bound.first_child()->child_text("jid");
    ScriptedClient& romeo = harness.online("romeo", "x");
    romeo.send("<message to='" + jid + "' id='1'><body>who?</body></message>");
    EXPECT_EQ(client.expect_element().attribute("id"), "1");
    client.reset();
    harness.advance(11s);
    romeo.send("<iq type='get' to='" + jid + "' id='2'><ping xmlns='urn:xmpp:ping'/></iq>");
    EXPECT_EQ(romeo.expect_element().attribute("type"), "error");
}

}  // namespace
}  // namespace server::test
