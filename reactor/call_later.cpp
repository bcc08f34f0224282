#include "reactor/call_later.h"

#include <algorithm>

namespace reactor {

/// Owned by the reactor until it was called or cancelled, and by the handle: gone when both are.
class DelayedCall::Call final : public Timer,
                                public detail::DetachedBase,
                                public detail::FrameAllocated {
public:
    Call(Reactor& its_reactor, base::UniqueFunction<void()> its_function)
        : reactor(its_reactor), function(std::move(its_function)) {
        reactor.ready_queue().own(*this);
    }
    // The reactor drops what never ran while a handle may still be about.
    ~Call() override {
        if (handle) handle->call_ = nullptr;
    }

    void plan(base::Duration delay) {
        reactor.arm(*this, delay);
        time = reactor.now() + std::max(delay, base::Duration::zero());
    }
    void finish(base::Errc why) noexcept {
        Timer::cancel();
        end = why;
        base::UniqueFunction<void()> gone = std::move(function);
        if (handle) {
            detail::DetachedBase::unlink();
        } else {
            delete this;
        }
    }

    Reactor& reactor;
    base::UniqueFunction<void()> function;
    base::MonotonicTime time;
    DelayedCall* handle = nullptr;
    base::Errc end = base::Errc::internal;  // Once it is over: called or cancelled.

private:
    void on_expired() override {
        base::UniqueFunction<void()> calling = std::move(function);
        finish(base::Errc::already_called);
        calling();
    }
};

DelayedCall::DelayedCall() noexcept = default;

DelayedCall::DelayedCall(Call& call) noexcept : call_(&call) {
    call.handle = this;
}

DelayedCall::DelayedCall(DelayedCall&& other) noexcept
    : call_(std::exchange(other.call_, nullptr)) {
    if (call_) call_->handle = this;
}

DelayedCall& DelayedCall::operator=(DelayedCall&& other) noexcept {
    if (this == &other) return *this;
    leave();
    call_ = std::exchange(other.call_, nullptr);
    if (call_) call_->handle = this;
    return *this;
}

DelayedCall::~DelayedCall() {
    leave();
}

void DelayedCall::leave() noexcept {
    Call* call = std::exchange(call_, nullptr);
    if (!call) return;
    call->handle = nullptr;
    if (!call->armed()) delete call;
}

bool DelayedCall::active() const noexcept {
    return call_ && call_->armed();
}

base::MonotonicTime DelayedCall::planned() const noexcept {
    return call_ ? call_->time : base::MonotonicTime{};
}

base::Result<void> DelayedCall::check() const {
    if (!call_) return base::fail(base::Errc::already_cancelled, "the call went with its reactor");
    if (call_->armed()) return {};
    return base::fail(call_->end, call_->end == base::Errc::already_called
                                      ? "the delayed call was made"
                                      : "the delayed call was cancelled");
}

base::Result<void> DelayedCall::cancel() {
    TRY(check());
    call_->finish(base::Errc::already_cancelled);
    return {};
}

base::Result<void> DelayedCall::reset(base::Duration delay) {
    TRY(check());
    call_->plan(delay);
    return {};
}

base::Result<void> DelayedCall::delay(base::Duration more) {
    TRY(check());
    call_->plan(call_->time + more - call_->reactor.now());
    return {};
}

DelayedCall call_later(Reactor& reactor, base::Duration delay,
                       base::UniqueFunction<void()> function) {
    auto* call = new DelayedCall::Call(reactor, std::move(function));
    call->plan(delay);
    return DelayedCall(*call);
}

}  // namespace reactor
