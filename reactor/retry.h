// retry: try again what may succeed later, after growing, jittered waits.
#pragma once

#include "reactor/combine.h"
#include "reactor/deferred.h"
#include "reactor/world.h"

#include <chrono>
#include <cstdint>
#include <optional>

namespace reactor {

/// The waits between attempts. Attempt n (from 1) is followed by initial * factor^(n-1), at most
/// `max`, of which the share `jitter` is random: wait * (1 - jitter) + random(0 .. wait * jitter).
struct Backoff {
    base::Duration initial = std::chrono::milliseconds(100);
    base::Duration max = std::chrono::seconds(60);
    double factor = 2.0;
    double jitter = 0.5;              ///< 0 to 1.
    std::uint32_t attempts_max = 10;  ///< Calls altogether, the first included; at least 1.
    base::Duration additive{};        ///< A random part up to this is added, beyond `max` too.

    /// The wait after failed attempt `attempt`.
    base::Duration wait_after(std::uint32_t attempt, Entropy& entropy) const;
};

/// Keeps retries a share of the traffic: many callers that retry against one peer share a budget,
/// so that its failure does not multiply what it gets. A retry costs one, a success earns
/// `earned_per_success`.
class RetryBudget {
public:
    RetryBudget(double tokens_max, double earned_per_success) noexcept
        : tokens_max_(tokens_max), earned_(earned_per_success), tokens_(tokens_max) {}
    bool try_spend() noexcept {
        if (tokens_ < 1.0) return false;
        tokens_ -= 1.0;
        return true;
    }
    void earn() noexcept {
        tokens_ = tokens_ + earned_ < tokens_max_ ? tokens_ + earned_ : tokens_max_;
    }
    double tokens() const noexcept { return tokens_; }

private:
    double tokens_max_;
    double earned_;
    double tokens_;
};

struct RetryLimits {
    /// No attempt begins after it, and one under way is cancelled (`timed_out`).
    std::optional<base::MonotonicTime> deadline = {};
    RetryBudget* budget = nullptr;  ///< Empty: the last failure is the result.
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

/// The same within limits.
template <class Attempt, class IsTransient>
auto retry(World& world, Backoff backoff, Attempt attempt, IsTransient is_transient,
           RetryLimits limits) -> std::invoke_result_t<Attempt&> {
    for (std::uint32_t count = 1;; ++count) {
        std::invoke_result_t<Attempt&> work = attempt();
        if (limits.deadline) work = with_deadline(world.reactor, std::move(work), *limits.deadline);
        auto result = co_await std::move(work);
        if (result && limits.budget) limits.budget->earn();
        if (result || count >= backoff.attempts_max || !is_transient(result.error()))
            co_return result;
        const base::Duration wait = backoff.wait_after(count, world.entropy);
        if (limits.deadline && world.reactor.now() + wait >= *limits.deadline) co_return result;
        if (limits.budget && !limits.budget->try_spend()) co_return result;
        Deferred<void> waiting = sleep(world.reactor, wait);
        co_await std::move(waiting);
    }
}

}  // namespace reactor
