// Between shards and threads, by the names that Twisted's users look for. call_in_thread: work that
// blocks, in the pool. call_and_wait: a thread that is no shard asks a shard and waits.
#pragma once

#include "reactor/blocking_pool.h"
#include "reactor/reactor.h"
#include "reactor/world.h"

#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace reactor {

/// `function` runs on a pool thread (class misc); the answer, value or failure, comes back here
/// (Twisted's callInThread loses it, its deferToThread does not). See BlockingPool::run.
template <class Function>
auto call_in_thread(World& world, Function function) {
    return world.blocking.run(WorkClass::misc, std::move(function));
}

/// The functions one after the other in one job; the first that throws ends the rest.
inline Deferred<void> call_multiple_in_thread(World& world,
                                              std::vector<base::UniqueFunction<void()>> functions) {
    return world.blocking.run(WorkClass::misc, [functions = std::move(functions)]() mutable {
        for (base::UniqueFunction<void()>& function : functions)
            function();
    });
}

namespace detail {

/// What a waiting thread and a shard share; freed by whoever leaves last.
class ForeignCall {
public:
    ForeignCall();
    ForeignCall(const ForeignCall&) = delete;
    ForeignCall& operator=(const ForeignCall&) = delete;

    /// False: `limit` passed.
    bool wait(base::Duration limit);
    void finish();
    void join() noexcept { ++owners_; }
    void leave() noexcept {
        if (--owners_ == 0) delete this;
    }

protected:
    virtual ~ForeignCall();

private:
    struct Done;
    std::unique_ptr<Done> done_;
    std::atomic<int> owners_ = 1;
};

template <class R, class Function>
class ForeignCallOf final : public ForeignCall {
public:
    explicit ForeignCallOf(Function its_function) : function(std::move(its_function)) {}

    std::optional<Function> function;       ///< Ends on the shard.
    std::optional<base::Result<R>> result;  ///< Written before finish().
    Deferred<R>* running = nullptr;         ///< The shard's.
};

/// A share in the call; on the shard's side, its end finishes the call.
template <class Call>
class ForeignShare {
public:
    ForeignShare(Call& call, bool finishes) noexcept : call_(&call), finishes_(finishes) {
        call.join();
    }
    ForeignShare(ForeignShare&& other) noexcept
        : call_(std::exchange(other.call_, nullptr)), finishes_(other.finishes_) {}
    ForeignShare& operator=(ForeignShare&&) = delete;
    ~ForeignShare() {
        if (call_ == nullptr) return;
        if (finishes_) {
            call_->function.reset();
            if (!call_->result) call_->result.emplace(base::fail(base::Errc::closed));
            call_->finish();
        }
        call_->leave();
    }
    Call& operator*() const noexcept { return *call_; }
    Call* operator->() const noexcept { return call_; }

private:
    Call* call_;
    bool finishes_;
};

template <class R, class Function>
Deferred<R> invoke_guarded(Function& function) noexcept {
    try {
        return call_flat<R>(function);
    } catch (...) {
        return failure_of_current_exception();
    }
}

template <class R, class Call>
Deferred<void> run_foreign(ForeignShare<Call> call) {
    Deferred<R> work = invoke_guarded<R>(*call->function);
    call->running = &work;
    base::Result<R> result = co_await std::move(work).as_result();
    call->running = nullptr;
    call->result.emplace(std::move(result));
    co_return {};
}

}  // namespace detail

/// Runs `function` on the shard of `target` and waits for what it returns: R, Result<R> or
/// Deferred<R>. timed_out: `limit` passed; the work is then cancelled. closed: the reactor went
/// before it ran. On a shard, where waiting would stop the loop that has to answer, it fails with
/// invalid_argument at once. `function` is destroyed on the shard.
template <class Function>
auto call_and_wait(Reactor& target, Function function, base::Duration limit)
    -> base::Result<detail::Flattened<std::invoke_result_t<Function&>>> {
    using R = detail::Flattened<std::invoke_result_t<Function&>>;
    using Call = detail::ForeignCallOf<R, Function>;
    if (Reactor::has_current())
        return base::fail(base::Errc::invalid_argument,
                          "call_and_wait on a shard would stop its loop: await instead");
    auto* const call = new Call(std::move(function));
    target.post([share = detail::ForeignShare<Call>(*call, true)]() mutable {
        detail::run_foreign<R, Call>(std::move(share)).detach("a call from another thread");
    });
    base::Result<R> result = base::fail(base::Errc::timed_out);
    if (call->wait(limit)) {
        result = *std::move(call->result);
    } else {
        target.post([share = detail::ForeignShare<Call>(*call, false)] {
            if (share->running != nullptr) share->running->cancel();
        });
    }
    call->leave();
    return result;
}

}  // namespace reactor
