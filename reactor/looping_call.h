// LoopingCall: a function called at regular times. The times are start + k * interval, computed in
// integers, so there is no drift; slots that passed while the function (or the loop) was busy are
// skipped, never made up for in a burst. Semantics follow Twisted's LoopingCall; pause, resume and
// the error policies are additions.
#pragma once

#include "reactor/deferred.h"
#include "reactor/reactor.h"
#include "reactor/retry.h"

#include <cstdint>
#include <optional>

namespace reactor {

class LoopingCall {
public:
    /// `function` may return a failed or pending Deferred: the next call waits for it, and a
    /// failure ends the loop unless told otherwise below. Return `ready()` for plain work.
    /// Destroying the LoopingCall drops a pending one.
    LoopingCall(Reactor& reactor, base::UniqueFunction<Deferred<void>()> function);
    /// `function(n)`: n is the number of slots since the last call, normally 1; more when some were
    /// skipped. The call at the start counts 1. With interval 0 always 1.
    static LoopingCall with_count(Reactor& reactor,
                                  base::UniqueFunction<Deferred<void>(std::int64_t)> function);
    LoopingCall(const LoopingCall&) = delete;
    LoopingCall& operator=(const LoopingCall&) = delete;
    ~LoopingCall();

    enum class First : std::uint8_t { now, after_interval };

    /// Begins; `First::now` calls the function at once, inside start(). The Deferred settles when
    /// stop() has taken effect, or with the failure that ended the loop; cancelling it is stop(),
    /// dropping it too. Interval 0: once per turn. Fails with `already_running`, or
    /// `invalid_argument` for a negative interval.
    Deferred<void> start(base::Duration interval, First first = First::now);
    /// No more calls. A pending one is waited for, and then start()'s Deferred settles. No effect
    /// when not running.
    void stop() noexcept;
    /// Restarts the phase: the next call comes one interval from now. No effect while the
    /// function's Deferred is pending, or when not running.
    void reset() noexcept;
    bool running() const noexcept { return running_; }

    /// What resume() does about slots that passed meanwhile.
    enum class CatchUp : std::uint8_t { skip, once };
    /// No calls until resume(); a pending one goes on. Time and phase go on as well: with_count
    /// counts the slots that pass. No effect when paused already.
    void pause() noexcept;
    /// The next call comes at the next slot; with `CatchUp::once` at once if a slot was missed. No
    /// effect when not paused.
    void resume(CatchUp catch_up = CatchUp::skip);
    bool paused() const noexcept { return paused_; }

    /// A failure is logged as "looping_call.failed" and the loop goes on with the next slot.
    void log_and_continue_on_error() noexcept { on_error_ = OnError::log_and_continue; }
    /// A failure is logged, and the next call comes at the first slot not before the wait that
    /// `backoff` gives for so many failures in a row; attempts_max of them end the loop. `entropy`
    /// must outlive this.
    void back_off_on_error(const Backoff& backoff, Entropy& entropy) noexcept {
        on_error_ = OnError::back_off;
        backoff_ = backoff;
        entropy_ = &entropy;
    }

private:
    struct CountTag {};
    LoopingCall(Reactor& reactor, base::UniqueFunction<Deferred<void>(std::int64_t)> function,
                CountTag);

    class Tick final : public Timer {
    public:
        explicit Tick(LoopingCall& owner) noexcept : owner_(owner) {}

    private:
        void on_expired() override { owner_.call(); }
        LoopingCall& owner_;
    };
    class Settled final : public ReadyItem {
    public:
        explicit Settled(LoopingCall& owner) noexcept : owner_(owner) {}

    private:
        void run() override { owner_.call_settled(); }
        LoopingCall& owner_;
    };

    enum class OnError : std::uint8_t { stop, log_and_continue, back_off };

    void call();
    void call_settled();
    bool goes_on_after(const base::Failure& failure);
    Deferred<void> invoke(std::int64_t count) noexcept;
    void schedule() noexcept;
    void schedule_not_before(base::MonotonicTime time) noexcept;
    void finish(base::Result<void> result) noexcept;
    std::int64_t slots_passed() const noexcept;

    Reactor& reactor_;
    base::UniqueFunction<Deferred<void>(std::int64_t)> function_;
    base::Duration interval_{};
    base::MonotonicTime phase_start_;
    std::int64_t slots_told_ = 0;  // Up to and including the last call.
    bool running_ = false;
    bool calling_ = false;
    bool paused_ = false;
    OnError on_error_ = OnError::stop;
    std::uint32_t failures_ = 0;  // In a row.
    Backoff backoff_;
    Entropy* entropy_ = nullptr;
    std::optional<Promise<void>> done_;
    std::optional<Deferred<void>> pending_;
    Tick tick_{*this};
    Settled settled_{*this};
};

}  // namespace reactor
