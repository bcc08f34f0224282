// The client against the whole server on virtual time.
#include "tests/bots/client/client.h"

#include "reactor/sim/sim_resolver.h"
#include "server/config/core_keys.h"
#include "tests/bots/client/client_shared.h"
#include "tests/bots/client/fake_server.h"
#include "tests/support/server_harness.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace bots {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using server::test::HarnessOptions;
using server::test::ServerHarness;
using test::Recorder;

std::shared_ptr<const reactor::TlsClientContext> trusting_all(
    reactor::TlsVersion version_max = reactor::TlsVersion::tls_1_3) {
    reactor::TlsClientOptions options;
    options.verify = reactor::TlsVerify::none;
    options.alpn = {"xmpp-client"};
    options.version_max = version_max;
    return *reactor::TlsClientContext::create(options);
}

// The world of the harness's clients, with a network of its own.
struct ClientSide {
    explicit ClientSide(ServerHarness& server_harness,
                        std::shared_ptr<const reactor::TlsClientContext> tls = trusting_all(),
                        bool with_resolver = false)
        : harness(server_harness),
          network(harness.stage().network("10.0.2.1")),
          world{.clock = harness.stage().world().clock,
                .reactor = harness.stage().world().reactor,
                .network = *network,
                .entropy = harness.stage().world().entropy,
                .blocking = harness.stage().world().blocking,
                .shards = harness.stage().world().shards,
                .log = harness.stage().world().log},
          resolver(harness.stage().on([&] { return reactor::make_sim_resolver(world, dns); })),
          shared({.world = world,
                  .resolver = with_resolver ? resolver.get() : nullptr,
                  .tls = std::move(tls)}) {}
    ~ClientSide() {
        harness.stage().on([this] {
            clients.clear();
            resolver.reset();
        });
        harness.sim().run_ready();
    }

    ClientOptions options(std::string_view jid) const {
        ClientOptions options;
        options.jid = *xmpp::Jid::parse(jid);
        options.password = ServerHarness::kPassword;
        options.addresses = {harness.starttls_endpoint()};
        return options;
    }
    Client& client(ClientOptions with, Recorder& into) {
        return *clients.emplace_back(std::make_unique<Client>(shared, std::move(with), into));
    }
    base::Result<void> connect(Client& who) {
        auto connecting = harness.stage().on([&] { return who.connect(); });
        return harness.wait(std::move(connecting));
    }
    /// Connects; what came of it, in a word or the failure.
    std::string outcome(ClientOptions with) {
        Client& who = client(std::move(with), recorder);
        const auto connected = connect(who);
        return connected ? who.mechanism() : connected.error().message();
    }
    Client& online(std::string_view jid, Recorder& into) {
        Client& who = client(options(jid), into);
        if (const auto connected = connect(who); !connected)
            throw test::Unexpected(connected.error().message());
        return who;
    }

    ServerHarness& harness;
    reactor::SimDns dns;
    std::unique_ptr<reactor::Network> network;
    reactor::World world;
    std::unique_ptr<reactor::Resolver> resolver;
    ClientShared shared;
    Recorder recorder;
    std::vector<std::unique_ptr<Client>> clients;
};

TEST(BotsClient, logs_in_by_the_strongest_mechanism) {
    ServerHarness harness;
    harness.add_user("romeo@example.org");
    ClientSide side(harness);
    Client& romeo = side.online("romeo@example.org/orchard", side.recorder);
    EXPECT_TRUE(romeo.online());
    EXPECT_EQ(romeo.jid().text(), "romeo@example.org/orchard");
    EXPECT_EQ(romeo.mechanism(), "SCRAM-SHA-512-PLUS");
    EXPECT_EQ(romeo.tls_info().version, "TLSv1.3");
    EXPECT_TRUE(romeo.has_feature("bind", "urn:ietf:params:xml:ns:xmpp-bind"));
    EXPECT_EQ(side.recorder.events, std::vector<std::string>{"online"});
}

