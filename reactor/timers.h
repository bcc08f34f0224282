// TimerWheel: hierarchical timing wheel, 8 levels of 64 slots, 1 ms ticks, no allocation. Arm, cancel
// and re-arm are O(1); equal deadlines fire in arming order.
// Not thread safe: a wheel belongs to one shard. Time is fed in by the Reactor; nothing here reads a clock.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/unique_function.h"

namespace reactor {

class TimerWheel;

/// One deadline. Embed it in its owner; destroying it cancels it. Immovable.
/// Guarantee: after `cancel()` or the destructor returns, `on_expired` is not called.
/// `on_expired` may re-arm, cancel or destroy the timer itself.
class Timer {
public:
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    virtual ~Timer() { cancel(); }

    /// Arms (or re-arms) for `deadline`, which is rounded up to the next tick. A deadline in the past
    /// fires in the next turn.
    void arm(TimerWheel& wheel, base::MonotonicTime deadline);
    void cancel() noexcept;
    bool armed() const noexcept { return wheel_ != nullptr; }
    /// Only meaningful while armed.
    base::MonotonicTime deadline() const noexcept { return deadline_; }

protected:
    virtual void on_expired() = 0;

private:
    friend class TimerWheel;
    TimerWheel* wheel_ = nullptr;
    Timer* next_ = nullptr;
    Timer* previous_ = nullptr;
    base::MonotonicTime deadline_;
    // Implementation may add fields; keep sizeof(Timer) <= 64.
};

/// A Timer that calls a function. The function is set once and kept over re-arms.
class CallbackTimer final : public Timer {
public:
    explicit CallbackTimer(base::UniqueFunction<void()> function) : function_(std::move(function)) {}

private:
    void on_expired() override { function_(); }
    base::UniqueFunction<void()> function_;
};

}  // namespace reactor
