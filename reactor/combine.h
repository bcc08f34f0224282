// Deferreds put together: a time limit around one, all of several.
#pragma once

#include "reactor/deferred.h"
#include "reactor/reactor.h"

#include <memory>
#include <utility>
#include <vector>

namespace reactor {

/// The result of `work`, or `timed_out` when it takes longer than `limit`. The work itself is
/// cancelled then (not only the wait), and its clean-up is awaited. A value that the work delivers
/// in spite of the cancellation is passed on.
template <class T>
Deferred<T> with_timeout(Reactor& reactor, Deferred<T> work, base::Duration limit) {
    if (work.settled()) co_return work.take();
    bool expired = false;
    CallbackTimer timer([&work, &expired] {
        expired = true;
        work.cancel();
    });
    reactor.arm(timer, limit);
    base::Result<T> result = co_await std::move(work).as_result();
    if (expired && !result && result.error().is(base::Errc::cancelled))
        co_return base::Failure(base::Errc::timed_out);
    co_return result;
}

/// The same with the time of the end; one in the past cancels in the next turn.
template <class T>
Deferred<T> with_deadline(Reactor& reactor, Deferred<T> work, base::MonotonicTime deadline) {
    return with_timeout(reactor, std::move(work), deadline - reactor.now());
}

namespace detail {

template <class T>
struct AllValues {
    using Type = std::vector<T>;
};
template <>
struct AllValues<void> {
    using Type = void;
};

/// Waits for every part; the first failure cancels the others and is the result once all ended.
template <class T>
class AllNode final : public ValueNode<typename AllValues<T>::Type>, public FrameAllocated {
public:
    using Values = typename AllValues<T>::Type;

    explicit AllNode(std::vector<Deferred<T>> parts) : unsettled_(parts.size()) {
        parts_.reserve(parts.size());
        for (Deferred<T>& part : parts)
            parts_.push_back(std::make_unique<Part>(*this, std::move(part)));
        for (auto& part : parts_)
            part->work.notify(*part);
    }
    ~AllNode() {
        if (destroyed_) *destroyed_ = true;
    }
    void cancel() noexcept override { cancel_parts(); }
    void drop() noexcept override { delete this; }
    Hop hop() const noexcept override {
        for (const auto& part : parts_)
            if (!part->result) return {"when_all", {}, part->work.node()};
        return {"when_all", {}, nullptr};
    }

private:
    struct Part final : ReadyItem, FrameAllocated {
        Part(AllNode& owner, Deferred<T> its_work) : all(owner), work(std::move(its_work)) {}
        void run() override { all.part_settled(*this); }

        AllNode& all;
        Deferred<T> work;
        std::optional<base::Result<T>> result;
    };

    // False: a canceller dropped this very node.
    bool cancel_parts() noexcept {
        bool destroyed = false;
        bool* const outer = std::exchange(destroyed_, &destroyed);
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            parts_[i]->work.cancel();
            if (!destroyed) continue;
            if (outer) *outer = true;
            return false;
        }
        destroyed_ = outer;
        return true;
    }

    void part_settled(Part& part) {
        part.result.emplace(part.work.take());
        if (!*part.result && !failure_) {
            failure_ = part.result->error();
            if (!cancel_parts()) return;
        }
        if (--unsettled_ > 0) return;
        if (failure_) {
            this->settle(std::unexpected(*failure_));
        } else if constexpr (std::is_void_v<T>) {
            this->settle({});
        } else {
            Values values;
            values.reserve(parts_.size());
            for (auto& each : parts_)
                values.push_back(**std::move(each->result));
            this->settle(std::move(values));
        }
    }

    std::vector<std::unique_ptr<Part>> parts_;
    std::size_t unsettled_;
    bool* destroyed_ = nullptr;  // Set while cancel_parts() runs.
    std::optional<base::Failure> failure_;
};

}  // namespace detail

/// All values in the order given (void for Deferred<void>), once every part has settled. The first
/// failure cancels the other parts and becomes the result when they have ended. Cancelling or
/// dropping does so to every part. An empty list is ready at once.
template <class T>
Deferred<typename detail::AllValues<T>::Type> when_all(std::vector<Deferred<T>> parts) {
    using Values = typename detail::AllValues<T>::Type;
    if (parts.empty()) return base::Result<Values>();
    return Deferred<Values>(*new detail::AllNode<T>(std::move(parts)));
}

}  // namespace reactor
