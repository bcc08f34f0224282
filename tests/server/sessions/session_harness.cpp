#include "tests/server/sessions/session_harness.h"

#include "reactor/tls_certificate.h"
#include "storage/tables/catalog.h"
#include "storage/tables/users.h"
#include "xmpp/sasl/scram_keys.h"

#include <array>
#include <utility>

namespace server::test {
namespace {

constexpr base::WallTime kCertificateTime{1'735'689'600'000'000};
constexpr std::uint32_t kIterations = 4096;

const reactor::TlsIdentity& identity() {
    static const reactor::TlsIdentity made = [] {
        const std::array<std::string, 2> names{"example.org", "example.net"};
        return reactor::generate_self_signed(names, kCertificateTime, 20'000).value();
    }();
    return made;
}

const storage::ScramKeySet& keys() {
    static const storage::ScramKeySet made = [] {
        storage::ScramKeySet set;
        for (const xmpp::sasl::ScramHash hash : xmpp::sasl::kScramHashes) {
            const auto derived =
                xmpp::sasl::derive_keys(hash, kPassword, "sixteen bytes...", kIterations).value();
            set[static_cast<std::size_t>(hash)] = {derived.salt, derived.iterations,
                                                   derived.stored_key, derived.server_key};
        }
        return set;
    }();
    return made;
}

reactor::SimOptions options_for(reactor::ShardId shards) {
    reactor::SimOptions options;
    options.shards = shards;
    return options;
}

}  // namespace

SessionHarness::Shard::Shard(reactor::World& world, const Hosts& hosts, storage::Database& database,
                             const Config& config, ClientTls tls, BeforeLogin* before_login)
    : accounts(world, database, {}),
      offline({world, accounts, database, ids, metrics}, config),
      router({world, hosts, accounts, hooks, iq, metrics, database, offline, ids}) {
    router.set_presence(
        std::make_unique<Presence>(Presence::Parts{world, accounts, router, hooks, database}));
    clients = std::make_unique<ClientService>(
        ClientService::Parts{world, hosts, router, accounts, database, metrics, "0123456789abcdef",
                             before_login},
        config, std::move(tls));
}

SessionHarness::SessionHarness(Config config, reactor::ShardId shards, BeforeLogin* before_login)
    : sim(options_for(shards),
          [this](reactor::World& world) { return reactor::make_sim_network(world, internet); }) {
    sim.add_node(1);
    tls_options.identity = identity();
    database_ = sim.on(sim.world(), [&] {
        return storage::make_inline_database({.path = ":memory:",
                                              .stores = storage::all_stores(),
                                              .now = sim.clock().wall(),
                                              .faults = &faults})
            .value();
    });
    config = config.with(keys::kListenAddresses, {"10.0.0.1"});
    for (reactor::ShardId id = 0; id < shards; ++id)
        sim.on(sim.world(id), [&] {
            shards_.push_back(std::make_unique<Shard>(sim.world(id), hosts_, *database_, config,
                                                      make_tls(config), before_login));
        });
    std::vector<Router*> routers;
    std::vector<ClientService*> services;
    for (const auto& shard : shards_) {
        routers.push_back(&shard->router);
        services.push_back(shard->clients.get());
    }
    for (reactor::ShardId id = 0; id < shards; ++id)
        sim.on(sim.world(id), [&] {
            shards_[id]->router.connect(routers);
            shards_[id]->clients->connect(services);
            shards_[id]->clients->listen().value();
        });
    add_user("romeo@example.org");
    add_user("juliet@example.org");
}

SessionHarness::~SessionHarness() {
    clients_.clear();
    sim.advance(std::chrono::seconds(1));
    for (reactor::ShardId id = 0; id < shards_.size(); ++id)
        sim.on(sim.world(id), [&] { shards_[id].reset(); });
    sim.run_ready();
    sim.on(sim.world(), [&] { database_.reset(); });
}

ClientTls SessionHarness::make_tls(const Config& config) const {
    return make_client_tls(tls_options, config).value();
}

void SessionHarness::add_user(std::string_view bare, bool enabled) {
    const xmpp::Jid account = xmpp::Jid::parse(bare).value();
    auto done = sim.on(sim.world(), [&] {
        return database_->write([account, enabled, now = sim.clock().wall()](
                                    storage::Transaction& transaction) -> base::Result<void> {
            storage::Users users(transaction);
            if (auto made = users.create(account, keys(), now); !made) return made;
            return users.set_enabled(account, enabled);
        });
    });
    if (!sim.run_until([&] { return done.settled(); }, std::chrono::seconds(10)))
        throw ScriptFailure("the user is not stored in time");
    done.take().value();
}

ScriptedClient& SessionHarness::client(std::string address) {
    clients_.push_back(
        std::make_unique<ScriptedClient>(sim, sim.world(0, 1), internet, std::move(address)));
    return *clients_.back();
}

ScriptedClient& SessionHarness::connected(std::string address) {
    ScriptedClient& made = client(std::move(address));
    made.connect({"10.0.0.1", kPort});
    return made;
}

ScriptedClient& SessionHarness::connected_by_tls(std::vector<std::string> alpn) {
    ScriptedClient& made = client();
    made.connect({"10.0.0.1", kTlsPort});
    made.start_tls("example.org", std::move(alpn));
    return made;
}

ScriptedClient& SessionHarness::online(std::string_view username, std::string_view resource) {
    ScriptedClient& made = connected();
    made.become(username, kPassword, resource);
    return made;
}

std::int64_t SessionHarness::metric(std::string_view name, std::string_view label) const {
    std::int64_t sum = 0;
    bool found = false;
    for (const auto& shard : shards_)
        for (const MetricSample& sample : shard->metrics.snapshot())
            if (sample.name == name &&
                (label.empty() || (!sample.labels.empty() && sample.labels[0].second == label))) {
                sum += sample.value;
                found = true;
            }
    if (!found) throw ScriptFailure("no such metric: " + std::string(name));
    return sum;
}

std::size_t SessionHarness::connections() const {
    std::size_t count = 0;
    for (const auto& shard : shards_)
        count += shard->clients->connection_count();
    return count;
}

std::size_t SessionHarness::sessions() const {
    std::size_t count = 0;
    for (const auto& shard : shards_)
        count += shard->clients->session_count();
    return count;
}

}  // namespace server::test
