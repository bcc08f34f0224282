// The client with a certificate (SASL EXTERNAL, XEP-0178), against real sessions.
#include "server/config/core_keys.h"
#include "tests/bots/client/client_shared.h"
#include "tests/bots/client/fake_server.h"
#include "tests/reactor/test_certificates.h"
#include "tests/server/sessions/session_harness.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <fstream>

namespace bots {
namespace {

using namespace std::chrono_literals;
using server::test::SessionHarness;

TEST(BotsExternal, logs_in_by_certificate) {
    SessionHarness harness;
    const ::test::TemporaryFolder folder;
    const std::string authority = folder.file("authority.pem");
    std::ofstream(authority) << reactor::test::kAuthorityPem;
    harness.tls_options.client_ca_file = authority;
    const auto config =
        server::Config().with(server::keys::kSaslMechanisms, {"EXTERNAL", "SCRAM-SHA-256"});
    harness.on_shard(0, [&] { harness.service().reload(config, harness.make_tls(config)); });
    harness.add_user("juliet@capulet.example");

    const std::size_t node = harness.sim.add_node(1, [&](reactor::World& made) {
        return reactor::make_sim_network(made, harness.internet, "10.0.2.1");
    });
    reactor::World& world = harness.sim.world(0, node);
    reactor::TlsClientOptions tls;
    tls.verify = reactor::TlsVerify::none;
    tls.identity = reactor::TlsIdentity{std::string(reactor::test::kClientPem),
                                        std::string(reactor::test::kClientKeyPem)};
    ClientShared shared(
        {.world = world, .resolver = nullptr, .tls = *reactor::TlsClientContext::create(tls)});
    ClientOptions options;
    options.jid = *xmpp::Jid::parse("juliet@capulet.example/balcony");
    options.addresses = {{"10.0.0.1", SessionHarness::kPort}};
    options.certificate = true;
    test::Recorder recorder;
    auto juliet = std::make_unique<Client>(shared, options, recorder);
    auto connecting = harness.sim.on(world, [&] { return juliet->connect(); });
    ASSERT_TRUE(harness.sim.run_until([&] { return connecting.settled(); }, 1min));
    const auto connected = connecting.take();
    ASSERT_TRUE(connected) << connected.error().message();
    EXPECT_EQ(juliet->mechanism(), "EXTERNAL");
    EXPECT_EQ(juliet->jid().text(), "juliet@capulet.example/balcony");
    harness.sim.on(world, [&] { juliet.reset(); });
    harness.sim.run_ready();
}

}  // namespace
}  // namespace bots
