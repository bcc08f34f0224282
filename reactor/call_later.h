// call_later: a function called once after a delay, with a handle to cancel or move it. For a
// deadline embedded in its owner, without an allocation, use Timer (reactor/timers.h); to wait in a
// coroutine, `sleep`.
#pragma once

#include "reactor/deferred.h"
#include "reactor/reactor.h"

#include <memory>

namespace reactor {

/// The handle of one call. Letting go of the handle does not cancel the call.
class DelayedCall {
public:
    DelayedCall() noexcept;
    DelayedCall(DelayedCall&&) noexcept;
    DelayedCall& operator=(DelayedCall&&) noexcept;
    ~DelayedCall();

    /// Withdraws the call: after this it is not made. Like `reset` and `delay` it fails with
    /// `already_called` or `already_cancelled` when there is nothing left to act on.
    base::Result<void> cancel();
    /// Made `delay` from now, whatever was planned.
    base::Result<void> reset(base::Duration delay);
    /// Made so much later than planned (earlier if negative, but not before this turn).
    base::Result<void> delay(base::Duration more);
    /// Still to come.
    bool active() const noexcept;
    /// When it is, or was, planned.
    base::MonotonicTime planned() const noexcept;

private:
    friend DelayedCall call_later(Reactor&, base::Duration, base::UniqueFunction<void()>);
    class Call;
    explicit DelayedCall(Call& call) noexcept;
    base::Result<void> check() const;
    void leave() noexcept;
    Call* call_ = nullptr;
};

/// Calls `function()` once, `delay` from now (0 or less: in the next turn). Calls of the same
/// deadline are made in the order of arming. An exception is logged and the loop goes on. What the
/// reactor did not call until its end is dropped with it. Shard only.
DelayedCall call_later(Reactor& reactor, base::Duration delay,
                       base::UniqueFunction<void()> function);

/// The result of `function()`, called after `delay`; it may return R, Result<R> or Deferred<R>.
/// Cancelling or dropping before withdraws the call, after it the work.
template <class F>
auto call_after(Reactor& reactor, base::Duration delay, F function)
    -> Deferred<detail::Flattened<std::invoke_result_t<F&>>> {
    return sleep(reactor, delay).then(std::move(function));
}

}  // namespace reactor
