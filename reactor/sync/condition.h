// Condition: wait, without the lock, until somebody who holds it has changed something. Between the
// notice and having the lock again others may run, so look again: `while (!ready) held = …`.
#pragma once

#include "reactor/sync/event.h"
#include "reactor/sync/lock.h"

namespace reactor {

class Condition {
public:
    /// Gives `held`, a permit of `lock`, back and takes it again after a notice. Cancelled or
    /// dropped: the lock is not held. Both must outlive the Deferred.
    Deferred<Permit> wait(Lock& lock, Permit held) {
        Deferred<void> notice = notices_.wait();
        held.release();
        base::Result<void> noticed = co_await std::move(notice);
        if (!noticed) co_return std::move(noticed).error();
        Deferred<Permit> again = lock.acquire();
        co_return co_await std::move(again);
    }
    /// The one that waits longest, if any.
    void notify_one() noexcept { notices_.pulse_one(); }
    void notify_all() noexcept { notices_.pulse(); }
    std::size_t waiting() const noexcept { return notices_.waiting(); }

private:
    Event notices_;
};

}  // namespace reactor
