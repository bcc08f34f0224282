// TaskSet: the owner of background work. An object that starts work that touches it holds a TaskSet
// as its last member: destroying the set ends every task at once, so none outlives what it uses.
#pragma once

#include "reactor/deferred.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reactor {

class TaskSet {
public:
    explicit TaskSet(Reactor& reactor) noexcept;
    TaskSet(const TaskSet&) = delete;
    TaskSet& operator=(const TaskSet&) = delete;
    /// Drops every task (hard cancel).
    ~TaskSet();

    /// Owns `task` until it settles. A failure other than `cancelled` is logged as "task.failed"
    /// with `name`, a literal. After `close` was called: dropped at once. A task may destroy the
    /// set.
    void add(std::string_view name, Deferred<void> task);
    /// Asks every task to end; they stay until they have.
    void cancel_all() noexcept;
    std::size_t size() const noexcept { return size_; }

    /// Takes no more tasks, cancels all, waits until they ended but at most `grace`, drops the rest
    /// (logged as "task.dropped"). The set must outlive the Deferred; dropping that stops only the
    /// wait.
    Deferred<void> close(base::Duration grace);

private:
    class Task;
    void settled(Task& task) noexcept;
    void drop_all() noexcept;

    Reactor& reactor_;
    detail::Link tasks_;
    std::size_t size_ = 0;
    std::uint64_t round_ = 0;    // Of cancel_all.
    bool* destroyed_ = nullptr;  // Set while cancel_all runs.
    bool closed_ = false;
    Promise<void>* emptied_ = nullptr;  // Lives in `close`'s frame.
};

}  // namespace reactor
