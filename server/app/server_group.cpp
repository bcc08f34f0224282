#include "server/app/server_group.h"

#include "reactor/combine.h"
#include "server/app/ticket_secrets.h"
#include "storage/database.h"
#include "storage/tables/meta.h"
#include "storage/tables/sm_sessions.h"

namespace server {
namespace {
constexpr std::size_t kSaltSecretBytes = 32;
}  // namespace

ServerGroup::ServerGroup(Parts parts) : parts_(parts), servers_(parts.shards.count()) {}

std::string ServerGroup::random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    parts_.shards.world(0).entropy.secure(
        std::as_writable_bytes(std::span(bytes.data(), bytes.size())));
    return bytes;
}

reactor::Deferred<std::vector<std::string>> ServerGroup::ticket_secrets() {
    return parts_.database.write(
        [now = parts_.shards.world(0).clock.wall(),
         fresh = random_bytes(reactor::kTicketSecretBytes)](storage::Transaction& transaction) {
            return server::ticket_secrets(transaction, now, fresh);
        });
}

reactor::Deferred<std::string> ServerGroup::secret(std::string_view name, std::size_t bytes) {
    std::string candidate = random_bytes(bytes);
    return parts_.database.write([name, candidate](storage::Transaction& transaction) {
        return storage::Meta(transaction).get_or_create(name, candidate);
    });
}

reactor::Deferred<void> ServerGroup::start(Config config, ClientTls tls) {
    auto reading_salt = secret(storage::kMetaScramFakeSaltSecret, kSaltSecretBytes);
    const base::Result<std::string> salt_secret = co_await std::move(reading_salt);
    if (!salt_secret) co_return salt_secret.error();
    auto reading_id = secret(storage::kMetaArchiveIdSecret, ArchiveIds::kSecretBytes);
    const base::Result<std::string> id_secret = co_await std::move(reading_id);
    if (!id_secret) co_return id_secret.error();
    auto reading_occupants =
        secret(storage::kMetaOccupantIdSecret, ShardServer::kOccupantIdSecretBytes);
    const base::Result<std::string> occupant_secret = co_await std::move(reading_occupants);
    if (!occupant_secret) co_return occupant_secret.error();
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        const ShardServer::Parts parts{
            parts_.shards.world(id), parts_.database, parts_.hosts, *salt_secret, *id_secret,
            *occupant_secret};
        auto answering = parts_.shards.run_on(id, [this, id, config, tls, parts] {
            servers_[id] = std::make_unique<ShardServer>(parts, config, tls);
        });
        base::Result<void> built = co_await std::move(answering);
        if (!built) co_return built.error();
    }
    std::vector<ShardServer*> all;
    for (const auto& server : servers_)
        all.push_back(server.get());
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        auto answering = parts_.shards.run_on(id, [this, id, all] { servers_[id]->connect(all); });
        base::Result<void> connected = co_await std::move(answering);
        if (!connected) co_return connected.error();
    }
    auto restoring = restore_streams();
    const base::Result<void> restored = co_await std::move(restoring);
    if (!restored) co_return restored.error();
    auto resuming = parts_.shards.run_on(0, [this] { return servers_[0]->resume_modules(); });
    const base::Result<void> resumed = co_await std::move(resuming);
    if (!resumed) co_return resumed.error();
    // Listening comes last, everywhere: a connection may need any other shard.
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        auto answering =
            parts_.shards.run_on(id, [this, id] { return servers_[id]->clients().listen(); });
        base::Result<void> listening = co_await std::move(answering);
        if (!listening) co_return listening.error();
    }
    co_return {};
}

reactor::Deferred<void> ServerGroup::reload(Config config, ClientTls tls) {
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        auto answering = parts_.shards.run_on(
            id, [this, id, config, tls] { servers_[id]->reload(config, tls); });
        base::Result<void> done = co_await std::move(answering);
        if (!done) co_return done.error();
    }
    co_return {};
}

reactor::Deferred<void> ServerGroup::shut_down(base::Duration grace) {
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        if (!servers_[id]) continue;
        auto stopping = parts_.shards.run_on(id, [this, id] { servers_[id]->stop_modules(); });
        static_cast<void>(co_await std::move(stopping));
    }
    std::vector<reactor::Deferred<void>> closing;
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        if (!servers_[id]) continue;
        closing.push_back(parts_.shards.run_on(id, [this, id, grace] {
            servers_[id]->router().offline().stop();
            return servers_[id]->clients().shut_down(grace);
        }));
    }
    static_cast<void>(co_await reactor::when_all(std::move(closing)));
    // What a message that was stored leads to may be on its way to another shard: twice.
    static_cast<void>(co_await quiesce());
    static_cast<void>(co_await quiesce());
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        if (!servers_[id]) continue;
        auto suspending =
            parts_.shards.run_on(id, [this, id] { return servers_[id]->clients().suspend(); });
        static_cast<void>(co_await std::move(suspending));
    }
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        if (!servers_[id]) continue;
        auto suspending =
            parts_.shards.run_on(id, [this, id] { return servers_[id]->suspend_modules(); });
        static_cast<void>(co_await std::move(suspending));
    }
    co_return co_await quiesce();
}

// Writes are answered in order per shard: when an empty one is, all before it are on disk.
reactor::Deferred<void> ServerGroup::quiesce() {
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        static_cast<void>(co_await parts_.shards.run_on(id, [this] {
            return parts_.database.write(
                [](storage::Transaction&) -> base::Result<void> { return {}; });
        }));
    }
    co_return {};
}

reactor::Deferred<void> ServerGroup::restore_streams() {
    const reactor::ShardId count = parts_.shards.count();
    storage::SmSessionKey after = 0;
    for (;;) {
        auto reading = parts_.database.read([after](storage::Transaction& transaction) {
            return storage::SmSessions(transaction).page(after, storage::kSmSessionPageMax);
        });
        base::Result<std::vector<storage::SmSession>> page = co_await std::move(reading);
        if (!page) co_return page.error();
        if (page->empty()) co_return {};
        after = page->back().key;
        std::vector<std::vector<storage::SmSession>> by_shard(count);
        for (storage::SmSession& stream : *page)
            by_shard[shard_of(stream.owner.bare_view(), count)].push_back(std::move(stream));
        std::vector<reactor::Deferred<void>> restoring;
        for (reactor::ShardId id = 0; id < count; ++id)
            restoring.push_back(
                parts_.shards.run_on(id, [this, id, streams = std::move(by_shard[id])]() mutable {
                    return servers_[id]->clients().restore(std::move(streams));
                }));
        auto all = reactor::when_all(std::move(restoring));
        const base::Result<void> restored = co_await std::move(all);
        if (!restored) co_return restored.error();
    }
}

}  // namespace server
