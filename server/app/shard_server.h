// ShardServer: everything of the server that lives on one shard, in the order of its layers. Built
// and destroyed on that shard.
#pragma once

#include "server/config/config.h"
#include "server/config/hosts.h"
#include "server/modules/disco_directory.h"
#include "server/modules/module.h"
#include "server/observe/metrics.h"
#include "server/routing/archive_id.h"
#include "server/routing/offline_queue.h"
#include "server/routing/router.h"
#include "server/routing/user_service.h"
#include "server/sessions/client_service.h"

#include <memory>
#include <string>
#include <vector>

namespace server {

class ShardServer {
public:
    static constexpr std::size_t kOccupantIdSecretBytes = 32;
    struct Parts {
        reactor::World& world;
        storage::Database& database;
        const Hosts& hosts;
        std::string fake_salt_secret;
        std::string archive_id_secret;  ///< ArchiveIds::kSecretBytes random bytes.
        std::string occupant_id_secret;  ///< kOccupantIdSecretBytes random bytes.
    };

    /// `config` is copied; references outlive this object.
    ShardServer(Parts parts, Config config, ClientTls tls);
    ShardServer(const ShardServer&) = delete;
    ShardServer& operator=(const ShardServer&) = delete;
    ~ShardServer();

    /// The servers of all shards, index = shard id; once, before any connection.
    void connect(const std::vector<ShardServer*>& all);
    /// See modules::Module.
    reactor::Deferred<void> resume_modules();
    reactor::Deferred<void> suspend_modules();
    void stop_modules();
    /// Null where there are no chat rooms.
    RoomOperations* rooms();
    /// Settings that a running server can take over, and new certificates.
    void reload(Config config, ClientTls tls);

    reactor::World& world() { return parts_.world; }
    ClientService& clients() { return *clients_; }
    UserService& users() { return users_; }
    Accounts& accounts() { return accounts_; }
    Router& router() { return router_; }
    Metrics& metrics() { return metrics_; }

private:
    Parts parts_;
    Config config_;
    std::vector<modules::ModuleDescriptor> catalog_;
    Metrics metrics_;
    Accounts accounts_;
    Hooks hooks_;
    ArchiveIds archive_ids_;
    OfflineQueue offline_;
    IqRoutes iq_;
    Router router_;
    UserService users_;
    modules::DiscoDirectory disco_;
    std::unique_ptr<modules::ModuleContext> context_;
    std::vector<std::unique_ptr<modules::Module>> modules_;
    std::unique_ptr<ClientService> clients_;
};

}  // namespace server