TEST(BotsClient, logs_in_by_each_mechanism) {
    const auto config =
        server::Config().with(server::keys::kSaslMechanisms,
                              {"SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "SCRAM-SHA-1-PLUS",
                               "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS", "PLAIN"});
    ServerHarness harness({.config = config});
    harness.add_user("romeo@example.org");
    for (const auto version : {reactor::TlsVersion::tls_1_2, reactor::TlsVersion::tls_1_3}) {
        ClientSide side(harness, trusting_all(version));
        for (const char* mechanism :
             {"SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "SCRAM-SHA-1-PLUS",
              "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS", "PLAIN"}) {
            ClientOptions with = side.options("romeo@example.org");
            with.mechanism = mechanism;
            EXPECT_EQ(side.outcome(with), mechanism);
        }
    }
}

TEST(BotsClient, logs_in_as_nobody) {
    ServerHarness harness({.config = server::Config().with(server::keys::kSaslAnonymous, true)});
    ClientSide side(harness);
    EXPECT_EQ(side.outcome(side.options("example.org")), "ANONYMOUS");
    EXPECT_TRUE(side.clients.front()->jid().is_full());
}

TEST(BotsClient, connects_by_direct_tls) {
    ServerHarness harness;
    harness.add_user("romeo@example.org");
    ClientSide side(harness);
    ClientOptions with = side.options("romeo@example.org");
    with.security = ClientSecurity::direct_tls;
    with.addresses = {harness.tls_endpoint()};
    EXPECT_EQ(side.outcome(with), "SCRAM-SHA-512-PLUS");
    EXPECT_EQ(side.clients.front()->tls_info().alpn, "xmpp-client");
}

TEST(BotsClient, says_why_it_cannot_log_in) {
    ServerHarness harness;
    harness.add_user("romeo@example.org");
    ClientSide side(harness);
    ClientOptions wrong = side.options("romeo@example.org");
    wrong.password = "wrong";
    EXPECT_TRUE(side.outcome(wrong).starts_with(
        "permission_denied: the server refused the login: not-authorized"));
    ClientOptions nobody = side.options("nobody@example.org");
    EXPECT_TRUE(side.outcome(nobody).starts_with(
        "permission_denied: the server refused the login: not-authorized"));
    EXPECT_TRUE(side.outcome(side.options("romeo@example.com"))
                    .starts_with("not_found: the server closed the stream: host-unknown"));
    ClientOptions exotic = side.options("romeo@example.org");
    exotic.mechanism = "GSSAPI";
    EXPECT_TRUE(
        side.outcome(exotic).starts_with("unsupported: GSSAPI cannot be used: the server offers "))
        << side.outcome(exotic);
    ClientOptions plain = side.options("romeo@example.org");
    plain.security = ClientSecurity::none;
    EXPECT_EQ(side.outcome(plain), "unsupported: the server requires TLS");
    ClientOptions nowhere = side.options("romeo@example.org");
    nowhere.addresses = {{"10.0.0.1", 1}};
    EXPECT_TRUE(side.outcome(nowhere).starts_with("connection_refused: ")) << side.outcome(nowhere);
    EXPECT_TRUE(side.recorder.events.empty()) << "none of them was online";
}

TEST(BotsClient, trusts_no_certificate_that_nobody_signed) {
    ServerHarness harness;
    harness.add_user("romeo@example.org");
    ClientSide side(harness, *reactor::TlsClientContext::create({}));
    const std::string outcome = side.outcome(side.options("romeo@example.org"));
    EXPECT_TRUE(outcome.starts_with("tls_failed: ")) << outcome;
    EXPECT_TRUE(outcome.contains("certificate")) << outcome;
}

TEST(BotsClient, cannot_do_without_a_tls_context) {
    ServerHarness harness;
    ClientSide side(harness, nullptr);
    EXPECT_EQ(side.outcome(side.options("romeo@example.org")),
              "unsupported: no TLS context to connect with");
}

TEST(BotsClient, tries_addresses_in_order) {
    ServerHarness harness;
    harness.add_user("romeo@example.org");
    ClientSide side(harness);
    ClientOptions with = side.options("romeo@example.org");
    with.addresses = {{"10.0.0.1", 1}, {"10.0.0.1", 2}, harness.starttls_endpoint()};
    EXPECT_EQ(side.outcome(with), "SCRAM-SHA-512-PLUS");
}

