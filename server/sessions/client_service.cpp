#include "server/sessions/client_service.h"

#include "reactor/combine.h"
#include "reactor/network.h"
#include "reactor/ready_queue.h"
#include "server/routing/offline_queue.h"
#include "server/routing/presence_broadcast.h"
#include "server/sessions/client_context.h"
#include "server/sessions/client_session.h"
#include "server/sessions/negotiation.h"
#include "server/sessions/saved_session.h"
#include "storage/database.h"
#include "xmpp/xml/read_stanza.h"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <utility>

namespace server {
namespace {

constexpr std::string_view kAlpn = "xmpp-client";
constexpr base::Duration kSweepInterval = std::chrono::minutes(1);
/// A connection's end that could not be reported because the mailbox was full is tried again.
constexpr base::Duration kReportRetry = std::chrono::milliseconds(100);
constexpr unsigned kShardShift = 48;
/// What a client has at least to come back after a crash, however long its connection was gone.
constexpr base::Duration kLostLeftMin = std::chrono::minutes(1);
/// Sessions that are restored at once.
constexpr std::size_t kRestoresAtOnce = 256;
/// Sessions that are saved at once.
constexpr std::size_t kSavesAtOnce = 1'024;
/// Where the one AddressLimits of the process lives.
constexpr reactor::ShardId kLimitsShard = 0;

base::Failure with_mend(const base::Failure& why) {
    std::string_view mend;
    if (why.is(base::Errc::address_in_use))
        mend = "; stop what uses the port, or set another one in [listen]";
    if (why.is(base::Errc::permission_denied))
        mend = "; ports below 1024 need the right to bind them, or set another one in [listen]";
    if (why.is(base::Errc::invalid_argument))
        mend = "; set listen.addresses to addresses of this machine";
    return {why.code(), std::string(why.detail()).append(mend)};
}

}  // namespace

base::Result<ClientTls> make_client_tls(reactor::TlsServerOptions options, const Config& config) {
    const ClientSettings settings(config);
    options.version_min = config.get(keys::kTlsVersionMin) == TlsVersion::tls_1_3
                              ? reactor::TlsVersion::tls_1_3
                              : reactor::TlsVersion::tls_1_2;
    options.request_client_certificate = settings.external;
    if (!config.get(keys::kTlsTickets)) options.session_tickets = 0;
    options.alpn.clear();
    ClientTls tls;
    tls.starttls = TRY(reactor::TlsServerContext::create(options));
    options.alpn.emplace_back(kAlpn);
    tls.direct = TRY(reactor::TlsServerContext::create(options));
    return tls;
}

struct ClientService::Impl final : SessionKeeper, reactor::ReadyItem {
    Impl(Parts parts, const Config& config, ClientTls tls)
        : world(parts.world),
          context(std::move(parts), config, std::move(tls), *this),
          limits(context.settings.addresses),
          sweep([this] { on_sweep(); }),
          report([this] { on_report(); }),
          lost([this] { forget_lost(); }),
          deadline([this] { drop_all(); }) {
        for (const std::string_view address : config.get(keys::kListenAddresses))
            listen_addresses.emplace_back(address);
        ports[0] = static_cast<std::uint16_t>(config.get(keys::kC2sPort));
        ports[1] = static_cast<std::uint16_t>(config.get(keys::kC2sTlsPort));
    }

    // --- connections

    void accept(std::unique_ptr<reactor::ByteStream> connection, ClientTransport transport) {
        context.metrics.accepted.add();
        if (stopping) return refuse(std::move(connection), Refusal::shutting_down);
        const auto address = AddressKey::of(connection->peer().address);
        const SessionId id = next_id();
        if (is_limits_home()) {
            const auto verdict = limits.connected(address);
            if (verdict != AddressLimits::Verdict::admitted)
                return refuse(std::move(connection), refusal_of(verdict));
        } else if (!ask_for_admission(id, address)) {
            return refuse(std::move(connection), Refusal::overloaded);
        }
        add(id, std::make_unique<ClientSession>(context, id, std::move(connection), transport,
                                                address));
    }

