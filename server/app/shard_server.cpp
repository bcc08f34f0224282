#include "server/app/shard_server.h"

#include "server/config/core_keys.h"
#include "server/modules/catalog.h"
#include "server/routing/presence.h"
#include "server/sessions/before_login.h"

#include <utility>

namespace server {

ShardServer::ShardServer(Parts parts, Config config, ClientTls tls)
    : parts_(std::move(parts)),
      config_(std::move(config)),
      catalog_(modules::catalog()),
      accounts_(parts_.world, parts_.database, {}),
      archive_ids_(parts_.archive_id_secret),
      offline_({parts_.world, accounts_, parts_.database, archive_ids_, metrics_}, config_),
      router_({parts_.world, parts_.hosts, accounts_, hooks_, iq_, metrics_, parts_.database,
               offline_, archive_ids_, config_.get(keys::kDurability) == Durability::memory}),
      users_({parts_.world, parts_.database, accounts_, router_}, config_),
      disco_(catalog_) {
    users_.connect(std::vector<UserService*>(parts_.world.shards.count(), &users_));
    router_.set_presence(std::make_unique<Presence>(
        Presence::Parts{parts_.world, accounts_, router_, hooks_, parts_.database}));
    context_ = std::make_unique<modules::ModuleContext>(modules::ModuleContext{
        .config = config_,
        .metrics = metrics_,
        .iq = iq_,
        .hooks = hooks_,
        .accounts = accounts_,
        .router = router_,
        .users = users_,
        .database = parts_.database,
        .world = parts_.world,
        .hosts = parts_.hosts,
        .disco = disco_,
        .archive_ids = archive_ids_,
        .occupant_id_secret = parts_.occupant_id_secret,
        .catalog = catalog_,
    });
    BeforeLogin* before_login = nullptr;
    for (const modules::ModuleDescriptor& descriptor : catalog_) {
        modules_.push_back(descriptor.create(*context_));
        if (BeforeLogin* found = modules_.back()->before_login()) before_login = found;
    }
    clients_ = std::make_unique<ClientService>(
        ClientService::Parts{parts_.world, parts_.hosts, router_, accounts_, parts_.database,
                             metrics_, parts_.fake_salt_secret, before_login},
        config_, std::move(tls));
    for (const auto& module : modules_)
        if (auto feature = module->stream_feature()) clients_->add_feature(std::move(feature));
}

ShardServer::~ShardServer() {
    clients_.reset();
    // In reverse: a module may use what an earlier one registered.
    while (!modules_.empty())
        modules_.pop_back();
}

void ShardServer::connect(const std::vector<ShardServer*>& all) {
    std::vector<Router*> routers;
    std::vector<UserService*> users;
    std::vector<ClientService*> clients;
    for (ShardServer* shard : all) {
        routers.push_back(&shard->router_);
        users.push_back(&shard->users_);
        clients.push_back(shard->clients_.get());
    }
    router_.connect(std::move(routers));
    users_.connect(std::move(users));
    clients_->connect(std::move(clients));
    for (std::size_t i = 0; i < modules_.size(); ++i) {
        std::vector<modules::Module*> instances;
        for (ShardServer* shard : all)
            instances.push_back(shard->modules_[i].get());
        modules_[i]->connect(instances);
    }
}

reactor::Deferred<void> ShardServer::resume_modules() {
    for (const auto& module : modules_) {
        const base::Result<void> resumed = co_await module->resume();
        if (!resumed) co_return resumed.error();
    }
    co_return {};
}

// What one cannot save is no reason for the next to lose what it has.
reactor::Deferred<void> ShardServer::suspend_modules() {
    base::Result<void> all;
    for (const auto& module : modules_) {
        const base::Result<void> suspended = co_await module->suspend();
        if (!suspended) all = suspended;
    }
    co_return all;
}

void ShardServer::stop_modules() {
    for (const auto& module : modules_)
        module->stopping();
}

RoomOperations* ShardServer::rooms() {
    for (const auto& module : modules_)
        if (RoomOperations* found = module->rooms()) return found;
    return nullptr;
}

void ShardServer::reload(Config config, ClientTls tls) {
    for (const auto& module : modules_)
        module->reload(config);
    users_.reload(config);
    clients_->reload(config, std::move(tls));
    config_ = std::move(config);
}

}  // namespace server
