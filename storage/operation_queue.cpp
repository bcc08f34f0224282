#include "storage/operation_queue.h"

#include "reactor/reactor.h"

#include <algorithm>
#include <utility>

namespace storage {

base::Result<void> OperationQueue::push(std::unique_ptr<Operation>& operation) {
    std::lock_guard lock(mutex_);
    if (closed_) return base::fail(base::Errc::closed, "the database was closed");
    if (operations_.size() >= operations_max_)
        return base::fail(base::Errc::queue_full, "too many database operations are waiting");
    operations_.push_back(std::move(operation));
    return {};
}

bool OperationQueue::take(Operations& into, std::size_t count) {
    std::lock_guard lock(mutex_);
    const std::size_t taken = std::min(count, operations_.size());
    for (std::size_t i = 0; i < taken; ++i) {
        into.push_back(std::move(operations_.front()));
        operations_.pop_front();
    }
    return taken > 0;
}

void OperationQueue::close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
}

std::size_t OperationQueue::size() const {
    std::lock_guard lock(mutex_);
    return operations_.size();
}

void deliver(Operations operations) {
    while (!operations.empty()) {
        reactor::Reactor& origin = operations.front()->origin();
        Operations own;
        Operations others;
        own.reserve(operations.size());
        for (std::unique_ptr<Operation>& each : operations)
            (&each->origin() == &origin ? own : others).push_back(std::move(each));
        origin.post([own = std::move(own)] {
            for (const std::unique_ptr<Operation>& each : own)
                each->settle();
        });
        operations = std::move(others);
    }
}

}  // namespace storage
