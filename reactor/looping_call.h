// LoopingCall: a function called at regular times. The times are start + k * interval, computed in
// integers, so there is no drift; slots that passed while the function (or the loop) was busy are
// skipped, never made up for in a burst. Semantics follow Twisted's LoopingCall.
#pragma once

#include "reactor/deferred.h"
#include "reactor/reactor.h"

#include <cstdint>
#include <optional>

namespace reactor {

class LoopingCall {
public:
    /// `function` may return a failed or pending Deferred: the next call waits for it, and a
    /// failure ends the loop. Return `ready()` for plain work. Destroying the LoopingCall drops a
    /// pending one.
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
    /// dropping it too. Interval 0: once per turn. CHECKs: not running, interval not negative.
    Deferred<void> start(base::Duration interval, First first = First::now);
    /// No more calls. A pending one is waited for, and then start()'s Deferred settles. No effect
    /// when not running.
    void stop() noexcept;
    /// Restarts the phase: the next call comes one interval from now. No effect while the
    /// function's Deferred is pending, or when not running.
    void reset() noexcept;
    bool running() const noexcept { return running_; }

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

    void call();
    void call_settled();
    Deferred<void> invoke(std::int64_t count) noexcept;
    void schedule() noexcept;
    void finish(base::Result<void> result) noexcept;
    std::int64_t slots_passed() const noexcept;

    Reactor& reactor_;
    base::UniqueFunction<Deferred<void>(std::int64_t)> function_;
    base::Duration interval_{};
    base::MonotonicTime phase_start_;
    std::int64_t slots_told_ = 0;  // Up to and including the last call.
    bool running_ = false;
    bool calling_ = false;
    std::optional<Promise<void>> done_;
    std::optional<Deferred<void>> pending_;
    Tick tick_{*this};
    Settled settled_{*this};
};

}  // namespace reactor
