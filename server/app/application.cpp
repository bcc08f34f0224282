#include "server/app/application.h"

#include "reactor/real_world.h"
#include "reactor/signals.h"
#include "reactor/task_set.h"
#include "reactor/tcp_network.h"
#include "server/admin/admin_socket.h"
#include "server/app/admin_service.h"
#include "server/app/files.h"
#include "server/app/identities.h"
#include "server/app/process_limits.h"
#include "server/app/room_commands.h"
#include "server/app/server_group.h"
#include "server/app/service_notify.h"
#include "server/app/ticket_secrets.h"
#include "server/app/welcome.h"
#include "server/config/core_keys.h"
#include "server/observe/log_sink.h"
#include "storage/database.h"
#include "storage/tables/catalog.h"

#include <fmt/format.h>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>

namespace server {
namespace {

LogOptions log_options(const Config& config) {
    return {.format = static_cast<LogFormat>(config.get(keys::kLogFormat)),
            .least = static_cast<base::LogLevel>(config.get(keys::kLogLevel)),
            .file = std::string(config.get(keys::kLogFile))};
}

reactor::RealShardsOptions shard_options(const Config& config) {
    const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
    const auto configured = static_cast<std::uint32_t>(config.get(keys::kShards));
    reactor::RealShardsOptions options;
    options.count = configured == 0 ? cores : configured;
    options.pool.crypto.threads = std::max(1U, cores / 2);
    return options;
}

std::vector<std::string> host_names(const Config& config) {
    std::vector<std::string> names;
    for (const HostConfig& host : config.hosts())
        names.push_back(host.name);
    return names;
}

base::Result<std::unique_ptr<storage::Database>> open_storage(const Config& config,
                                                              base::WallTime now) {
    const auto queue_max = static_cast<std::uint32_t>(config.get(keys::kStorageQueueMax));
    storage::DatabaseOptions options;
    options.path = std::string(config.get(keys::kDataDir)) + "/parley.db";
    options.stores = storage::all_stores();
    options.now = now;
    options.write_queue_max = queue_max;
    options.read_queue_max = queue_max;
    options.sync_commits = config.get(keys::kDurability) == Durability::full;
    return storage::open_database(std::move(options),
                                  static_cast<std::uint32_t>(config.get(keys::kStorageReaders)));
}

}  // namespace

struct Application::Impl {
    explicit Impl(ApplicationOptions o)
        : options(std::move(o)),
          notify(ServiceNotify::from_environment()),
          hosts(host_names(options.config)) {}

    ApplicationOptions options;
    ServiceNotify notify;
    Hosts hosts;
    reactor::RealClock clock;
    std::unique_ptr<EventLogSink> log_sink;
    std::optional<base::Log> log;
    std::unique_ptr<storage::Database> database;
    std::unique_ptr<reactor::RealShards> shards;
    std::unique_ptr<ServerGroup> group;
    // On shard 0, from its first call to its last:
    std::unique_ptr<AdminService> admin;
    std::optional<AdminCommands> commands;
    std::unique_ptr<AdminSocket> socket;
    std::unique_ptr<reactor::SignalWatch> signals;
    std::unique_ptr<reactor::TaskSet> tasks;
    base::Result<void> outcome;
    reactor::TlsServerOptions tls;  // As of the last start or reload.
    bool stopping = false;

