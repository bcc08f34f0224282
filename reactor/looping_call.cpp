#include "reactor/looping_call.h"

#include <algorithm>

namespace reactor {

LoopingCall::LoopingCall(Reactor& reactor, base::UniqueFunction<Deferred<void>()> function)
    : LoopingCall(
          reactor, [function = std::move(function)](std::int64_t) mutable { return function(); },
          CountTag{}) {}

LoopingCall LoopingCall::with_count(Reactor& reactor,
                                    base::UniqueFunction<Deferred<void>(std::int64_t)> function) {
    return {reactor, std::move(function), CountTag{}};
}

LoopingCall::LoopingCall(Reactor& reactor,
                         base::UniqueFunction<Deferred<void>(std::int64_t)> function, CountTag)
    : reactor_(reactor), function_(std::move(function)) {}

LoopingCall::~LoopingCall() = default;

Deferred<void> LoopingCall::start(base::Duration interval, First first) {
    if (running_ || done_)
        return base::Failure(base::Errc::already_running, "the loop has not ended yet");
    if (interval < base::Duration::zero())
        return base::Failure(base::Errc::invalid_argument, "a negative interval");
    running_ = true;
    paused_ = false;
    failures_ = 0;
    interval_ = interval;
    phase_start_ = reactor_.now();
    // Slot 0 is the start itself; told as the one slot of a call made at once.
    slots_told_ = first == First::now ? -1 : 0;
    done_.emplace();
    Deferred<void> done = done_->deferred([this] { stop(); });
    if (first == First::now) {
        call();
    } else {
        schedule();
    }
    return done;
}

std::int64_t LoopingCall::slots_passed() const noexcept {
    if (interval_ == base::Duration::zero()) return slots_told_ + 1;
    return (reactor_.now() - phase_start_).count() / interval_.count();
}

void LoopingCall::call() {
    const std::int64_t passed = slots_passed();
    const std::int64_t count = passed - slots_told_;
    if (count <= 0) {  // The tick came early by rounding.
        schedule();
        return;
    }
    slots_told_ = passed;
    calling_ = true;
    Deferred<void> work = invoke(count);
    pending_.emplace(std::move(work));
    pending_->notify(settled_);
}

Deferred<void> LoopingCall::invoke(std::int64_t count) noexcept {
    try {
        return function_(count);
    } catch (...) {
        return detail::failure_of_current_exception();
    }
}

void LoopingCall::call_settled() {
    base::Result<void> result = pending_->take();
    pending_.reset();
    calling_ = false;
    if (!running_ || (!result && !goes_on_after(result.error()))) {
        finish(std::move(result));
        return;
    }
    if (result) failures_ = 0;
    if (paused_) return;
    if (!result && on_error_ == OnError::back_off) {
        schedule_not_before(reactor_.now() + backoff_.wait_after(failures_, *entropy_));
    } else {
        schedule();
    }
}

bool LoopingCall::goes_on_after(const base::Failure& failure) {
    if (on_error_ == OnError::stop) return false;
    ++failures_;
    reactor_.log().error("looping_call.failed",
                         {{"failure", failure.message()}, {"in_a_row", failures_}});
    return on_error_ == OnError::log_and_continue || failures_ < backoff_.attempts_max;
}

void LoopingCall::schedule() noexcept {
    if (interval_ == base::Duration::zero()) {
        reactor_.arm(tick_, base::Duration::zero());
        return;
    }
    tick_.arm(reactor_.wheel(), phase_start_ + interval_ * (slots_passed() + 1));
}

void LoopingCall::schedule_not_before(base::MonotonicTime time) noexcept {
    if (interval_ == base::Duration::zero()) {
        tick_.arm(reactor_.wheel(), time);
        return;
    }
    const std::int64_t interval = interval_.count();
    const std::int64_t slot = ((time - phase_start_).count() + interval - 1) / interval;
    tick_.arm(reactor_.wheel(), phase_start_ + interval_ * std::max(slot, slots_passed() + 1));
}

void LoopingCall::pause() noexcept {
    if (!running_ || paused_) return;
    paused_ = true;
    tick_.cancel();
}

void LoopingCall::resume(CatchUp catch_up) {
    if (!running_ || !std::exchange(paused_, false) || calling_) return;
    if (catch_up == CatchUp::once && slots_passed() > slots_told_) {
        call();
    } else {
        schedule();
    }
}

void LoopingCall::stop() noexcept {
    if (!running_) return;
    running_ = false;
    tick_.cancel();
    if (!calling_) finish({});
}

void LoopingCall::reset() noexcept {
    if (!running_ || calling_) return;
    phase_start_ = reactor_.now();
    slots_told_ = 0;
    if (!paused_) schedule();
}

void LoopingCall::finish(base::Result<void> result) noexcept {
    running_ = false;
    // Emptied first: whoever is told may start the loop again.
    if (auto done = std::exchange(done_, std::nullopt)) done->try_resolve(std::move(result));
}

}  // namespace reactor