TEST(BotsClient, finds_its_server_by_srv_records) {
    ServerHarness harness;
    harness.add_user("romeo@example.org");
    ClientSide side(harness, trusting_all(), true);
    side.dns.add_address("dead.example.org", "10.0.0.77");
    side.dns.add_address("xmpp.example.org", "10.0.0.1");
    side.dns.add_srv("_xmpp-client._tcp.example.org", {1, 1, 5222, "dead.example.org"});
    side.dns.add_srv("_xmpps-client._tcp.example.org", {2, 1, 5223, "xmpp.example.org"});
    ClientOptions with = side.options("romeo@example.org");
    with.addresses.clear();
    EXPECT_EQ(side.outcome(with), "SCRAM-SHA-512-PLUS");
    EXPECT_EQ(side.clients.back()->tls_info().alpn, "xmpp-client") << "the second target";
    with.addresses = {{"xmpp.example.org", 5222}};
    EXPECT_EQ(side.outcome(with), "SCRAM-SHA-512-PLUS");
    with.addresses = {{"no.example.org", 5222}};
    EXPECT_TRUE(side.outcome(with).starts_with("not_found: "));
    with.addresses.clear();
    with.security = ClientSecurity::none;
    EXPECT_TRUE(side.outcome(with).starts_with("connection_refused: "))
        << "without TLS only the first counts: " << side.outcome(with);
}

TEST(BotsClient, needs_a_resolver_for_names) {
    ServerHarness harness;
    ClientSide side(harness);
    ClientOptions with = side.options("romeo@example.org");
    with.addresses.clear();
    EXPECT_EQ(side.outcome(with),
              "invalid_argument: no address is given for example.org, and no resolver");
    with.addresses = {{"xmpp.example.org", 5222}};
    EXPECT_EQ(side.outcome(with),
              "invalid_argument: no resolver for the address of xmpp.example.org");
}

TEST(BotsClient, talks) {
    ServerHarness harness;
    harness.add_user("romeo@example.org");
    harness.add_user("juliet@example.org");
    ClientSide side(harness);
    Recorder of_juliet;
    Client& romeo = side.online("romeo@example.org/orchard", side.recorder);
    Client& juliet = side.online("juliet@example.org/balcony", of_juliet);
    harness.stage().on([&] {
        romeo.send_presence();
        juliet.send_presence("away", "sleeping");
    });
    harness.advance(1s);
    harness.stage().on([&] {
        romeo.send_message(juliet.jid(), "Neither, fair saint");
        juliet.send_message(romeo.jid(), "What man art thou?");
    });
    harness.advance(1s);
    EXPECT_EQ(of_juliet.events,
              (std::vector<std::string>{"online", "presence juliet@example.org/balcony",
                                        "message Neither, fair saint"}));
    EXPECT_EQ(side.recorder.events,
              (std::vector<std::string>{"online", "presence romeo@example.org/orchard",
                                        "message What man art thou?"}));
    auto fetching = harness.stage().on([&] { return romeo.fetch_roster(); });
    const auto roster = harness.wait(std::move(fetching));
    ASSERT_TRUE(roster) << roster.error().message();
    EXPECT_TRUE(roster->empty());
    xmpp::Stanza ping = xmpp::Stanza::iq(xmpp::IqType::get, {});
    ping.set_to(juliet.jid()).edit().add_child("ping", "urn:xmpp:ping");
    auto pinging = harness.stage().on([&] { return romeo.request(ping); });
    const auto pong = harness.wait(std::move(pinging));
    ASSERT_TRUE(pong) << pong.error().message();
    EXPECT_EQ(pong->from(), juliet.jid());
}

