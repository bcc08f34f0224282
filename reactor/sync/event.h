// Event: a flag that coroutines of one shard wait for. Setting it wakes everybody who waits, in the
// order of waiting, and whoever comes later does not wait until it is cleared.
#pragma once

#include "reactor/deferred.h"

#include <cstddef>

namespace reactor {

class Event {
public:
    explicit Event(bool set = false) noexcept : set_(set) {
        waiters_.next = waiters_.previous = &waiters_;
    }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    /// Who waits gets `closed`.
    ~Event();

    void set() noexcept;
    /// Wakes who waits now and stays clear.
    void pulse() noexcept;
    /// Wakes only the one that waits longest.
    void pulse_one() noexcept;
    void clear() noexcept { set_ = false; }
    bool is_set() const noexcept { return set_; }
    Deferred<void> wait();
    std::size_t waiting() const noexcept { return waiting_; }

private:
    class Waiter;
    void settle_all(const base::Result<void>& result) noexcept;

    detail::Link waiters_;
    std::size_t waiting_ = 0;
    bool set_;
};

}  // namespace reactor
