#include "tests/bots/run/preparation.h"

#include "reactor/real_world.h"
#include "tests/bots/run/descriptors.h"
#include "tests/bots/workload/common_keys.h"

#include <fmt/format.h>
#include <algorithm>
#include <thread>

namespace bots {
namespace {

/// Salting a password for SCRAM is the dearest thing that a bot does; the server's share is the
/// same with every hash.
constexpr std::string_view kCheapMechanism = "SCRAM-SHA-1";

base::Result<std::string> password_of(const RunOptions& options, const Target& target) {
    if (!options.password.empty()) return options.password;
    if (target.on_this_machine) return std::string(kLocalPassword);
    return base::fail(base::Errc::invalid_argument,
                      "give the accounts' password with --password: on a server that others reach "
                      "a well-known one is an open door");
}

base::Result<std::shared_ptr<const reactor::TlsClientContext>> tls_of(const RunOptions& options,
                                                                      const Target& target,
                                                                      Preparation& made) {
    std::shared_ptr<const reactor::TlsClientContext> none;
    if (options.security == ClientSecurity::none) return none;
    reactor::TlsClientOptions tls;
    tls.ca_file = options.ca_file;
    if (options.insecure) tls.verify = reactor::TlsVerify::none;
    if (options.ca_file.empty() && !options.insecure && target.on_this_machine) {
        tls.verify = reactor::TlsVerify::none;
        made.notes.push_back(
            "The server is on this machine: its certificate is taken as it is (--ca FILE checks "
            "it).");
    }
    if (options.security == ClientSecurity::direct_tls) tls.alpn = {"xmpp-client"};
    auto context = reactor::TlsClientContext::create(tls);
    if (!context) return std::unexpected(context.error().with("--ca"));
    return *std::move(context);
}

std::uint32_t cores_for(const RunOptions& options, BotNumber users) {
    std::uint32_t cores = options.cores;
    if (cores == 0) cores = std::max(std::thread::hardware_concurrency(), 1U);
    return std::clamp(cores, 1U, (users + 1) / 2);  // A pair lives on one of them.
}

BotNumber number_or(const Settings& settings, const server::IntegerKey& key, BotNumber standard) {
    return settings.has(key.name) ? static_cast<BotNumber>(settings.get(key)) : standard;
}

std::uint32_t random_run_id() {
    reactor::RealEntropy entropy;
    return static_cast<std::uint32_t>(entropy.jitter() >> 32);
}

}  // namespace

base::Result<Preparation> prepare_run(const RunOptions& options, Settings settings) {
    Preparation made;
    made.target = TRY(find_target(options.server, options.domain, options.security));
    const BotNumber users = number_or(settings, keys::kUsers, 1);
    std::string password = TRY(password_of(options, made.target));
    auto names = TRY(NamePattern::create(options.user_pattern, made.target.domain));
    auto plan = std::make_unique<Plan>(std::move(settings), std::move(names));
    plan->password = std::move(password);
    plan->users = users;
    plan->run_id = random_run_id();
    plan->seed = options.seed;
    plan->server_name = made.target.name;
    plan->addresses = made.target.addresses;
    plan->sources = TRY(source_addresses(made.target, users, plan->connections_per_source));
    if (!plan->sources.empty())
        std::erase_if(plan->addresses, [](const reactor::Endpoint& each) {
            return !each.address.starts_with("127.");
        });
    plan->security = options.security;
    plan->tls = TRY(tls_of(options, made.target, made));
    plan->mechanism = options.mechanism.empty() ? kCheapMechanism : options.mechanism;
    plan->stream_management = options.stream_management;
    plan->tls_tickets = options.tls_tickets;
    plan->logins_at_once = number_or(plan->settings, keys::kLoginsAtOnce, 50);
    plan->logins_per_s = number_or(plan->settings, keys::kRamp, 0);
    if (plan->settings.has(keys::kDrain.name)) plan->drain = plan->settings.get(keys::kDrain);
    plan->make_alarm = make_exact_alarm;
    TRY(reserve_descriptors(users));
    made.cores = cores_for(options, users);
    made.plan = std::move(plan);
    return made;
}

}  // namespace bots
