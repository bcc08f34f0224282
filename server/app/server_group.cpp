#include "server/app/server_group.h"

#include "reactor/combine.h"
#include "storage/database.h"
#include "storage/tables/meta.h"

namespace server {
namespace {
constexpr std::size_t kSecretBytes = 32;
}  // namespace

ServerGroup::ServerGroup(Parts parts) : parts_(parts), servers_(parts.shards.count()) {}

reactor::Deferred<std::string> ServerGroup::fake_salt_secret() {
    std::string candidate(kSecretBytes, '\0');
    parts_.shards.world(0).entropy.secure(
        std::as_writable_bytes(std::span(candidate.data(), candidate.size())));
    return parts_.database.write([candidate](storage::Transaction& transaction) {
        return storage::Meta(transaction)
            .get_or_create(storage::kMetaScramFakeSaltSecret, candidate);
    });
}

reactor::Deferred<void> ServerGroup::start(Config config, ClientTls tls) {
    base::Result<std::string> secret = co_await fake_salt_secret();
    if (!secret) co_return secret.error();
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        auto answering = parts_.shards.run_on(id, [this, id, config, tls, secret = *secret] {
            servers_[id] = std::make_unique<ShardServer>(
                ShardServer::Parts{parts_.shards.world(id), parts_.database, parts_.hosts, secret},
                config, tls);
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
    std::vector<reactor::Deferred<void>> closing;
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        if (!servers_[id]) continue;
        closing.push_back(parts_.shards.run_on(
            id, [this, id, grace] { return servers_[id]->clients().shut_down(grace); }));
    }
    static_cast<void>(co_await reactor::when_all(std::move(closing)));
    // Writes are answered in order per shard: when an empty one is, all before it are on disk.
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        static_cast<void>(co_await parts_.shards.run_on(id, [this] {
            return parts_.database.write(
                [](storage::Transaction&) -> base::Result<void> { return {}; });
        }));
    }
    co_return {};
}

}  // namespace server
