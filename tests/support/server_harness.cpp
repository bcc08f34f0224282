#include "tests/support/server_harness.h"

#include "reactor/sim/lost_mail.h"
#include "reactor/tls_certificate.h"
#include "server/config/core_keys.h"
#include "server/modules/catalog.h"
#include "storage/tables/catalog.h"
#include "storage/tables/users.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace server::test {
namespace {

using namespace std::chrono_literals;

// A date before every simulated run; making a certificate needs one, and there is no clock yet.
constexpr base::WallTime kCertificateTime{1'735'689'600'000'000};
constexpr unsigned kCertificateDays = 20'000;
/// As few as the configuration allows: logging in is not what tests wait for.
constexpr std::int64_t kIterations = 4096;

Config complete(Config config) {
    const bool only_default =
        config.hosts().size() == 1 && config.hosts().front().name == "localhost";
    if (only_default)
        config = config.with_hosts({{.name = "example.org", .certificate = {}, .private_key = {}},
                                    {.name = "example.net", .certificate = {}, .private_key = {}}});
    if (!config.is_set(keys::kScramIterations))
        config = config.with(keys::kScramIterations, kIterations);
    return config.with(keys::kListenAddresses, {"10.0.0.1"});
}

std::vector<std::string> names_of(const std::vector<HostConfig>& hosts) {
    std::vector<std::string> names;
    for (const HostConfig& host : hosts)
        names.push_back(host.name);
    return names;
}

reactor::SimOptions sim_options(const HarnessOptions& options) {
    reactor::SimOptions chosen;
    chosen.seed = options.seed;
    chosen.shards = options.shards;
    chosen.log = options.log;
    return chosen;
}

reactor::SimInternetOptions internet_options(const HarnessOptions& options) {
    reactor::SimInternetOptions chosen = options.internet;
    chosen.seed = options.seed;
    return chosen;
}

reactor::World& add_client_node(reactor::SimWorld& sim) {
    const std::size_t node = sim.add_node(1);
    return sim.world(0, node);
}

xmpp::Jid parse(std::string_view text) {
    auto jid = xmpp::Jid::parse(text);
    if (!jid) throw ScriptFailure("not an address: " + std::string(text));
    return *std::move(jid);
}

void require(const base::Result<void>& done, std::string_view doing) {
    if (!done) throw ScriptFailure(std::string(doing) + ": " + done.error().message());
}

}  // namespace

const reactor::TlsIdentity& identity() {
    static const reactor::TlsIdentity made = [] {
        const std::array<std::string, 2> names{"example.org", "example.net"};
        return reactor::generate_self_signed(names, kCertificateTime, kCertificateDays).value();
    }();
    return made;
}

const KeyRegistry& all_keys() {
    static const KeyRegistry registry = [] {
        KeyRegistry made;
        register_core_keys(made);
        for (const auto& module : modules::catalog())
            made.add(module.config);
        return made;
    }();
    return registry;
}

ServerHarness::ServerHarness(HarnessOptions options)
    : config_(complete(options.config)),
      internet_(internet_options(options)),
      sim_(sim_options(options),
           [this](reactor::World& world) {
               return reactor::make_sim_network(world, internet_, std::string(kAddress));
           }),
      stage_(sim_, add_client_node(sim_), internet_),
      disk_(options.disk),
      hosts_(names_of(config_.hosts())) {
    open_database();
    start();
}

ServerHarness::~ServerHarness() {
    clients_.clear();
    sim_.advance(1s);
    destroy();
    close_database();
}

void ServerHarness::open_database() {
    auto opened = on_server([this] {
        return storage::make_inline_database(
            {.path = disk_ == nullptr ? ":memory:" : "parley.db",
             .stores = storage::all_stores(),
             .now = sim_.clock().wall(),
             .sync_commits = config_.get(keys::kDurability) == Durability::full,
             .faults = &faults_,
             .disk = disk_});
    });
    if (!opened) throw ScriptFailure("the database does not open: " + opened.error().message());
    database_ = *std::move(opened);
}

// What it still answers finds nobody who asked.
void ServerHarness::close_database() {
    on_server([this] { database_.reset(); });
    sim_.run_ready();
}

void ServerHarness::start() {
    reactor::TlsServerOptions options;
    options.identity = identity();
    group_ = std::make_unique<ServerGroup>(ServerGroup::Parts{sim_.shards(), *database_, hosts_});
    auto secrets = wait(on_server([&] { return group_->ticket_secrets(); }));
    if (secrets) options.ticket_secrets = *std::move(secrets);
    auto tls = make_client_tls(std::move(options), config_);
    if (!tls) throw ScriptFailure("TLS: " + tls.error().message());
    auto starting = on_server([&] { return group_->start(config_, *std::move(tls)); });
    require(wait(std::move(starting)), "the server does not start");
}

void ServerHarness::destroy() {
    if (group_ == nullptr) return;
    for (reactor::ShardId id = 0; id < sim_.shards().count(); ++id)
        sim_.on(sim_.world(id), [&] { group_->destroy(id); });
    reactor::LostMail lost = reactor::lose_mail(sim_.shards());
    sim_.run_ready();
    on_server([&] {
        group_.reset();
        lost.clear();
    });
}

void ServerHarness::restart() {
    stop();
    start_again();
}

void ServerHarness::crash() {
    kill();
    start_again();
}

void ServerHarness::stop() {
    auto stopping =
        on_server([this] { return group_->shut_down(config_.get(keys::kShutdownGrace)); });
    require(wait(std::move(stopping)), "the server does not stop");
    destroy();
    if (disk_ != nullptr) close_database();
}

void ServerHarness::kill() {
    if (disk_ != nullptr) disk_->kill_process();
    destroy();
    if (disk_ != nullptr) close_database();
}

void ServerHarness::power_off() {
    internet_.cut(kAddress);
    if (disk_ != nullptr) disk_->power_off();
    destroy();
    if (disk_ != nullptr) close_database();
}

void ServerHarness::start_again() {
    if (disk_ != nullptr) {
        disk_->power_on();
        if (database_ == nullptr) open_database();
    }
    start();
}

void ServerHarness::require_settled(const std::function<bool()>& settled) {
    if (!sim_.run_until(settled, 1min)) throw ScriptFailure("not done within a minute");
}

void ServerHarness::add_user(std::string_view bare, std::string_view password) {
    auto done = on_server(
        [&] { return group_->first().users().create(parse(bare), std::string(password)); });
    require(wait(std::move(done)), "cannot make the account");
}

void ServerHarness::remove_user(std::string_view bare) {
    auto done = on_server([&] { return group_->first().users().remove(parse(bare)); });
    require(wait(std::move(done)), "cannot remove the account");
}

void ServerHarness::set_password(std::string_view bare, std::string_view password) {
    auto done = on_server(
        [&] { return group_->first().users().set_password(parse(bare), std::string(password)); });
    require(wait(std::move(done)), "cannot set the password");
}

std::size_t ServerHarness::kick(std::string_view jid) {
    auto gathering = on_server([&] {
        return group_->gather([target = parse(jid)](ShardServer& server) {
            return server.clients().kick(
                target, xmpp::StreamError(xmpp::StreamCondition::policy_violation));
        });
    });
    auto counts = wait(std::move(gathering));
    if (!counts) throw ScriptFailure("cannot kick: " + counts.error().message());
    std::size_t all = 0;
    for (const std::size_t count : *counts)
        all += count;
    return all;
}

bool ServerHarness::has_user(const xmpp::Jid& bare) {
    auto reading = on_server([&] {
        return database_->read([bare](storage::Transaction& transaction) {
            return storage::Users(transaction).exists(bare);
        });
    });
    auto found = wait(std::move(reading));
    return found && *found;
}

ScriptedClient& ServerHarness::client(std::string address) {
    if (address.empty()) address = "10.0.1." + std::to_string(clients_.size() + 1);
    clients_.push_back(std::make_unique<ScriptedClient>(stage_, std::move(address)));
    return *clients_.back();
}

ScriptedClient& ServerHarness::connected() {
    ScriptedClient& made = client();
    made.connect(starttls_endpoint());
    return made;
}

ScriptedClient& ServerHarness::connected_by_tls(std::vector<std::string> alpn) {
    ScriptedClient& made = client();
    made.connect(tls_endpoint());
    made.start_tls("example.org", std::move(alpn));
    return made;
}

ScriptedClient& ServerHarness::online(std::string_view full_jid) {
    const xmpp::Jid jid = parse(full_jid);
    if (!has_user(jid.bare())) add_user(jid.bare().text());
    ScriptedClient& made = connected();
    made.secure(jid.domain());
    made.log_in_and_bind(jid.local(), kPassword, jid.resource(), jid.domain());
    return made;
}

std::int64_t ServerHarness::metric(std::string_view name, std::string_view label) {
    auto gathering = on_server([this] {
        return group_->gather([](ShardServer& server) { return server.metrics().snapshot(); });
    });
    auto snapshots = wait(std::move(gathering));
    std::int64_t sum = 0;
    bool found = false;
    for (const MetricsSnapshot& snapshot : snapshots.value())
        for (const MetricSample& sample : snapshot) {
            const bool labelled = !sample.labels.empty() && sample.labels.front().second == label;
            if (sample.name != name || (!label.empty() && !labelled)) continue;
            sum += sample.value;
            found = true;
        }
    if (!found) throw ScriptFailure("no such metric: " + std::string(name));
    return sum;
}

}  // namespace server::test