    void refuse(std::unique_ptr<reactor::ByteStream> connection, Refusal why) {
        context.metrics.refused(why);
        context.world.log.debug("c2s.refused", {{"peer", connection->peer().address}});
        connection->abort();
    }

    static Refusal refusal_of(AddressLimits::Verdict verdict) {
        return verdict == AddressLimits::Verdict::too_many ? Refusal::too_many
                                                           : Refusal::too_many_of_address;
    }

    // The connection goes on meanwhile; only a refusal comes back.
    bool ask_for_admission(SessionId id, std::optional<AddressKey> address) {
        Impl* asking = this;
        Impl* home = services[kLimitsShard];
        const reactor::ShardId here = shard;
        return world.shards.post(kLimitsShard, [home, asking, here, id, address] {
            const auto verdict = home->limits.connected(address);
            if (verdict == AddressLimits::Verdict::admitted) return;
            const Refusal why = refusal_of(verdict);
            // A full mailbox back lets one more connection live, uncounted until it ends.
            if (!home->world.shards.post(here, [asking, id, why] { asking->evict(id, why); }))
                home->limits.force_connected(address);
        });
    }

    void evict(SessionId id, Refusal why) {
        context.metrics.refused(why);
        uncounted.push_back(id);
        if (ClientSession* session = find_session(id)) session->abort(StreamEnd::connection_lost);
    }

    void add(SessionId id, std::unique_ptr<ClientSession> session) {
        ClientSession& added = *session;
        sessions.emplace(id, std::move(session));
        context.metrics.connections.set(static_cast<std::int64_t>(sessions.size()));
        added.start();
    }

    void report_end(const std::optional<AddressKey>& address) {
        if (is_limits_home()) {
            limits.disconnected(address, world.reactor.now());
            if (limits.addresses() > 0 && !sweep.armed()) world.reactor.arm(sweep, kSweepInterval);
            return;
        }
        ended.push_back(address);
        on_report();
    }

    void on_report() {
        Impl* home = services[kLimitsShard];
        while (!ended.empty()) {
            const std::optional<AddressKey> address = ended.back();
            if (!world.shards.post(kLimitsShard, [home, address] { home->report_end(address); }))
                return world.reactor.arm(report, kReportRetry);
            ended.pop_back();
        }
    }

    void on_sweep() {
        limits.sweep(world.reactor.now());
        if (limits.addresses() > 0) world.reactor.arm(sweep, kSweepInterval);
    }

    // --- SessionKeeper

    void settle_later(SessionId id) override {
        unsettled.push_back(id);
        if (!queued()) reactor::ReadyQueue::current().push(*this);
    }

    void run() override {
        std::vector<SessionId> ids = std::exchange(unsettled, {});
        for (const SessionId id : ids) {
            const auto found = sessions.find(id);
            if (found == sessions.end() || !found->second->settle()) continue;
            const bool counted = std::erase(uncounted, id) == 0 && !found->second->has_moved() &&
                                 found->second->counts();
            const std::optional<AddressKey> address = found->second->address();
            sessions.erase(found);
            context.metrics.connections.set(static_cast<std::int64_t>(sessions.size()));
            if (counted) report_end(address);
        }
        if (stopped && nobody_leaves()) {
            deadline.cancel();
            std::exchange(stopped, std::nullopt)->try_resolve({});
        }
    }

    // All that are left are waiting to be suspended.
    bool nobody_leaves() const {
        return std::ranges::all_of(sessions,
                                   [](const auto& entry) { return entry.second->can_suspend(); });
    }

    void disconnected(const std::optional<AddressKey>& address) override { report_end(address); }

    ClientSession* find_session(SessionId id) override {
        const auto found = sessions.find(id);
        return found == sessions.end() ? nullptr : found->second.get();
    }

