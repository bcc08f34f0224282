// ServerHarness: the whole server, as parleyd builds it, on simulated shards, network and time,
// with a database in memory or on a simulated disk that fails on request. Only what is of the
// process is missing: files, signals, the admin socket.
#pragma once

#include "server/app/server_group.h"
#include "server/config/config.h"
#include "server/config/registry.h"
#include "storage/database.h"
#include "storage/faults.h"
#include "storage/sim_disk.h"
#include "tests/support/scripted_client.h"
#include "tests/support/stage.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server::test {

struct HarnessOptions {
    /// Hosts that are not set become example.org and example.net; addresses and ports are ours.
    Config config = {};
    reactor::ShardId shards = 1;
    std::uint64_t seed = 1;
    /// Where the database lies; it outlives the harness. Null: in memory, where it survives all
    /// that becomes of the server.
    storage::SimDisk* disk = nullptr;
    reactor::SimInternetOptions internet = {};  ///< Its seed is the one above.
    base::Log log = base::Log::silent();        ///< Of the server and all else in the world.
};

/// The certificate of all harnesses of the process; made on first use.
const reactor::TlsIdentity& identity();

/// The keys of the server and all its modules, as in parleyd.
const KeyRegistry& all_keys();

class ServerHarness {
public:
    static constexpr std::string_view kPassword = "correct horse";

    /// Serves when it returns. Throws ScriptFailure when the server cannot start.
    explicit ServerHarness(HarnessOptions options = {});
    ServerHarness(const ServerHarness&) = delete;
    ServerHarness& operator=(const ServerHarness&) = delete;
    ~ServerHarness();

    // --- accounts, as the operator would

    void add_user(std::string_view bare, std::string_view password = kPassword);
    void remove_user(std::string_view bare);
    void set_password(std::string_view bare, std::string_view password);
    /// How many sessions it closed.
    std::size_t kick(std::string_view jid);

    // --- clients; they live as long as the harness

    /// Not connected, at an address of its own unless one is given.
    ScriptedClient& client(std::string address = {});
    ScriptedClient& connected();
    ScriptedClient& connected_by_tls(std::vector<std::string> alpn = {"xmpp-client"});
    /// Logged in and bound; no presence sent. `full_jid` may lack the resource. The account is made
    /// if `add_user` did not.
    ScriptedClient& online(std::string_view full_jid);

    // --- the server and the world around it

    /// An orderly stop and a new start on the same database.
    void restart();
    /// The same without a word to anybody: connections break, what was not committed is lost.
    void crash();
    /// The two halves of them: an orderly stop …
    void stop();
    /// … or the death of the process alone: the system closes its connections …
    void kill();
    /// … or of the machine: connections are gone, and so is what the disk had not synced …
    void power_off();
    /// … and the new start.
    void start_again();
    bool running() const { return group_ != nullptr; }
    void advance(base::Duration step) { sim_.advance(step); }
    /// The value of a metric over all shards; `label`: of that label value only.
    std::int64_t metric(std::string_view name, std::string_view label = {});
    /// Runs until `deferred` settles; throws ScriptFailure when it does not within a minute.
    template <class T>
    base::Result<T> wait(reactor::Deferred<T> deferred) {
        require_settled([&] { return deferred.settled(); });
        return deferred.take();
    }
    /// On shard 0 of the server.
    template <class Function>
    auto on_server(Function function) {
        return sim_.on(sim_.world(0), std::move(function));
    }

    reactor::Endpoint starttls_endpoint() const { return {std::string(kAddress), kPort}; }
    reactor::Endpoint tls_endpoint() const { return {std::string(kAddress), kTlsPort}; }
    Stage& stage() { return stage_; }
    reactor::SimWorld& sim() { return sim_; }
    reactor::SimInternet& internet() { return internet_; }
    storage::Faults& faults() { return faults_; }
    storage::Database& database() { return *database_; }
    ServerGroup& group() { return *group_; }
    const Config& config() const { return config_; }

private:
    static constexpr std::string_view kAddress = "10.0.0.1";
    static constexpr std::uint16_t kPort = 5222;
    static constexpr std::uint16_t kTlsPort = 5223;

    void open_database();
    void start();
    void destroy();
    void close_database();
    void require_settled(const std::function<bool()>& settled);
    bool has_user(const xmpp::Jid& bare);

    Config config_;
    reactor::SimInternet internet_;
    reactor::SimWorld sim_;
    SimStage stage_;
    storage::SimDisk* disk_;
    storage::Faults faults_;
    Hosts hosts_;
    std::unique_ptr<storage::Database> database_;
    std::unique_ptr<ServerGroup> group_;
    std::vector<std::unique_ptr<ScriptedClient>> clients_;
};

}  // namespace server::test
