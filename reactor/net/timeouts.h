// IdleTimeout: calls a function when nothing happened for a while (Twisted's TimeoutMixin). For a
// limit on the whole of something use with_timeout (combine.h).
#pragma once

#include "reactor/reactor.h"

#include <optional>
#include <utility>

namespace reactor {

class IdleTimeout final : private Timer {
public:
    /// `expired` may destroy the IdleTimeout. Unset at first.
    IdleTimeout(Reactor& reactor, base::UniqueFunction<void()> expired)
        : reactor_(reactor), expired_(std::move(expired)) {}
    ~IdleTimeout() override {
        if (destroyed_ != nullptr) *destroyed_ = true;
    }

    /// Sets (and starts) or, with nothing, ends the timeout; what was set before. Zero or less
    /// expires in the next turn.
    std::optional<base::Duration> set(std::optional<base::Duration> limit) {
        const auto before = std::exchange(limit_, limit);
        cancel();
        if (limit_) {
            touched_ = reactor_.now();
            reactor_.arm(*this, *limit_);
        }
        return before;
    }
    /// Something happened. Only stores the time: the timer looks at it when it fires. No effect
    /// while unset.
    void touch() noexcept { touched_ = reactor_.now(); }

private:
    void on_expired() override {
        const base::MonotonicTime deadline = touched_ + *limit_;
        if (deadline > reactor_.now()) return arm(reactor_.wheel(), deadline);
        limit_.reset();
        bool destroyed = false;
        destroyed_ = &destroyed;
        auto calling = std::move(expired_);  // Lives until it returns.
        calling();
        if (destroyed) return;
        destroyed_ = nullptr;
        expired_ = std::move(calling);
    }

    Reactor& reactor_;
    base::UniqueFunction<void()> expired_;
    std::optional<base::Duration> limit_;
    base::MonotonicTime touched_;
    bool* destroyed_ = nullptr;  // Set while `expired_` runs.
};

}  // namespace reactor
