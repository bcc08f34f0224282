// Reactor: the loop of one shard. A turn runs the ready queue (continuations, deferred calls), posted
// calls, due timers, then the turn-end flushes, and polls. Time is frozen during a turn.
// Boost.Asio's io_context is the poll at the bottom (signals, interop); see reactor.cpp.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/unique_function.h"
#include "reactor/timers.h"

#include <cstdint>
#include <memory>

namespace reactor {

class Clock;

/// Intrusive: something to do once at the end of the running turn (write coalescing). Idempotent
/// within a turn; destroying it withdraws it.
class TurnEnd {
public:
    TurnEnd() = default;
    TurnEnd(const TurnEnd&) = delete;
    TurnEnd& operator=(const TurnEnd&) = delete;
    virtual ~TurnEnd() { withdraw(); }
    void withdraw() noexcept;

protected:
    virtual void on_turn_end() = 0;

private:
    friend class Reactor;
    TurnEnd* next_ = nullptr;
    TurnEnd* previous_ = nullptr;
};

class Reactor {
public:
    explicit Reactor(const Clock& clock);
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;
    /// CHECKs that no timer is armed and no task lives.
    ~Reactor();

    /// The reactor whose turn is running on this thread; CHECKs that there is one.
    static Reactor& current();

    /// Time of this turn.
    base::MonotonicTime now() const noexcept;
    TimerWheel& wheel() noexcept;
    /// Arms `timer` for now() + delay.
    void arm(Timer& timer, base::Duration delay);

    /// Runs `call` later in this turn, in order, never inside the caller's stack. Shard only.
    void soon(base::UniqueFunction<void()> call);
    /// Like `soon`, from any thread; wakes the loop.
    void post(base::UniqueFunction<void()> call);
    /// Shard only.
    void at_turn_end(TurnEnd& flush);

    /// Runs turns until `stop()`. May be called again afterwards.
    void run();
    /// From any thread; the running turn is finished.
    void stop();

    // … the implementation adds: run_turn(), FdWatch registration, step budget, statistics.

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace reactor
