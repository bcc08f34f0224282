#include "reactor/sync/rate_limiter.h"

#include <algorithm>
#include <string>

namespace reactor {

namespace {
struct WaiterLink : detail::Link {};
constexpr std::uint64_t kSecond = 1'000'000'000;
}  // namespace

class RateLimiter::Waiter final : public detail::ValueNode<void>,
                                  public WaiterLink,
                                  public detail::FrameAllocated {
public:
    Waiter(RateLimiter& limiter, std::uint64_t units) noexcept : limiter_(limiter), units_(units) {
        insert_before(limiter_.waiters_);
        ++limiter_.waiting_;
    }
    static Waiter& at(detail::Link& link) noexcept {
        return static_cast<Waiter&>(static_cast<WaiterLink&>(link));
    }
    std::uint64_t units() const noexcept { return units_; }
    void finish(const base::Result<void>& result) noexcept {
        leave();
        settle(result);
    }
    void cancel() noexcept override {
        if (settled()) return;
        RateLimiter& limiter = limiter_;
        finish(base::fail(base::Errc::cancelled));
        limiter.serve();
    }
    void drop() noexcept override {
        RateLimiter* const limiter = linked() ? &limiter_ : nullptr;
        if (limiter) leave();
        delete this;
        if (limiter) limiter->serve();
    }
    detail::Hop hop() const noexcept override { return {"rate_limiter", {}, nullptr}; }

private:
    void leave() noexcept {
        unlink();
        --limiter_.waiting_;
    }
    RateLimiter& limiter_;
    std::uint64_t units_;
};

RateLimiter::RateLimiter(Reactor& reactor, const RateLimit& limit)
    : reactor_(reactor), limit_(limit), full_at_(reactor.now()) {
    CHECK(limit.units_per_second > 0 && limit.burst > 0);
    CHECK(limit.burst <= limit.units_per_second * 3600);  // Keeps `cost` within 64 bits.
    waiters_.next = waiters_.previous = &waiters_;
}

RateLimiter::~RateLimiter() {
    while (waiters_.next != &waiters_)
        Waiter::at(*waiters_.next).finish(base::fail(base::Errc::closed));
}

base::Duration RateLimiter::cost(std::uint64_t units) const noexcept {
    const std::uint64_t seconds = units / limit_.units_per_second;
    const std::uint64_t rest = units % limit_.units_per_second;
    // rest < rate, and no rate worth limiting is beyond 10^10 a second; divide first if it is.
    const std::uint64_t part = limit_.units_per_second <= kSecond * 10
                                   ? rest * kSecond / limit_.units_per_second
                                   : rest / (limit_.units_per_second / kSecond);
    return base::Duration(static_cast<std::int64_t>(seconds * kSecond + part));
}

// `units` are there once the bucket lacks no more than the rest of the burst.
base::MonotonicTime RateLimiter::time_for(std::uint64_t units) const noexcept {
    return full_at_ - cost(limit_.burst - units);
}

std::uint64_t RateLimiter::available() const noexcept {
    const base::Duration missing = full_at_ - reactor_.now();
    if (missing <= base::Duration::zero()) return limit_.burst;
    std::uint64_t low = 0;
    std::uint64_t high = limit_.burst;
    while (low < high) {  // The most units that are there by now.
        const std::uint64_t middle = low + (high - low + 1) / 2;
        if (time_for(middle) <= reactor_.now()) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

void RateLimiter::use(std::uint64_t units) noexcept {
    full_at_ = std::max(full_at_, reactor_.now()) + cost(units);
}

bool RateLimiter::try_acquire(std::uint64_t units) noexcept {
    if (waiting_ > 0 || units > limit_.burst || time_for(units) > reactor_.now()) return false;
    use(units);
    return true;
}

Deferred<void> RateLimiter::acquire(std::uint64_t units) {
    if (units > limit_.burst)
        return base::Failure(
            base::Errc::invalid_argument,
            std::to_string(units) + " units at once of a burst of " + std::to_string(limit_.burst));
    if (try_acquire(units)) return ready();
    if (waiting_ >= limit_.waiters_max)
        return base::Failure(base::Errc::queue_full, "too many wait for the same rate");
    Deferred<void> waiting(*new Waiter(*this, units));
    serve();
    return waiting;
}

void RateLimiter::serve() noexcept {
    while (waiters_.next != &waiters_) {
        Waiter& first = Waiter::at(*waiters_.next);
        const base::MonotonicTime time = time_for(first.units());
        if (time > reactor_.now()) {
            tick_.arm(reactor_.wheel(), time);
            return;
        }
        use(first.units());
        first.finish({});
    }
    tick_.cancel();
}

}  // namespace reactor
