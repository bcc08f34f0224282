// A server with real sessions on a simulated network: everything below the modules, on simulated
// shards, an in-memory database and virtual time, with ScriptedClients on other machines.
#pragma once

#include "server/accounts/accounts.h"
#include "server/config/config.h"
#include "server/config/core_keys.h"
#include "server/observe/metrics.h"
#include "server/routing/presence.h"
#include "server/routing/archive_id.h"
#include "server/routing/offline_queue.h"
#include "server/routing/router.h"
#include "server/sessions/client_service.h"
#include "storage/database.h"
#include "storage/faults.h"
#include "tests/support/scripted_client.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace server::test {

inline constexpr std::string_view kPassword = "correct horse";

class SessionHarness {
public:
    /// Users romeo and juliet of example.org exist, with kPassword; example.net is served as well.
    explicit SessionHarness(Config config = {}, reactor::ShardId shards = 1,
                            BeforeLogin* before_login = nullptr);
    ~SessionHarness();

    void add_user(std::string_view bare, bool enabled = true);
    /// A client that is not connected.
    ScriptedClient& client(std::string address = "10.0.1.1");
    ScriptedClient& connected(std::string address = "10.0.1.1");
    /// Connected to the port that begins with TLS.
    ScriptedClient& connected_by_tls(std::vector<std::string> alpn = {"xmpp-client"});
    /// Logged in and bound.
    ScriptedClient& online(std::string_view username, std::string_view resource = {});

    void advance(base::Duration step) { sim.advance(step); }
    template <class Function>
    auto on_shard(reactor::ShardId id, Function function) {
        return sim.on(sim.world(id), std::move(function));
    }
    /// The value of a metric over all shards; `label`: the value of its label, if it has one.
    std::int64_t metric(std::string_view name, std::string_view label = {}) const;
    std::size_t connections() const;
    std::size_t sessions() const;
    ClientService& service(reactor::ShardId id = 0) { return *shards_[id]->clients; }
    Router& router(reactor::ShardId id = 0) { return shards_[id]->router; }
    Accounts& accounts(reactor::ShardId id = 0) { return shards_[id]->accounts; }
    Hooks& hooks(reactor::ShardId id = 0) { return shards_[id]->hooks; }
    reactor::ShardId shard_count() const { return static_cast<reactor::ShardId>(shards_.size()); }
    storage::Database& database() { return *database_; }
    ClientTls make_tls(const Config& config) const;

    static constexpr std::uint16_t kPort = 5222;
    static constexpr std::uint16_t kTlsPort = 5223;

    storage::Faults faults;
    reactor::TlsServerOptions tls_options;
    reactor::SimInternet internet;
    reactor::SimWorld sim;

private:
    struct Shard {
        Shard(reactor::World& world, const Hosts& hosts, storage::Database& database,
              const Config& config, ClientTls tls, BeforeLogin* before_login);
        Accounts accounts;
        Hooks hooks;
        IqRoutes iq;
        Metrics metrics;
        ArchiveIds ids{"0123456789abcdef"};
        OfflineQueue offline;
        Router router;
        std::unique_ptr<ClientService> clients;
    };

    Hosts hosts_{{"capulet.example", "example.net", "example.org"}};
    std::unique_ptr<storage::Database> database_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<std::unique_ptr<ScriptedClient>> clients_;
};

}  // namespace server::test
