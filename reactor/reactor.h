// Reactor: the loop of one shard. A turn tells descriptor events, runs posted calls, due timers and
// the ready queue (continuations, deferred calls), then the turn-end flushes. Time is frozen during
// a turn. Boost.Asio's io_context is the poll at the bottom (signals, interop); see poller.cpp.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/log.h"
#include "reactor/base/unique_function.h"
#include "reactor/ready_queue.h"
#include "reactor/timers.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace reactor {

class Clock;
class Poller;

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

/// Calls waiting for this shard outside the Reactor (mailboxes); see reactor/mailboxes.h.
class Inbox {
public:
    /// Runs some of what waits; called once per turn.
    virtual void drain() = 0;
    /// Asked before the loop sleeps; any call published before must be seen (seq_cst).
    virtual bool empty() const noexcept = 0;

protected:
    ~Inbox() = default;
};

/// Told about each turn; see reactor/loop_monitor.h. Runs on the shard and must not throw.
class TurnMonitor {
public:
    virtual void turn_begins(base::MonotonicTime now) noexcept = 0;
    virtual void turn_ended() noexcept = 0;

protected:
    ~TurnMonitor() = default;
};

/// Counted since construction; shard only.
struct ReactorStatistics {
    std::uint64_t turns = 0;
    std::uint64_t sleeps = 0;  ///< Turns that waited in the kernel.
    std::uint64_t steps = 0;   ///< Items of the ready queue.
    std::uint64_t timers = 0;  ///< Timers fired.
    std::uint64_t posted = 0;  ///< Calls through `post`.
    std::uint64_t fd_events = 0;
    std::uint64_t exceptions = 0;  ///< Caught at the turn boundary.
};

class Reactor {
public:
    /// Ready items per turn before timers and descriptors get their chance.
    static constexpr std::size_t kStepsPerTurnMax = 10'000;
    /// Posted calls per turn; the rest waits for the next.
    static constexpr std::size_t kPostedPerTurnMax = 1024;

    /// `log` gets "reactor.turn_exception" and "deferred.unhandled".
    explicit Reactor(const Clock& clock, base::Log log = base::Log::silent());
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;
    /// Drops detached work and calls that never ran, then CHECKs that no timer is armed. Nobody may
    /// post any more.
    ~Reactor();

    /// The reactor whose turn is running on this thread (or whose Scope is entered); CHECKs that
    /// there is one.
    static Reactor& current();
    static bool has_current() noexcept;

    /// Time of this turn.
    base::MonotonicTime now() const noexcept;
    TimerWheel& wheel() noexcept;
    /// Arms `timer` to fire at now() + delay.
    void arm(Timer& timer, base::Duration delay);

    /// Runs `call` later in this turn, in order, never inside the caller's stack. Shard only.
    void soon(base::UniqueFunction<void()> call);
    /// Like `soon`, from any thread; wakes the loop. Unbounded: whoever posts bounds what may be
    /// outstanding (the pool and the mailboxes do).
    void post(base::UniqueFunction<void()> call);
    /// Shard only.
    void at_turn_end(TurnEnd& flush);

    /// Runs turns until `stop()`. May be called again afterwards.
    void run();
    /// From any thread; the running turn is finished. Before `run`: it ends after its first turn.
    void stop();

    /// One turn without waiting. `poll`: look at descriptors too (the simulator does without).
    void run_turn(bool poll = true);
    /// True when a turn without polling at time `now` would find something to do.
    bool runnable(base::MonotonicTime now) const noexcept;

    /// Makes the reactor current outside a turn, for set-up: what is started inside belongs to it.
    class Scope {
    public:
        explicit Scope(Reactor& reactor) noexcept;
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope();

    private:
        Reactor* outer_;
        ReadyQueue::Scope queue_scope_;
    };

    ReadyQueue& ready_queue() noexcept;
    const base::Log& log() const noexcept;
    const ReactorStatistics& statistics() const noexcept;

    // For the parts of the library that sit on the loop.

    /// At most one; null to remove.
    void set_inbox(Inbox* inbox) noexcept;
    /// Head of the list of live tasks (reactor/task/task_list.h).
    detail::Link& task_entries() noexcept;
    /// At most one; null to remove.
    void set_monitor(TurnMonitor* monitor) noexcept;
    /// Before somebody else waits for this loop (reactor/embed.h): how long at most, empty for
    /// ever. From here on `ring` writes to the poller's descriptor. Shard only.
    std::optional<base::Duration> prepare_wait();
    /// After that wait.
    void finish_wait() noexcept;
    /// Wakes the loop if it sleeps. Any thread; publish (seq_cst) before.
    void ring() noexcept;
    /// Descriptors and Asio; made on first use, on the shard's thread.
    Poller& poller();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace reactor
