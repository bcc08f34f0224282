// retry: try again what may succeed later, after growing, jittered waits.
#pragma once

#include "reactor/deferred.h"
#include "reactor/world.h"

#include <chrono>
#include <cstdint>

namespace reactor {

/// The waits between attempts. Attempt n (from 1) is followed by initial * factor^(n-1), at most
/// `max`, of which the share `jitter` is random: wait * (1 - jitter) + random(0 .. wait * jitter).
struct Backoff {
    base::Duration initial = std::chrono::milliseconds(100);
    base::Duration max = std::chrono::seconds(60);
    double factor = 2.0;
    double jitter = 0.5;              ///< 0 to 1.
    std::uint32_t attempts_max = 10;  ///< Calls altogether, the first included; at least 1.

    /// The wait after failed attempt `attempt`.
    base::Duration wait_after(std::uint32_t attempt, Entropy& entropy) const;
};

/// Calls `attempt()`, which returns Deferred<T>, until it succeeds, fails with something that
/// `is_transient(failure)` denies, or attempts_max is reached; the last failure is the result.
/// Cancelling ends the attempt or the wait. Both callables live until the Deferred settles.
template <class Attempt, class IsTransient>
auto retry(World& world, Backoff backoff, Attempt attempt, IsTransient is_transient)
    -> std::invoke_result_t<Attempt&> {
    for (std::uint32_t count = 1;; ++count) {
        std::invoke_result_t<Attempt&> work = attempt();
        auto result = co_await std::move(work);
        if (result || count >= backoff.attempts_max || !is_transient(result.error()))
            co_return result;
        co_await sleep(world.reactor, backoff.wait_after(count, world.entropy));
    }
}

}  // namespace reactor
