// ServerGroup: the ShardServers of all shards as one: built, connected, reloaded and stopped
// together. Every call is made on shard 0.
#pragma once

#include "reactor/shards.h"
#include "server/app/shard_server.h"

#include <memory>
#include <string>
#include <vector>

namespace server {

class ServerGroup {
public:
    struct Parts {
        reactor::Shards& shards;
        storage::Database& database;
        const Hosts& hosts;
    };

    explicit ServerGroup(Parts parts);

    /// Builds a ShardServer on every shard and listens everywhere. The failure of a listener says
    /// which address, why, and what to do; what was built stays until `destroy`.
    reactor::Deferred<void> start(Config config, ClientTls tls);
    /// Settings and certificates for every shard; settles when all have them.
    reactor::Deferred<void> reload(Config config, ClientTls tls);
    /// See ticket_secrets.h.
    reactor::Deferred<std::vector<std::string>> ticket_secrets();
    /// Closes every stream, waits at most `grace`, and until what they left is in the database.
    reactor::Deferred<void> shut_down(base::Duration grace);
    /// On the shard itself: its server is no more.
    void destroy(reactor::ShardId shard) { servers_[shard].reset(); }

    /// Runs `visit(ShardServer&)` on every shard and collects what it returns, by shard.
    template <class Visit>
    auto gather(Visit visit)
        -> reactor::Deferred<std::vector<std::invoke_result_t<Visit&, ShardServer&>>> {
        std::vector<std::invoke_result_t<Visit&, ShardServer&>> answers;
        for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
            auto answering = parts_.shards.run_on(
                id, [this, id, visit]() mutable { return visit(*servers_[id]); });
            auto answer = co_await std::move(answering);
            if (!answer) co_return answer.error();
            answers.push_back(std::move(*answer));
        }
        co_return answers;
    }

    /// The server of shard 0.
    ShardServer& first() { return *servers_.front(); }
    reactor::Shards& shards() { return parts_.shards; }

private:
    /// What resumable streams the database has goes to the shards they live on.
    reactor::Deferred<void> restore_streams();
    /// Settles when every write that was issued before is on disk and its answer has been seen on
    /// every shard.
    reactor::Deferred<void> quiesce();
    std::string random_bytes(std::size_t count);
    /// Random bytes that the database keeps under `name`; made on first use.
    reactor::Deferred<std::string> secret(std::string_view name, std::size_t bytes);

    Parts parts_;
    // Index: shard id. Each is made, used and destroyed on its shard only.
    std::vector<std::unique_ptr<ShardServer>> servers_;
};

}  // namespace server
