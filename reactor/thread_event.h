// ThreadEvent: a flag that any thread may set and clear, and that shards await and threads wait
// for. The only thing of its kind: on a shard nothing else may wait for another thread.
#pragma once

#include "reactor/deferred.h"

namespace reactor {

class ThreadEvent {
public:
    ThreadEvent();
    ThreadEvent(const ThreadEvent&) = delete;
    ThreadEvent& operator=(const ThreadEvent&) = delete;
    /// Nobody may be inside a call. Deferreds that wait fail with `broken_promise`, each on its
    /// shard.
    ~ThreadEvent();

    /// Wakes all who wait now. Any thread.
    void set();
    void clear();
    bool is_set() const noexcept;

    /// On a shard: settles there when the flag is set (at once, if it is). Dropping or cancelling
    /// leaves the event alone.
    Deferred<void> wait();
    /// On a thread that is no shard: true when the flag was set within `limit`. On a shard:
    /// false at once unless it is set, for it would stop the loop that may have to set it.
    bool wait_blocking(base::Duration limit);

private:
    struct Impl;
    Impl* const impl_;  // Shared with the Deferreds that wait.
};

}  // namespace reactor
