// The life of one BlockingPool::run (included by blocking_pool.h): a box made on the calling shard
// goes to a thread and comes back by post, so that Promise and captures end where they began.
#pragma once

#include "reactor/blocking_pool.h"
#include "reactor/reactor.h"
#include "reactor/surroundings.h"

namespace reactor {

namespace detail {

template <class R, class Function>
class PoolCall {
public:
    explicit PoolCall(Function function)
        : origin_(Reactor::current()), function_(std::move(function)) {}

    static Deferred<R> start(BlockingPool& pool, WorkClass work_class, Function function) {
        auto box = std::make_unique<PoolCall>(std::move(function));
        Deferred<R> answer = box->promise_.deferred();
        if (pool.submit(work_class, [box = std::move(box)]() mutable { work(std::move(box)); }))
            return answer;
        (void)answer.take();  // The refused box broke its promise; the caller gets the reason.
        return pool.closed() ? base::Errc::closed : base::Errc::queue_full;
    }

private:
    // On a thread of the pool.
    static void work(std::unique_ptr<PoolCall> box) noexcept {
        PoolCall& call = *box;
        {
            const FreshScope scope(nullptr, call.context_.get());
            call.result_.emplace(call.invoke());
        }
        call.origin_.post(
            [box = std::move(box)] { box->promise_.try_resolve(*std::move(box->result_)); });
    }
    base::Result<R> invoke() noexcept {
        try {
            if constexpr (std::is_void_v<std::invoke_result_t<Function&>>) {
                function_();
                return {};
            } else {
                return function_();
            }
        } catch (...) {
            return std::unexpected(failure_of_current_exception());
        }
    }

    Reactor& origin_;
    const ContextRef context_;
    Function function_;
    Promise<R> promise_;
    std::optional<base::Result<R>> result_;
};

}  // namespace detail

template <class Function>
auto BlockingPool::run(WorkClass work_class, Function work)
    -> Deferred<detail::Flattened<std::invoke_result_t<Function&>>> {
    using R = detail::Flattened<std::invoke_result_t<Function&>>;
    static_assert(!detail::Flat<std::invoke_result_t<Function&>>::kIsDeferred,
                  "pool work cannot wait for a Deferred: it has no loop");
    return detail::PoolCall<R, Function>::start(*this, work_class, std::move(work));
}

}  // namespace reactor
