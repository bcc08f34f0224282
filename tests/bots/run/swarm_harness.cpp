#include "tests/bots/run/swarm_harness.h"

#include "reactor/sim/sim_network.h"
#include "server/config/core_keys.h"
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/common_keys.h"

#include <chrono>

namespace bots::test {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Plan> make_plan(std::string_view workload, SwarmHarness::Values values,
                                const reactor::Endpoint& server) {
    Settings settings(*find_workload(workload));
    for (const auto& [key, value] : values)
        settings.set(key, value).value();
    auto names = NamePattern::create("bot{n}", "example.org").value();
    auto plan = std::make_unique<Plan>(std::move(settings), std::move(names));
    plan->password = server::test::ServerHarness::kPassword;
    plan->users = static_cast<BotNumber>(plan->settings.get(keys::kUsers));
    plan->run_id = 7;
    plan->server_name = "10.0.0.1:5222";
    plan->addresses = {server};
    reactor::TlsClientOptions tls;
    tls.verify = reactor::TlsVerify::none;
    plan->tls = reactor::TlsClientContext::create(tls).value();
    plan->mechanism = "SCRAM-SHA-1";
    plan->logins_at_once = static_cast<BotNumber>(plan->settings.get(keys::kLoginsAtOnce));
    plan->logins_per_s = static_cast<BotNumber>(plan->settings.get(keys::kRamp));
    if (plan->settings.has(keys::kDrain.name)) plan->drain = plan->settings.get(keys::kDrain);
    return plan;
}

/// All bots come from one address.
server::test::HarnessOptions for_a_swarm(server::test::HarnessOptions options) {
    options.config = options.config
                         .with(server::keys::kLoginsPerAddressPerMinute,
                               server::keys::kLoginsPerAddressPerMinute.max)
                         .with(server::keys::kConnectionsPerAddressMax,
                               server::keys::kConnectionsPerAddressMax.max);
    return options;
}

}  // namespace

SwarmHarness::SwarmHarness(std::string_view workload, Values values,
                           server::test::HarnessOptions options, reactor::ShardId shards)
    : server(for_a_swarm(std::move(options))),
      plan(make_plan(workload, values, server.starttls_endpoint())),
      node_(server.sim().add_node(shards, [this](reactor::World& made) {
          return reactor::make_sim_network(made, server.internet(), "10.0.2.1");
      })) {}

SwarmHarness::~SwarmHarness() = default;

void SwarmHarness::make_accounts() {
    for (BotNumber bot = 0; bot < plan->users; ++bot)
        server.add_user(plan->names.bare(bot).text());
}

void SwarmHarness::during_run(base::Duration after, std::function<void()> call) {
    server.sim().at(server.sim().now() + after, [call = std::move(call)] { call(); });
}

RunResult SwarmHarness::run() {
    Conductor made({.shards = server.sim().shards(node_),
                    .plan = *plan,
                    .server = std::nullopt,
                    .show = {},
                    .own_usage = [](UsageDetail) { return ProcessUsage(); }});
    conductor = &made;
    auto running = on_bots([&] { return made.run(RunResult()); });
    if (!server.sim().run_until([&] { return running.settled(); }, 1h))
        throw std::runtime_error("the run does not end within an hour");
    conductor = nullptr;
    auto result = on_bots([&] { return running.take(); });
    return *std::move(result);
}

}  // namespace bots::test