TEST(BotsClient, comes_back_after_a_restart_of_the_server) {
    ServerHarness harness;
    harness.add_user("romeo@example.org");
    ClientSide side(harness);
    Client& romeo = side.client(side.options("romeo@example.org/orchard"), side.recorder);
    auto staying = harness.stage().on([&] { return romeo.stay_online(); });
    ASSERT_TRUE(harness.sim().run_until([&] { return romeo.online(); }, 1min));
    harness.restart();
    ASSERT_TRUE(harness.sim().run_until([&] { return side.recorder.events.size() == 3; }, 1min));
    EXPECT_EQ(side.recorder.events.front(), "online");
    // No stream error: it would end the session (XEP-0198 §5).
    EXPECT_EQ(side.recorder.events[1], "offline connection_lost: the server closed the connection");
    EXPECT_EQ(side.recorder.events.back(), "resumed");
    harness.set_password("romeo@example.org", "changed");
    harness.kick("romeo@example.org");
    const auto stayed = harness.wait(std::move(staying));
    ASSERT_FALSE(stayed);
    EXPECT_EQ(stayed.error().code(), Errc::permission_denied) << stayed.error().message();
}

TEST(BotsClient, resumes_tls_after_a_restart_of_the_server) {
    for (const bool tickets : {true, false}) {
        ServerHarness harness;
        harness.add_user("romeo@example.org");
        ClientSide side(harness);
        ClientOptions options = side.options("romeo@example.org/orchard");
        options.tls_tickets = tickets;
        Client& romeo = side.client(options, side.recorder);
        ASSERT_TRUE(side.connect(romeo));
        EXPECT_FALSE(romeo.tls_info().resumed);
        harness.restart();
        ASSERT_TRUE(harness.sim().run_until([&] { return !romeo.online(); }, 1min));
        ASSERT_TRUE(side.connect(romeo));
        EXPECT_EQ(side.recorder.events.back(), "resumed");
        EXPECT_EQ(romeo.tls_info().resumed, tickets);
        EXPECT_EQ(romeo.mechanism(), "SCRAM-SHA-512-PLUS") << "bound to the resumed channel";
    }
}

TEST(BotsClient, hears_why_a_server_stops_that_it_cannot_resume_with) {
    ServerHarness harness;
    harness.add_user("romeo@example.org");
    ClientSide side(harness);
    ClientOptions options = side.options("romeo@example.org/orchard");
    options.stream_management = false;
    Client& romeo = side.client(options, side.recorder);
    auto staying = harness.stage().on([&] { return romeo.stay_online(); });
    ASSERT_TRUE(harness.sim().run_until([&] { return romeo.online(); }, 1min));
    harness.restart();
    ASSERT_TRUE(harness.sim().run_until([&] { return side.recorder.events.size() == 3; }, 1min));
    EXPECT_TRUE(side.recorder.events[1].contains("system-shutdown")) << side.recorder.events[1];
    EXPECT_EQ(side.recorder.events.back(), "online");
}

TEST(BotsClient, leaves_a_server_with_goodbye) {
    ServerHarness harness;
    harness.add_user("romeo@example.org");
    ClientSide side(harness);
    Client& romeo = side.online("romeo@example.org/orchard", side.recorder);
    auto leaving = harness.stage().on([&] { return romeo.disconnect(); });
    EXPECT_TRUE(harness.wait(std::move(leaving)));
    EXPECT_EQ(side.recorder.events.back(), "offline connection_done: disconnected");
    EXPECT_TRUE(side.connect(romeo)) << "and comes back";
}

TEST(BotsClient, may_be_given_up_at_every_moment) {
    ServerHarness harness;
    harness.add_user("romeo@example.org");
    ClientSide side(harness);
    for (base::Duration after = 0ms; after < 100ms; after += 1ms) {
        Client& romeo = side.client(side.options("romeo@example.org"), side.recorder);
        auto connecting = harness.stage().on([&] { return romeo.connect(); });
        harness.advance(after);
        if (after % 2ms == 0ms) {
            harness.stage().on([&] { connecting = Errc::cancelled; });
        } else {
            harness.stage().on([&] { side.clients.clear(); });
            ASSERT_TRUE(connecting.settled());
            (void)connecting.take();
        }
    }
    EXPECT_FALSE(side.recorder.events.empty()) << "some were quick enough";
}

}  // namespace
}  // namespace bots
