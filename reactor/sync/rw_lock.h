// RwLock: many readers or one writer, served in the order of asking, so that neither side starves.
#pragma once

#include "reactor/sync/lock.h"

namespace reactor {

class RwLock {
public:
    /// One more at the same time waits like a writer's turn.
    static constexpr std::size_t kReadersMax = 1'000'000;

    /// Errors and giving up as for Semaphore::acquire.
    Deferred<Permit> acquire_shared() { return permits_.acquire(); }
    Deferred<Permit> acquire() { return permits_.acquire(kReadersMax); }
    Permit try_acquire_shared() noexcept { return permits_.try_acquire(); }
    Permit try_acquire() noexcept { return permits_.try_acquire(kReadersMax); }
    std::size_t waiting() const noexcept { return permits_.waiting(); }

private:
    Semaphore permits_{kReadersMax};
};

}  // namespace reactor
