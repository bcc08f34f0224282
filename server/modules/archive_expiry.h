// ArchiveExpiry: deletes what archives need not keep any longer, by age, by number and with their
// accounts, every hour in small steps. Runs on shard 0, for all accounts.
#pragma once

#include "reactor/looping_call.h"
#include "reactor/task_set.h"
#include "reactor/world.h"
#include "server/config/config.h"
#include "server/observe/metrics.h"
#include "storage/tables/archive.h"

#include <cstdint>

namespace storage {
class Database;
}

namespace server::modules {

class ArchiveExpiry {
public:
    static constexpr base::Duration kInterval = std::chrono::hours(1);

    ArchiveExpiry(reactor::World& world, storage::Database& database, Metrics& metrics,
                  const Config& config);

    void reload(const Config& config);

private:
    storage::ArchiveRetention limits() const;
    reactor::Deferred<void> run();
    reactor::Deferred<void> purge();
    reactor::Deferred<void> expire(storage::ArchiveRetention retention);
    /// False: it failed.
    reactor::Deferred<bool> remove(storage::ArchiveExcess excess);
    void note(const base::Failure& why);

    reactor::World& world_;
    storage::Database& database_;
    Counter& removed_;
    base::Duration keep_{};
    std::int64_t messages_max_ = 0;
    reactor::LoopingCall loop_;
    reactor::TaskSet tasks_;  // Last: ends before what the tasks use.
};

}  // namespace server::modules
