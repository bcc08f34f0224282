#include "tests/bench/bare_server.h"

#include "server/config/config.h"
#include "server/routing/presence.h"
#include "storage/tables/catalog.h"

namespace bench {
namespace {

std::unique_ptr<storage::Database> database_in_memory(reactor::SimWorld& sim) {
    storage::DatabaseOptions options;
    options.path = ":memory:";
    options.stores = storage::all_stores();
    return sim.on(sim.world(), [&] { return *storage::make_inline_database(options); });
}

}  // namespace

BareServer::BareServer() : database(database_in_memory(sim)), accounts(sim.world(), *database, {}) {
    on_shard([this] {
        offline.emplace(server::OfflineQueue::Parts{sim.world(), accounts, *database, ids, metrics},
                        server::Config());
        router.emplace(server::Router::Parts{.world = sim.world(),
                                             .hosts = hosts,
                                             .accounts = accounts,
                                             .hooks = hooks,
                                             .iq = iq,
                                             .metrics = metrics,
                                             .database = *database,
                                             .offline = *offline,
                                             .archive_ids = ids,
                                             .only_in_memory = true});
        router->set_presence(std::make_unique<server::Presence>(
            server::Presence::Parts{sim.world(), accounts, *router, hooks, *database}));
    });
}

BareServer::~BareServer() {
    on_shard([this] {
        router.reset();
        offline.reset();
    });
}

}  // namespace bench
