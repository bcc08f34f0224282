// Lock and Semaphore for coroutines of one shard: whoever comes first is served first, a permit is
// given back by destroying it, a waiter that gives up leaves the line. Across threads they are of
// no use: shards share nothing.
#pragma once

#include "reactor/deferred.h"

#include <cstddef>
#include <string_view>

namespace reactor {

class Lock;
class LockOwner;
class Semaphore;

/// Held permits; gives them back when destroyed. The Semaphore or Lock must outlive it.
class [[nodiscard]] Permit {
public:
    Permit() noexcept = default;
    Permit(Permit&& other) noexcept
        : semaphore_(std::exchange(other.semaphore_, nullptr)), count_(other.count_) {}
    Permit& operator=(Permit&& other) noexcept {
        if (this == &other) return *this;
        release();
        semaphore_ = std::exchange(other.semaphore_, nullptr);
        count_ = other.count_;
        return *this;
    }
    ~Permit() { release(); }

    /// Before the end of its life; a second time it has no effect.
    void release() noexcept;
    bool held() const noexcept { return semaphore_ != nullptr; }

private:
    friend class Semaphore;
    Permit(Semaphore& semaphore, std::size_t count) noexcept
        : semaphore_(&semaphore), count_(count) {}

    Semaphore* semaphore_ = nullptr;
    std::size_t count_ = 0;
};

class Semaphore {
public:
    static constexpr std::size_t kWaitersMax = 65'536;

    /// CHECKs that there is a permit at all. One more than `waiters_max` that would wait is
    /// refused with `queue_full`.
    explicit Semaphore(std::size_t permits, std::size_t waiters_max = kWaitersMax);
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;
    /// Who waits gets `closed`. CHECKs that no permit is out.
    ~Semaphore();

    /// `count` permits at once, in the order of asking: a large request at the head of the line
    /// holds up the small ones behind. More than there are at all: `invalid_argument`. Cancelling
    /// or dropping leaves the line; a permit granted but not taken goes to the next.
    Deferred<Permit> acquire(std::size_t count = 1);
    /// Now or not at all (an empty permit); does not overtake who waits.
    Permit try_acquire(std::size_t count = 1) noexcept;
    /// Calls `f()` with one permit held until what it returns has settled.
    template <class F>
    auto run(F f) -> Deferred<detail::Flattened<std::invoke_result_t<F&>>>;

    std::size_t available() const noexcept { return available_; }
    std::size_t waiting() const noexcept { return waiting_; }

private:
    friend class Lock;
    friend class Permit;
    class Waiter;

    Deferred<Permit> acquire_for(std::size_t count, LockOwner* owner, Lock* lock);
    void give_back(std::size_t count) noexcept;
    void serve() noexcept;

    std::size_t permits_;
    std::size_t available_;
    std::size_t waiters_max_;
    std::size_t waiting_ = 0;
    detail::Link line_;
    LockOwner* holder_ = nullptr;  // Of a Lock.
};

/// Somebody who takes Locks, with a name for messages: tell it to `acquire`, and a wait that could
/// never end is refused instead. It must outlive its waits and permits.
class LockOwner {
public:
    explicit LockOwner(std::string_view name) noexcept : name_(name) {}
    LockOwner(const LockOwner&) = delete;
    LockOwner& operator=(const LockOwner&) = delete;
    std::string_view name() const noexcept { return name_; }

private:
    friend class Lock;
    friend class Semaphore;
    std::string_view name_;
    Lock* waits_for_ = nullptr;
};

class Lock {
public:
    /// `name` is a literal, for messages.
    explicit Lock(std::string_view name = "lock") : name_(name), semaphore_(1) {}

    Deferred<Permit> acquire() { return semaphore_.acquire(); }
    /// Fails with `would_deadlock` and the cycle in words if `owner`, directly or through others
    /// who named themselves, waits for itself. An owner waits for one Lock at a time.
    Deferred<Permit> acquire(LockOwner& owner);
    Permit try_acquire() noexcept { return semaphore_.try_acquire(); }
    template <class F>
    auto run(F f) {
        return semaphore_.run(std::move(f));
    }
    bool held() const noexcept { return semaphore_.available() == 0; }
    std::size_t waiting() const noexcept { return semaphore_.waiting(); }
    std::string_view name() const noexcept { return name_; }

private:
    std::string_view name_;
    Semaphore semaphore_;
};

template <class F>
auto Semaphore::run(F f) -> Deferred<detail::Flattened<std::invoke_result_t<F&>>> {
    using U = detail::Flattened<std::invoke_result_t<F&>>;
    Deferred<Permit> acquiring = acquire();
    base::Result<Permit> permit = co_await std::move(acquiring).as_result();
    if (!permit) co_return std::move(permit).error();
    Deferred<U> work = detail::call_flat<U>(f);
    co_return co_await std::move(work).as_result();
}

}  // namespace reactor
