// Alarm: one wake-up at a time, as exact as its maker can. The wheel's timers tick in milliseconds;
// an open loop of thousands of messages a second needs better, or its own wake-ups would be most of
// the latency that it reports.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/unique_function.h"
#include "reactor/world.h"

#include <functional>
#include <memory>

namespace bots {

class Alarm {
public:
    virtual ~Alarm() = default;
    /// Calls the function once, from the loop, at `when` or soon after; at once if that has passed.
    /// Replaces what was set before.
    virtual void set(base::MonotonicTime when) = 0;
    virtual void cancel() = 0;
};

using AlarmFunction = base::UniqueFunction<void()>;
using MakeAlarm =
    std::function<std::unique_ptr<Alarm>(reactor::World& world, AlarmFunction function)>;

/// On the World's timer wheel: to the millisecond, and on virtual time as well.
std::unique_ptr<Alarm> make_wheel_alarm(reactor::World& world, AlarmFunction function);
/// On a timerfd of the kernel: to some 50 µs. Where there is none to be had, the wheel.
std::unique_ptr<Alarm> make_exact_alarm(reactor::World& world, AlarmFunction function);

}  // namespace bots
