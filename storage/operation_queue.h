// OperationQueue: the bounded queue between the shards and the storage threads. Any thread.
#pragma once

#include "reactor/base/result.h"
#include "storage/database.h"

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace storage {

using Operations = std::vector<std::unique_ptr<Operation>>;

class OperationQueue {
public:
    explicit OperationQueue(std::size_t operations_max) : operations_max_(operations_max) {}

    /// Takes `operation`, or leaves it: queue_full, closed.
    base::Result<void> push(std::unique_ptr<Operation>& operation);
    /// Moves at most `count` of the oldest to the end of `into`; false when there was none.
    bool take(Operations& into, std::size_t count);
    /// Refuses what comes from now on; what is there stays to be taken.
    void close();
    std::size_t size() const;

private:
    const std::size_t operations_max_;
    mutable std::mutex mutex_;
    std::deque<std::unique_ptr<Operation>> operations_;
    bool closed_ = false;
};

/// Gives each operation back to the shard that asked, in order, with one post per shard.
void deliver(Operations operations);

}  // namespace storage
