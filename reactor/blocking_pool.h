// BlockingPool: a bounded pool of threads for work that blocks (SQLite, PBKDF2, files, name look-ups).
// Each class has its own threads and its own queue cap, so that slow disks cannot starve logins.
#pragma once

#include "reactor/deferred.h"

namespace reactor {

enum class WorkClass : std::uint8_t { crypto, dns, misc };

class BlockingPool {
public:
    virtual ~BlockingPool() = default;

    /// Runs `work` on a thread of the class and answers on the calling shard. `work` owns what it
    /// touches and may not touch shard state. Fails with queue_full (cap reached) or closed.
    /// Dropping the Deferred does not stop running work; its result is discarded.
    template <class Function>
    auto run(WorkClass work_class, Function work) -> Deferred<std::invoke_result_t<Function>>;

    /// The type-erased entry: runs `job` once on some thread. False: the queue is full or closed.
    virtual bool submit(WorkClass work_class, base::UniqueFunction<void()> job) = 0;
};

}  // namespace reactor