    reactor::Deferred<bool> may_log_in(std::optional<AddressKey> address) override {
        if (is_limits_home()) return ask_limits(address);
        Impl* home = services[kLimitsShard];
        return world.shards.run_on(kLimitsShard,
                                   [home, address] { return home->ask_limits(address); });
    }

    bool ask_limits(const std::optional<AddressKey>& address) {
        return limits.may_log_in(address, world.reactor.now());
    }

    bool lives_here(const xmpp::Jid& account) const override {
        return services.empty() || home_of(account) == shard;
    }

    reactor::ShardId home_of(const xmpp::Jid& account) const {
        return shard_of(account.bare_view(), static_cast<reactor::ShardId>(services.size()));
    }

    bool move(std::shared_ptr<Arrival> arrival) override {
        const reactor::ShardId target = home_of(arrival->account);
        Impl* service = services[target];
        return world.shards.post(target,
                                 [service, arrival] { service->arrive(std::move(*arrival)); });
    }

    void arrive(Arrival arrival) {
        const SessionId id = next_id();
        auto session = std::make_unique<ClientSession>(context, id, std::move(arrival));
        ClientSession& arrived = *session;
        add(id, std::move(session));
        if (stopping) arrived.fail(shutdown_error());
    }

    // --- the end

    static xmpp::StreamError shutdown_error() {
        return xmpp::StreamError(xmpp::StreamCondition::system_shutdown);
    }

    reactor::Deferred<void> shut_down(base::Duration grace) {
        stopping = true;
        for (auto& listeners_of_port : listeners)
            listeners_of_port.clear();
        for (const auto& [id, session] : sessions) {
            if (session->can_suspend()) {
                session->stop_reading();
            } else {
                session->fail(shutdown_error());
            }
        }
        if (nobody_leaves() || stopped) return reactor::ready();
        stopped.emplace();
        world.reactor.arm(deadline, grace);
        return stopped->deferred();
    }

    void drop_all() {
        for (const auto& [id, session] : sessions)
            if (!session->can_suspend()) session->abort(StreamEnd::timed_out);
    }

    // --- over a restart

    reactor::Deferred<void> suspend() {
        std::vector<SessionId> left;
        for (const auto& [id, session] : sessions)
            left.push_back(id);
        // A part at a time: the database takes only so many writes at once.
        while (!left.empty()) {
            std::vector<Saving> saving;
            for (; !left.empty() && saving.size() < kSavesAtOnce; left.pop_back())
                if (auto begun = begin_saving(left.back())) saving.push_back(*std::move(begun));
            for (Saving& one : saving) {
                auto finishing = finish_saving(std::move(one));
                static_cast<void>(co_await std::move(finishing));
            }
        }
        for (const auto& [id, session] : sessions)
            session->suspend(std::nullopt);
        co_return {};
    }

    struct Saving {
        SessionId id = 0;
        std::uint32_t taken = 0;
        reactor::Deferred<void> writing;
    };

    std::optional<Saving> begin_saving(SessionId id) {
        ClientSession* session = find_session(id);
        auto saved = session == nullptr ? std::nullopt : session->save();
        if (!saved) return std::nullopt;
        const std::uint32_t taken = saved->taken;
        return Saving{id, taken, write(*std::move(saved))};
    }

    reactor::Deferred<void> finish_saving(Saving saving) {
        const base::Result<void> written = co_await std::move(saving.writing);
        std::optional<std::uint32_t> taken;
        if (written) taken = saving.taken;
        // What came meanwhile belongs to it; what comes now is for nobody, and the client does not
        // count it.
        const ClientSession* saved = find_session(saving.id);
        if (saved != nullptr && (!written || saved->outdated())) {
            if (auto again = begin_saving(saving.id)) {
                const base::Result<void> repeated = co_await std::move(again->writing);
                if (repeated) taken = again->taken;
            }
        }
        // It cannot be resumed, and nothing that it was sent is lost.
        if (!taken) world.log.error("sm.save_failed", {{"why", written.error().message()}});
        if (ClientSession* session = find_session(saving.id)) session->suspend(taken);
        co_return {};
    }

