// BareServer: one shard of a server without sessions and modules, over a database in memory, driven
// by hand.
#pragma once

#include "reactor/sim/sim_world.h"
#include "server/accounts/accounts.h"
#include "server/config/hosts.h"
#include "server/observe/metrics.h"
#include "server/routing/archive_id.h"
#include "server/routing/offline_queue.h"
#include "server/routing/router.h"
#include "storage/database.h"

#include <memory>
#include <optional>
#include <utility>

namespace bench {

struct BareServer {
    BareServer();
    BareServer(const BareServer&) = delete;
    BareServer& operator=(const BareServer&) = delete;
    ~BareServer();

    template <class Function>
    auto on_shard(Function function) {
        return sim.on(sim.world(), std::move(function));
    }

    reactor::SimWorld sim{{}};
    server::Hosts hosts{{"example.org"}};
    server::Metrics metrics;
    server::Hooks hooks;
    server::IqRoutes iq;
    std::unique_ptr<storage::Database> database;
    server::Accounts accounts;
    server::ArchiveIds ids{"0123456789abcdef"};
    std::optional<server::OfflineQueue> offline;
    std::optional<server::Router> router;
};

}  // namespace bench