    base::Result<void> prepare(Identities& identities);
    reactor::Deferred<void> start(Identities identities);
    base::Result<void> open_admin();
    void on_signal(int number);
    void begin_stop();
    reactor::Deferred<void> stop();
    reactor::Deferred<std::vector<ConfigChange>> reload();
    reactor::Deferred<void> renew_tickets();
    void report(const Identities& identities);
    reactor::World& world() { return shards->world(0); }
};

Application::Application(ApplicationOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}

Application::~Application() = default;

base::Result<void> Application::Impl::prepare(Identities& identities) {
    log_sink = TRY(EventLogSink::create(log_options(options.config), clock));
    log.emplace(*log_sink, base::LogLevel::debug);  // The sink filters: a reload may change it.
    TRY(prepare_folder(std::string(options.config.get(keys::kDataDir))));
    identities = TRY(load_identities(options.config, clock.wall()));
    database = TRY(open_storage(options.config, clock.wall()));
    raise_descriptor_limit(*log);
    return {};
}

base::Result<void> Application::run() {
    Impl& impl = *impl_;
    Identities identities;
    TRY(impl.prepare(identities));
    std::signal(SIGPIPE, SIG_IGN);
    impl.shards = std::make_unique<reactor::RealShards>(
        shard_options(impl.options.config), *impl.log,
        [](reactor::World& world) { return reactor::make_tcp_network(world); });
    impl.group =
        std::make_unique<ServerGroup>(ServerGroup::Parts{*impl.shards, *impl.database, impl.hosts});
    impl.shards->run(
        [&](reactor::ShardId shard) {
            if (shard != 0) return;
            impl.tasks = std::make_unique<reactor::TaskSet>(impl.world().reactor);
            impl.signals = std::make_unique<reactor::SignalWatch>(
                impl.world().reactor, std::initializer_list<int>{SIGTERM, SIGINT, SIGHUP},
                [&impl](int number) { impl.on_signal(number); });
            impl.tasks->add("start", impl.start(std::move(identities)));
        },
        [&](reactor::ShardId shard) {
            if (shard == 0) {
                impl.signals.reset();
                impl.socket.reset();
                impl.commands.reset();
                impl.admin.reset();
                impl.tasks.reset();
            }
            impl.group->destroy(shard);
        });
    impl.database->close();
    if (impl.outcome) impl.log->info("server.stopped");
    return impl.outcome;
}

reactor::Deferred<void> Application::Impl::start(Identities identities) {
    tls = std::move(identities.options);
    tls.ticket_lifetime = kTicketSecretPeriod;
    auto reading = group->ticket_secrets();
    auto secrets = co_await std::move(reading);
    base::Result<ClientTls> contexts = base::fail(base::Errc::internal);
    if (secrets) {
        tls.ticket_secrets = *std::move(secrets);
        contexts = make_client_tls(tls, options.config);
    } else {
        contexts = std::unexpected(secrets.error());
    }
    base::Result<void> started;
    if (contexts) {
        // No choice of temporaries around a co_await: g++ 12 destroys the chosen one twice.
        reactor::Deferred<void> starting = group->start(options.config, std::move(*contexts));
        started = co_await std::move(starting);
    } else {
        started = std::unexpected(contexts.error());
    }
    if (started) started = open_admin();
    if (!started) {
        outcome = std::unexpected(started.error());
        shards->stop();
        co_return {};
    }
    report(identities);
    tasks->add("renew ticket secrets", renew_tickets());
    notify.ready("serving");
    co_return {};
}

// A new secret means new contexts; what is connected keeps its own.
reactor::Deferred<void> Application::Impl::renew_tickets() {
    for (;;) {
        co_await reactor::sleep(world().reactor, kTicketSecretCheck);
        auto reading = group->ticket_secrets();
        auto secrets = co_await std::move(reading);
        if (!secrets) {
            log->error("tls.tickets_not_renewed", {{"why", secrets.error().message()}});
            continue;
        }
        if (*secrets == tls.ticket_secrets) continue;
        reactor::TlsServerOptions renewed = tls;
        renewed.ticket_secrets = *std::move(secrets);
        auto contexts = make_client_tls(renewed, options.config);
        if (!contexts) {
            log->error("tls.tickets_not_renewed", {{"why", contexts.error().message()}});
            continue;
        }
        tls = std::move(renewed);
        auto handing = group->reload(options.config, *std::move(contexts));
        static_cast<void>(co_await std::move(handing));
    }
}

base::Result<void> Application::Impl::open_admin() {
    admin = std::make_unique<AdminService>(
        *group, *database, hosts,
        AdminService::Actions{[this] { return reload(); },
                              [this] { world().reactor.soon([this] { begin_stop(); }); }});
    add_standard_commands(commands.emplace(), *admin);
    if (RoomOperations* rooms = group->first().rooms()) add_room_commands(*commands, *rooms);
    AdminSocketOptions socket_options;
    socket_options.path = admin_socket_path(options.config);
    socket = TRY(AdminSocket::listen(world(), *commands, std::move(socket_options)));
    return {};
}

void Application::Impl::report(const Identities& identities) {
    for (const std::string& warning : identities.warnings)
        log->warn("tls.certificate", {{"problem", warning}});
    log->info("server.started", {{"version", PARLEY_VERSION},
                                 {"shards", shards->count()},
                                 {"hosts", fmt::format("{}", fmt::join(hosts.names(), ","))}});
    if (options.welcome) print_welcome(options.config, options.config_path, identities.self_signed);
}

void Application::Impl::on_signal(int number) {
    if (number == SIGHUP) {
        tasks->add(
            "reload",
            reload().then([](const std::vector<ConfigChange>&) {}).rescue([](const base::Failure&) {
                return base::Result<void>();
            }));
        return;
    }
    // A second request means: now.
    if (stopping) {
        shards->stop();
    } else {
        begin_stop();
    }
}

void Application::Impl::begin_stop() {
    if (std::exchange(stopping, true)) return;
    tasks->add("stop", stop());
}

reactor::Deferred<void> Application::Impl::stop() {
    notify.stopping();
    log->info("server.stopping");
    static_cast<void>(co_await group->shut_down(options.config.get(keys::kShutdownGrace)));
    shards->stop();
    co_return {};
}

reactor::Deferred<std::vector<ConfigChange>> Application::Impl::reload() {
    notify.reloading(clock.monotonic());
    struct Loaded {
        Config config;
        Identities identities;
    };
    // Files are read in the pool. The registry does not change once the server runs.
    auto working = world().blocking.run(
        reactor::WorkClass::misc,
        [path = options.config_path, registry = options.registry,
         now = clock.wall()]() -> base::Result<Loaded> {
            Loaded fresh;
            if (!path.empty()) {
                auto config = load_config(path, *registry);
                if (!config) {
                    std::string lines;
                    for (const ConfigProblem& problem : config.error())
                        lines += (lines.empty() ? "" : "\n") + problem.to_string();
                    return base::fail(base::Errc::invalid_argument, std::move(lines));
                }
                fresh.config = std::move(*config);
            }
            fresh.identities = TRY(load_identities(fresh.config, now));
            return fresh;
        });
    base::Result<Loaded> loaded = co_await std::move(working);
    base::Result<ClientTls> contexts = base::fail(base::Errc::internal);
    if (loaded) {
        loaded->identities.options.ticket_secrets = tls.ticket_secrets;
        loaded->identities.options.ticket_lifetime = kTicketSecretPeriod;
        contexts = make_client_tls(loaded->identities.options, loaded->config);
    }
    if (!loaded || !contexts) {
        const base::Failure why = loaded ? contexts.error() : loaded.error();
        log->error("server.reload_refused", {{"why", why.message()}});
        notify.ready("serving; the last reload was refused");
        co_return why;
    }
    std::vector<ConfigChange> changes = diff(options.config, loaded->config, *options.registry);
    if (auto reopened = log_sink->reopen(log_options(loaded->config)); !reopened)
        log->error("log.reopen_failed", {{"why", reopened.error().message()}});
    // In force before the shards have it: whoever hands them something else meanwhile, such as new
    // ticket secrets, must not bring back what was.
    tls = std::move(loaded->identities.options);
    options.config = std::move(loaded->config);
    base::Result<void> done = co_await group->reload(options.config, std::move(*contexts));
    if (!done) {
        log->error("server.reload_failed", {{"why", done.error().message()}});
        notify.ready("serving; the last reload failed");
        co_return done.error();
    }
    for (const std::string& warning : loaded->identities.warnings)
        log->warn("tls.certificate", {{"problem", warning}});
    log->info("server.reloaded", {{"changes", changes.size()}});
    notify.ready("serving");
    co_return changes;
}

}  // namespace server