    reactor::Deferred<void> write(ClientSession::Saved saved) {
        return context.database.write([saved = std::move(saved), at = world.clock.wall()](
                                          storage::Transaction& transaction) -> base::Result<void> {
            storage::SmSessions streams(transaction);
            TRY(streams.save_state(saved.key, saved.state));
            TRY(streams.set_taken(saved.key, saved.taken));
            return streams.detach(saved.key, at);
        });
    }

    // A part at a time: the database takes only so many reads and writes at once.
    reactor::Deferred<void> restore(std::vector<storage::SmSession> streams) {
        for (std::span<storage::SmSession> left(streams); !left.empty();) {
            const auto part = left.first(std::min(left.size(), kRestoresAtOnce));
            left = left.subspan(part.size());
            std::vector<reactor::Deferred<void>> restoring;
            for (storage::SmSession& stream : part)
                restoring.push_back(restore_or_lose(stream));
            auto all = reactor::when_all(std::move(restoring));
            static_cast<void>(co_await std::move(all));
            for (auto& writing : std::exchange(writes, {}))
                static_cast<void>(co_await std::move(writing));
        }
        co_return {};
    }

    /// `stream` outlives it.
    reactor::Deferred<void> restore_or_lose(storage::SmSession& stream) {
        auto restoring = restore_one(stream);
        const base::Result<bool> done = co_await std::move(restoring);
        if (!done || !*done) lose(stream);
        co_return {};
    }

    // False: there is nothing of it but its count.
    reactor::Deferred<bool> restore_one(storage::SmSession stream) {
        struct Found {
            std::optional<storage::SmSession> stream;
            bool queue_has_messages = false;
        };
        auto reading =
            context.database.read([token = stream.token, owner = stream.owner](
                                      storage::Transaction& transaction) -> base::Result<Found> {
                Found found{.stream = TRY(storage::SmSessions(transaction).find(token))};
                const auto queue = TRY(storage::Deliveries(transaction).offline_totals(owner));
                found.queue_has_messages = queue.messages > 0;
                return found;
            });
        const base::Result<Found> found = co_await std::move(reading);
        if (!found || !found->stream || !found->stream->state) co_return false;
        const std::optional<SavedSession> saved = SavedSession::decode(*found->stream->state);
        auto management = saved ? StreamManagement::restore(saved->management) : std::nullopt;
        if (!management) co_return false;
        management->token = stream.token;
        management->key = stream.key;
        management->max_seconds = stream.max_seconds;
        const SessionId id = next_id();
        sessions.emplace(id, std::make_unique<ClientSession>(
                                 context, id, stream.owner, *saved,
                                 std::make_unique<StreamManagement>(*std::move(management))));
        const base::Result<Resource*> resource =
            co_await context.accounts.bind(stream.owner, *sessions[id], id);
        if (!resource) {
            sessions[id]->drop();
            sessions.erase(id);
            co_return false;
        }
        fill_in(**resource, *saved, stream.key);
        if (found->queue_has_messages)
            context.router.offline().restored(*context.accounts.find(stream.owner));
        // What waits in the queue for another client of the account is not for this one again.
        const StreamManagement& had = *sessions[id]->management();
        for (std::size_t i = 0; i < had.unacknowledged(); ++i)
            if (had[i].id != 0) context.router.offline().seen(stream.owner.bare(), id, had[i].id);
        // Should the server crash now, what is saved would be out of date.
        auto writing = context.database.write(
            [key = stream.key, owner = stream.owner.bare(),
             at = world.clock.wall()](storage::Transaction& transaction) -> base::Result<void> {
                storage::SmSessions streams(transaction);
                // Nobody knows any more who waited there for what another client has.
                TRY(storage::Deliveries(transaction).remove_had(owner));
                TRY(streams.attach(key));
                return streams.detach(key, at);
            });
        writes.push_back(std::move(writing));
        co_return true;
    }

