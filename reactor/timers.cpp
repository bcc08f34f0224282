#include "reactor/timers.h"

#include "reactor/base/check.h"

#include <algorithm>
#include <bit>

namespace reactor {

namespace {

constexpr std::int64_t kTickNanoseconds = TimerWheel::kTick.count();
// Further ahead than the eight levels reach is treated as the end of what they reach.
constexpr std::uint64_t kTickMax = (std::uint64_t{1} << 48) - 1;

std::uint64_t tick_at_or_before(base::MonotonicTime time) noexcept {
    return time.nanoseconds <= 0 ? 0
                                 : static_cast<std::uint64_t>(time.nanoseconds / kTickNanoseconds);
}

std::uint64_t tick_at_or_after(base::MonotonicTime time) noexcept {
    if (time.nanoseconds <= 0) return 0;
    return static_cast<std::uint64_t>((time.nanoseconds - 1) / kTickNanoseconds) + 1;
}

}  // namespace

void Timer::arm(TimerWheel& wheel, base::MonotonicTime deadline) {
    if (wheel_) wheel_->remove(*this);
    deadline_ = deadline;
    wheel_ = &wheel;
    ++wheel.size_;
    wheel.insert(*this);
}

void Timer::cancel() noexcept {
    if (wheel_) wheel_->remove(*this);
}

void CallbackTimer::on_expired() {
    // The function moves to the stack for the call, and back even if it throws.
    struct Running {
        explicit Running(CallbackTimer& owner)
            : timer(owner), function(std::move(owner.function_)) {
            timer.destroyed_ = &destroyed;
        }
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;
        ~Running() {
            if (destroyed) return;
            timer.destroyed_ = nullptr;
            timer.function_ = std::move(function);
        }
        CallbackTimer& timer;
        base::UniqueFunction<void()> function;
        bool destroyed = false;
    } running(*this);
    running.function();
}

TimerWheel::TimerWheel(base::MonotonicTime now) : tick_(tick_at_or_before(now)) {}

TimerWheel::~TimerWheel() {
    CHECK(size_ == 0);
}

// The level is where the deadline's tick and the current one first differ, so a slot's timers are
// all in the future block of that slot, and a block's timers reach level 0 (in order, by cascade)
// before any is armed there directly. That keeps equal deadlines in arming order.
void TimerWheel::insert(Timer& timer) noexcept {
    timer.tick_ = std::min(tick_at_or_after(timer.deadline_), kTickMax);
    if (timer.tick_ <= tick_) {
        append(timer, kLateSlot);
        return;
    }
    const auto highest = static_cast<unsigned>(std::bit_width(timer.tick_ ^ tick_)) - 1;
    const unsigned level = highest / kSlotBits;
    const auto index = static_cast<unsigned>(timer.tick_ >> (level * kSlotBits)) & (kSlots - 1);
    append(timer, static_cast<std::uint16_t>(level * kSlots + index));
    occupied_[level] |= std::uint64_t{1} << index;
}

void TimerWheel::append(Timer& timer, std::uint16_t slot) noexcept {
    timer.slot_ = slot;
    Timer*& first = slots_[slot];
    if (!first) {
        timer.next_ = timer.previous_ = &timer;
        first = &timer;
        return;
    }
    timer.next_ = first;
    timer.previous_ = first->previous_;
    timer.previous_->next_ = &timer;
    first->previous_ = &timer;
}

void TimerWheel::remove(Timer& timer) noexcept {
    Timer*& first = slots_[timer.slot_];
    if (timer.next_ == &timer) {
        first = nullptr;
        if (timer.slot_ < kDueSlot)
            occupied_[timer.slot_ / kSlots] &= ~(std::uint64_t{1} << (timer.slot_ % kSlots));
    } else {
        timer.next_->previous_ = timer.previous_;
        timer.previous_->next_ = timer.next_;
        if (first == &timer) first = timer.next_;
    }
    timer.wheel_ = nullptr;
    --size_;
}

void TimerWheel::move_all(std::uint16_t from, std::uint16_t to) noexcept {
    Timer* first = std::exchange(slots_[from], nullptr);
    if (!first) return;
    if (from < kDueSlot) occupied_[from / kSlots] &= ~(std::uint64_t{1} << (from % kSlots));
    Timer* timer = first;
    do {
        Timer* next = timer->next_;
        append(*timer, to);
        timer = next;
    } while (timer != first);
}

// Spreads a slot of a higher level over the levels below, in order.
void TimerWheel::cascade(std::uint16_t slot) noexcept {
    Timer* first = std::exchange(slots_[slot], nullptr);
    if (!first) return;
    occupied_[slot / kSlots] &= ~(std::uint64_t{1} << (slot % kSlots));
    Timer* timer = first;
    do {
        Timer* next = timer->next_;
        if (timer->tick_ <= tick_) {
            append(*timer, kDueSlot);
        } else {
            insert(*timer);
        }
        timer = next;
    } while (timer != first);
}

// The next tick at which a slot comes up: a deadline on level 0, a cascade on the others.
std::optional<std::uint64_t> TimerWheel::next_tick() const noexcept {
    for (unsigned level = 0; level < kLevels; ++level) {
        const unsigned shift = level * kSlotBits;
        const auto index = static_cast<unsigned>(tick_ >> shift) & (kSlots - 1);
        // Slots behind the current one belong to the next block, which a higher level holds.
        const std::uint64_t ahead =
            index == kSlots - 1 ? 0 : occupied_[level] >> (index + 1) << (index + 1);
        if (ahead == 0) continue;
        const auto slot = static_cast<std::uint64_t>(std::countr_zero(ahead));
        const std::uint64_t block = tick_ >> shift >> kSlotBits << kSlotBits;
        return (block | slot) << shift;
    }
    return std::nullopt;
}

void TimerWheel::advance_to(std::uint64_t tick) noexcept {
    for (;;) {
        const std::optional<std::uint64_t> next = next_tick();
        if (!next || *next > tick) break;
        tick_ = *next;
        // Slots of several levels may begin at this tick; each comes down once.
        for (unsigned level = kLevels - 1; level > 0; --level) {
            const unsigned shift = level * kSlotBits;
            if ((tick_ & ((std::uint64_t{1} << shift) - 1)) != 0) continue;
            const auto index = static_cast<unsigned>(tick_ >> shift) & (kSlots - 1);
            cascade(static_cast<std::uint16_t>(level * kSlots + index));
        }
        move_all(static_cast<std::uint16_t>(tick_ & (kSlots - 1)), kDueSlot);
    }
    tick_ = std::max(tick_, tick);
}

std::size_t TimerWheel::expire(base::MonotonicTime now) {
    // What an exception left behind comes first, then what was armed for the past, then the wheel.
    move_all(kLateSlot, kDueSlot);
    advance_to(std::min(tick_at_or_before(now), kTickMax));
    std::size_t fired = 0;
    while (Timer* timer = slots_[kDueSlot]) {
        remove(*timer);
        ++fired;
        timer->on_expired();
    }
    return fired;
}

std::optional<base::MonotonicTime> TimerWheel::next_wakeup() const noexcept {
    if (size_ == 0) return std::nullopt;
    std::uint64_t tick = tick_;
    if (!slots_[kDueSlot] && !slots_[kLateSlot]) {
        const std::optional<std::uint64_t> next = next_tick();
        CHECK(next);
        tick = *next;
    }
    return base::MonotonicTime{static_cast<std::int64_t>(tick) * kTickNanoseconds};
}

}  // namespace reactor
