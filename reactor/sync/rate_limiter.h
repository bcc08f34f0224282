// RateLimiter: so many units a second on average, so many at once. Waiters are served in order, one
// timer serves them all, and nothing runs while nobody waits: what has been refilled is computed
// when it is asked for, in integers.
#pragma once

#include "reactor/deferred.h"
#include "reactor/reactor.h"

#include <cstddef>
#include <cstdint>

namespace reactor {

struct RateLimit {
    std::uint64_t units_per_second = 1;
    std::uint64_t burst = 1;  ///< Units that may be taken at once after a quiet time.
    std::size_t waiters_max = 65'536;
};

class RateLimiter {
public:
    /// Begins full. CHECKs that rate and burst are not 0.
    RateLimiter(Reactor& reactor, const RateLimit& limit);
    RateLimiter(const RateLimiter&) = delete;
    RateLimiter& operator=(const RateLimiter&) = delete;
    /// Who waits gets `closed`.
    ~RateLimiter();

    /// Settles when `units` may be used. More than the burst: `invalid_argument`; too many wait:
    /// `queue_full`. Cancelled or dropped: the units are not used up.
    Deferred<void> acquire(std::uint64_t units = 1);
    /// Now or not at all; does not overtake who waits.
    bool try_acquire(std::uint64_t units = 1) noexcept;
    std::uint64_t available() const noexcept;
    std::size_t waiting() const noexcept { return waiting_; }

private:
    class Waiter;
    class Tick final : public Timer {
    public:
        explicit Tick(RateLimiter& owner) noexcept : owner_(owner) {}

    private:
        void on_expired() override { owner_.serve(); }
        RateLimiter& owner_;
    };

    base::Duration cost(std::uint64_t units) const noexcept;
    base::MonotonicTime time_for(std::uint64_t units) const noexcept;
    void use(std::uint64_t units) noexcept;
    void serve() noexcept;

    Reactor& reactor_;
    RateLimit limit_;
    base::MonotonicTime full_at_;  // When the bucket will be full again.
    detail::Link waiters_;
    std::size_t waiting_ = 0;
    Tick tick_{*this};
};

}  // namespace reactor