    void fill_in(Resource& resource, const SavedSession& saved, storage::SmSessionKey key) {
        resource.managed = key;
        resource.interested = saved.interested;
        resource.blocklist_requested = saved.blocklist_requested;
        resource.carbons = saved.carbons;
        resource.directed = saved.directed;
        if (!saved.presence.empty()) {
            resource.presence = xmpp::read_stanza(saved.presence);
            if (resource.presence) resource.priority = priority_of(*resource.presence).value_or(0);
        }
    }

    // The server crashed, or the stream could not be saved. The time that it has runs from here,
    // but for what of it was over before: crash after crash, it ends.
    void lose(storage::SmSession& stream) {
        base::Duration left = std::chrono::seconds(stream.max_seconds);
        if (stream.detached_at)
            left = std::clamp(*stream.detached_at + left - world.clock.wall(),
                              std::min(kLostLeftMin, left), left);
        keep_lost(
            {.token = stream.token,
             .key = stream.key,
             .owner = stream.owner,
             .taken = stream.taken,
             .forget_at = world.reactor.now() + (context.resumable.has_room() ? kCountKept : left)},
            left);
    }

    void keep_lost(LostStream stream, base::Duration time) override {
        context.resumable.add_lost(std::move(stream), world.reactor.now() + time);
        lost.arm(world.reactor.wheel(), *context.resumable.next_lost());
    }

    void forget_lost() {
        for (LostStream& stream : context.resumable.take_lost_until(world.reactor.now()))
            context.tasks.add("sm lost", Negotiation::forget_lost(context, std::move(stream)));
        if (const auto due = context.resumable.next_lost()) lost.arm(world.reactor.wheel(), *due);
    }

    bool is_limits_home() const { return services.empty() || shard == kLimitsShard; }
    SessionId next_id() { return static_cast<SessionId>(shard) << kShardShift | ++last_id; }

    base::Result<void> listen_on(const std::string& address, ClientTransport transport) {
        const auto kind = static_cast<std::size_t>(transport);
        if (ports[kind] == 0) return {};
        reactor::ListenOptions options;
        options.endpoint = {address, ports[kind]};
        auto listener = open_listener(options, transport);
        if (!listener && is_missing_ipv6(address, listener.error())) {
            world.log.warn("c2s.no_ipv6", {{"why", listener.error().message()}});
            return {};
        }
        if (!listener) return std::unexpected(with_mend(listener.error()));
        listeners[kind].push_back(*std::move(listener));
        return {};
    }

    // The kernel lets every process of our user share a port that one of them shares. So the first
    // of our listeners asks for the port alone before, to find out whether another one has it.
    base::Result<std::unique_ptr<reactor::Listener>> open_listener(reactor::ListenOptions options,
                                                                   ClientTransport transport) {
        const auto accepted = [this, transport](std::unique_ptr<reactor::ByteStream> stream) {
            accept(std::move(stream), transport);
        };
        if (services.size() > 1) {
            if (shard == 0) TRY(world.network.listen(options, accepted));
            options.share_port = true;
        }
        return world.network.listen(std::move(options), accepted);
    }

    // "All of IPv6" beside another address, on a machine without IPv6: nothing to serve there.
    bool is_missing_ipv6(std::string_view address, const base::Failure& why) const {
        return address == "::" && listen_addresses.size() > 1 &&
               (why.is(base::Errc::invalid_argument) || why.is(base::Errc::unsupported));
    }

