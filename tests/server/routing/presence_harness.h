// A server without sessions: accounts, routing, presence and the roster module on simulated shards,
// with clients that write down what they get. Everything happens inside `run`.
#pragma once

#include "reactor/sim/sim_world.h"
#include "server/accounts/accounts.h"
#include "server/config/config.h"
#include "server/config/hosts.h"
#include "server/modules/module.h"
#include "server/observe/metrics.h"
#include "server/routing/presence.h"
#include "server/routing/router.h"
#include "server/routing/user_service.h"
#include "storage/database.h"
#include "storage/faults.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace server::test {

using Lines = std::vector<std::string>;

/// One line that says what matters: "presence subscribe a@x > b@x", "push b@x none ask v",
/// "result r1 roster: b@x both", "error r1 bad-request modify". `from` or `to` that is absent is
/// "-".
std::string describe(const xmpp::Stanza& stanza);

class TestClient final : public SessionSink {
public:
    TestClient(xmpp::Jid full, SessionId session) : jid(std::move(full)), id(session) {}

    void deliver(xmpp::Stanza stanza) override { inbox.push_back(std::move(stanza)); }
    void deliver_stored(xmpp::Stanza stanza) override { deliver(std::move(stanza)); }
    reactor::Deferred<void> flushed() override { return reactor::ready(); }
    Place reserve() override { return {.number = ++places}; }
    void fill(std::uint64_t, xmpp::Stanza message, storage::MessageId, bool) override {
        deliver(std::move(message));
    }
    void give_up(std::uint64_t) override {}
    void placed(std::uint32_t) override {}
    void settled(std::uint32_t, bool) override {}
    void close(xmpp::StreamError) override { closed = true; }
    SessionInfo info() const override { return {}; }

    /// What came since the last time, described.
    Lines take();

    xmpp::Jid jid;
    SessionId id;
    std::vector<xmpp::Stanza> inbox;
    std::uint64_t places = 0;
    bool closed = false;
};

class TestServer {
public:
    /// Users romeo and juliet of example.org exist. `config`: defaults.
    explicit TestServer(reactor::ShardId shards = 1, Config config = {});
    ~TestServer();

    void add_user(std::string_view bare);
    void set_last_seen(std::string_view bare, base::WallTime at);
    TestClient& connect(std::string_view full);
    /// The session ended.
    void disconnect(TestClient& client);
    /// The client sends this; everything that follows happens.
    void send(TestClient& client, std::string_view xml);
    /// The same, but what follows happens with the next `run`.
    void submit(TestClient& client, std::string_view xml);
    /// Several stanzas in one go, before anything that follows of the first one happens.
    void send_together(TestClient& client, const Lines& stanzas);
    /// Connects, asks for the roster, sends initial presence, forgets what came.
    TestClient& online(std::string_view full);
    /// As if the server had been restarted: accounts are loaded anew. Nobody may be connected.
    void restart();
    /// A stanza from anywhere.
    void route(std::string_view xml);
    void run();

    Account& account(std::string_view bare);
    storage::RosterVersion version_of(std::string_view bare);
    reactor::ShardId shard_of_account(std::string_view bare) const;

    storage::Faults faults;

private:
    struct Shard;

    Shard& home_of(const xmpp::Jid& jid);
    void build();
    void tear_down();

    Config config_;
    Hosts hosts_{{"example.org"}};
    reactor::SimWorld sim_;
    std::unique_ptr<storage::Database> database_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<std::unique_ptr<TestClient>> clients_;
};

/// Makes the two contacts of each other, subscribed both ways; both stay online.
void befriend(TestServer& server, TestClient& one, TestClient& other);

}  // namespace server::test
