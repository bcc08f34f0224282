// TimerWheel: hierarchical timing wheel, 8 levels of 64 slots, 1 ms ticks, no allocation. Arm,
// cancel and re-arm are O(1); equal deadlines fire in arming order. Not thread safe: a wheel
// belongs to one shard. Time is fed in by the Reactor; nothing here reads a clock.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/unique_function.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

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

    /// Arms (or re-arms) for `deadline`, which is rounded up to the next tick. A deadline in the
    /// past fires in the next turn.
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
    Timer* next_ = nullptr;  // The list of a slot is circular; the slot points to its first.
    Timer* previous_ = nullptr;
    base::MonotonicTime deadline_;
    std::uint64_t tick_ = 0;
    std::uint16_t slot_ = 0;
};

/// A Timer that calls a function. The function is set once and kept over re-arms. It may destroy
/// the timer: what it captured lives until it returns.
class CallbackTimer final : public Timer {
public:
    explicit CallbackTimer(base::UniqueFunction<void()> function)
        : function_(std::move(function)) {}
    ~CallbackTimer() override {
        if (destroyed_) *destroyed_ = true;
    }

private:
    void on_expired() override;

    base::UniqueFunction<void()> function_;
    bool* destroyed_ = nullptr;  // Set while the function runs.
};

class TimerWheel {
public:
    static constexpr base::Duration kTick = std::chrono::milliseconds(1);

    explicit TimerWheel(base::MonotonicTime now);
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;
    /// CHECKs that no timer is armed.
    ~TimerWheel();

    /// Calls `on_expired` of every timer whose tick is reached, in order of deadline tick, then of
    /// arming. Those armed meanwhile for the past wait for the next call. Time going backwards is
    /// taken as standing still. If a timer throws, the next call goes on behind it.
    /// Returns how many were called.
    std::size_t expire(base::MonotonicTime now);
    /// A time at which `expire` should be called: never later than the first deadline's tick, and
    /// possibly earlier (then it fires nothing and has to be asked again). Empty: no timer is
    /// armed.
    std::optional<base::MonotonicTime> next_wakeup() const noexcept;
    std::size_t size() const noexcept { return size_; }

private:
    friend class Timer;
    static constexpr unsigned kLevels = 8;
    static constexpr unsigned kSlotBits = 6;
    static constexpr unsigned kSlots = 1u << kSlotBits;
    static constexpr std::uint16_t kDueSlot = kLevels * kSlots;  // To be called by `expire`.
    static constexpr std::uint16_t kLateSlot = kDueSlot + 1;     // Armed for the past.

    void insert(Timer& timer) noexcept;
    void append(Timer& timer, std::uint16_t slot) noexcept;
    void remove(Timer& timer) noexcept;
    void advance_to(std::uint64_t tick) noexcept;
    void move_all(std::uint16_t from, std::uint16_t to) noexcept;
    void cascade(std::uint16_t slot) noexcept;
    std::optional<std::uint64_t> next_tick() const noexcept;

    std::array<Timer*, kLevels * kSlots + 2> slots_{};
    std::array<std::uint64_t, kLevels> occupied_{};  // One bit per slot.
    std::uint64_t tick_;                             // Every tick up to this one has been served.
    std::size_t size_ = 0;
};

}  // namespace reactor