    reactor::World& world;
    std::vector<std::string> listen_addresses;
    std::uint16_t ports[2] = {};
    ClientContext context;
    AddressLimits limits;  // Used on kLimitsShard only.
    std::vector<Impl*> services;
    reactor::ShardId shard = 0;
    SessionId last_id = 0;
    std::unordered_map<SessionId, std::unique_ptr<ClientSession>> sessions;
    std::vector<SessionId> unsettled;
    std::vector<SessionId> uncounted;              // Refused after they were accepted.
    std::vector<std::optional<AddressKey>> ended;  // To be reported.
    std::vector<std::unique_ptr<reactor::Listener>> listeners[2];
    reactor::CallbackTimer sweep;
    reactor::CallbackTimer report;
    reactor::CallbackTimer lost;
    std::vector<reactor::Deferred<void>> writes;  // Of a restart, not yet awaited.
    reactor::CallbackTimer deadline;
    std::optional<reactor::Promise<void>> stopped;
    bool stopping = false;
};

ClientService::ClientService(Parts parts, const Config& config, ClientTls tls)
    : impl_(std::make_unique<Impl>(std::move(parts), config, std::move(tls))) {}

ClientService::~ClientService() {
    for (auto& listeners : impl_->listeners)
        listeners.clear();
    impl_->sessions.clear();
}

void ClientService::connect(std::vector<ClientService*> all) {
    impl_->services.clear();
    for (ClientService* service : all)
        impl_->services.push_back(service->impl_.get());
    const auto self = std::ranges::find(impl_->services, impl_.get());
    impl_->shard = static_cast<reactor::ShardId>(self - impl_->services.begin());
}

base::Result<void> ClientService::listen() {
    for (const std::string& address : impl_->listen_addresses)
        for (const ClientTransport transport :
             {ClientTransport::starttls, ClientTransport::direct_tls})
            if (auto done = impl_->listen_on(address, transport); !done) {
                for (auto& listeners : impl_->listeners)
                    listeners.clear();
                return done;
            }
    return {};
}

std::vector<reactor::Endpoint> ClientService::endpoints(ClientTransport transport) const {
    std::vector<reactor::Endpoint> endpoints;
    for (const auto& listener : impl_->listeners[static_cast<std::size_t>(transport)])
        endpoints.push_back(listener->local());
    return endpoints;
}

void ClientService::accept(std::unique_ptr<reactor::ByteStream> connection,
                           ClientTransport transport) {
    impl_->accept(std::move(connection), transport);
}

void ClientService::reload(const Config& config, ClientTls tls) {
    impl_->context.settings = ClientSettings(config);
    impl_->context.tls = std::move(tls);
    impl_->context.bind_features.clear();
    impl_->limits.set_options(impl_->context.settings.addresses);
}

void ClientService::add_feature(std::function<xmpp::Element(std::string_view host)> make) {
    impl_->context.features.push_back(std::move(make));
    impl_->context.bind_features.clear();
}

reactor::Deferred<void> ClientService::shut_down(base::Duration grace) {
    return impl_->shut_down(grace);
}

std::size_t ClientService::connection_count() const {
    return impl_->sessions.size();
}

std::size_t ClientService::session_count() const {
    return static_cast<std::size_t>(impl_->context.metrics.sessions.value());
}

void ClientService::for_each(const std::function<void(const SessionInfo&)>& visit) const {
    for (const auto& [id, session] : impl_->sessions)
        if (session->bound()) visit(session->info());
}

SessionSink* ClientService::find(SessionId id) const {
    ClientSession* session = impl_->find_session(id);
    return session != nullptr && session->bound() ? session : nullptr;
}

std::size_t ClientService::kick(const xmpp::Jid& jid, const xmpp::StreamError& error) {
    Account* account = impl_->context.accounts.find(jid);
    if (account == nullptr) return 0;
    std::size_t kicked = 0;
    for (const auto& resource : account->resources()) {
        if (jid.is_full() && jid.resource() != resource->name) continue;
        resource->session->close(error);
        ++kicked;
    }
    return kicked;
}

reactor::Deferred<void> ClientService::restore(std::vector<storage::SmSession> streams) {
    return impl_->restore(std::move(streams));
}

reactor::Deferred<void> ClientService::suspend() {
    return impl_->suspend();
}

}  // namespace server
