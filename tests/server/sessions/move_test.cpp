// A client that logs in away from its account's shard, while the way there is full.
#include "server/sessions/client_session.h"
#include "tests/server/sessions/session_harness.h"
#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using namespace std::chrono_literals;

// Keeps one session, whose account lives elsewhere.
class FarKeeper final : public SessionKeeper {
public:
    explicit FarKeeper(int refusals) : refusals_left(refusals) {}

    void settle_later(SessionId) override {
        reactor::Reactor::current().soon([this] {
            if (session != nullptr && session->settle()) session.reset();
        });
    }
    ClientSession* find_session(SessionId) override { return nullptr; }
    reactor::Deferred<bool> may_log_in(std::optional<AddressKey>) override { return true; }
    bool lives_here(const xmpp::Jid&) const override { return false; }
    void keep_lost(LostStream, base::Duration) override {}
    void disconnected(const std::optional<AddressKey>&) override {}
    bool move(std::shared_ptr<Arrival> arrival) override {
        ++asked;
        if (refusals_left-- > 0) return false;
        account = arrival->account.text();
        arrived = std::move(arrival);
        return true;
    }

    int refusals_left;
    int asked = 0;
    std::string account;
    std::shared_ptr<Arrival> arrived;
    std::unique_ptr<ClientSession> session;
};

class Move : public testing::Test {
protected:
    void log_in(int refusals) {
        keeper = std::make_unique<FarKeeper>(refusals);
        reactor::World& world = harness.sim.world();
        listener = harness.on_shard(0, [&] {
            context = std::make_unique<ClientContext>(
                ClientService::Parts{world, hosts, harness.router(), harness.accounts(),
                                     harness.database(), metrics, "0123456789abcdef"},
                Config(), harness.make_tls(Config()), *keeper);
            return world.network
                .listen({.endpoint = {"10.0.0.1", 6000}},
                        [&](std::unique_ptr<reactor::ByteStream> connection) {
                            keeper->session = std::make_unique<ClientSession>(
                                *context, 1, std::move(connection), ClientTransport::starttls,
                                std::nullopt);
                            keeper->session->start();
                        })
                .value();
        });
        client = &harness.client();
        client->connect({"10.0.0.1", 6000});
        client->secure();
    }
    ~Move() override {
        harness.on_shard(0, [&] {
            listener.reset();
            if (keeper) {
                keeper->session.reset();
                keeper->arrived.reset();
            }
        });
    }

    SessionHarness harness;
    Hosts hosts{{"example.org"}};
    Metrics metrics;
    std::unique_ptr<FarKeeper> keeper;
    std::unique_ptr<ClientContext> context;
    std::unique_ptr<reactor::Listener> listener;
    ScriptedClient* client = nullptr;
};

TEST_F(Move, is_tried_again_until_there_is_room) {
    log_in(10);
    EXPECT_THROW(client->log_in("romeo", std::string(kPassword)), ScriptFailure);
    EXPECT_EQ(keeper->asked, 11);
    EXPECT_EQ(keeper->account, "romeo@example.org");
    ASSERT_NE(keeper->arrived, nullptr);
    EXPECT_NE(keeper->arrived->stream.tls, nullptr);
    EXPECT_EQ(keeper->session, nullptr);
    EXPECT_FALSE(client->ended());
}

TEST_F(Move, that_finds_no_room_ends_the_connection) {
    log_in(1'000'000);
    EXPECT_THROW(client->log_in("romeo", std::string(kPassword)), ScriptFailure);
    EXPECT_TRUE(client->ended());
    EXPECT_EQ(keeper->session, nullptr);
    EXPECT_EQ(keeper->arrived, nullptr);
}

}  // namespace
}  // namespace server::test
