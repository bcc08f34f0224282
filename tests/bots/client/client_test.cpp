// The client against the whole server on virtual time.
#include "tests/bots/client/client.h"

#include "tests/bots/client/client_shared.h"
#include "tests/support/server_harness.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace bots {
namespace {

using server::test::ServerHarness;

class Recorder final : public ClientObserver {
public:
    void on_online(Client&, bool resumed) override {
        ++online;
        if (resumed) ++resumptions;
    }
    void on_offline(Client&, const base::Failure& why) override { offline.push_back(why); }
    void on_message(Client&, xmpp::Stanza message) override {
        bodies.push_back(message.body_text());
    }

    int online = 0;
    int resumptions = 0;
    std::vector<base::Failure> offline;
    std::vector<std::string> bodies;
};

class BotsClient : public testing::Test {
protected:
    ClientOptions options(std::string_view jid) {
        ClientOptions options;
        options.jid = *xmpp::Jid::parse(jid);
        options.password = ServerHarness::kPassword;
        options.addresses = {harness.starttls_endpoint()};
        return options;
    }
    Client& client(ClientOptions with) {
        return *clients.emplace_back(std::make_unique<Client>(shared, std::move(with), recorder));
    }

    ServerHarness harness;
    std::unique_ptr<reactor::Network> network = harness.stage().network("10.0.2.1");
    reactor::World& stage_world = harness.stage().world();
    reactor::World world{.clock = stage_world.clock,
                         .reactor = stage_world.reactor,
                         .network = *network,
                         .entropy = stage_world.entropy,
                         .blocking = stage_world.blocking,
                         .shards = stage_world.shards,
                         .log = stage_world.log};
    ClientShared shared{
        {.world = world,
         .tls = *reactor::TlsClientContext::create({.verify = reactor::TlsVerify::none})}};
    Recorder recorder;
    std::vector<std::unique_ptr<Client>> clients;
};

TEST_F(BotsClient, logs_in_and_talks) {
    harness.add_user("romeo@example.org");
    Client& romeo = client(options("romeo@example.org/orchard"));
    auto connected = harness.stage().on([&] { return romeo.connect(); });
    const auto result = harness.wait(std::move(connected));
    ASSERT_TRUE(result) << result.error().message();
    EXPECT_EQ(romeo.jid().text(), "romeo@example.org/orchard");
    EXPECT_EQ(romeo.mechanism(), "SCRAM-SHA-512-PLUS");
}

}  // namespace
}  // namespace bots
