// The life of one Shards::run_on (included by shards.h): a box made on the asking shard that
// carries the function there and the answer back, so that both end where they began.
#pragma once

#include "reactor/shards.h"
#include "reactor/surroundings.h"

#include <memory>

namespace reactor {

template <class R, class Function>
class RemoteCall {
public:
    RemoteCall(Shards& shards, ShardId target, Function function)
        : shards_(shards),
          asker_(shards.current()),
          target_(target),
          function_(std::move(function)) {}

    static Deferred<R> start(Shards& shards, ShardId target, Function function) {
        if (!shards.reserve_answer(target)) return base::Errc::queue_full;
        auto box = std::make_unique<RemoteCall>(shards, target, std::move(function));
        Deferred<R> answer = box->promise_.deferred();
        if (shards.post(target, [box = std::move(box)]() mutable { ask(std::move(box)); }))
            return answer;
        (void)answer.take();  // The refused box broke its promise; the caller gets the reason.
        shards.release_answer(target);
        return base::Errc::queue_full;
    }

private:
    // On the target.
    static void ask(std::unique_ptr<RemoteCall> box) {
        RemoteCall& call = *box;
        const detail::FreshScope scope(nullptr, call.context_.get());
        Deferred<R> work = invoke(call.function_);
        if (work.settled()) {
            call.result_.emplace(work.take());
            send_back(std::move(box));
            return;
        }
        std::move(work)
            .both([box = std::move(box)](base::Result<R> result) mutable {
                box->result_.emplace(std::move(result));
                send_back(std::move(box));
            })
            .detach("a call from another shard");
    }
    static Deferred<R> invoke(Function& function) noexcept {
        try {
            return detail::call_flat<R>(function);
        } catch (...) {
            return detail::failure_of_current_exception();
        }
    }
    static void send_back(std::unique_ptr<RemoteCall> box) {
        RemoteCall& call = *box;
        call.shards_.post_answer(call.asker_, [box = std::move(box)] {
            box->shards_.release_answer(box->target_);
            box->promise_.try_resolve(*std::move(box->result_));
        });
    }

    Shards& shards_;
    const ShardId asker_;
    const ShardId target_;
    const detail::ContextRef context_;
    Function function_;
    Promise<R> promise_;
    std::optional<base::Result<R>> result_;
};

template <class Function>
auto Shards::run_on(ShardId target, Function call)
    -> Deferred<detail::Flattened<std::invoke_result_t<Function&>>> {
    using R = detail::Flattened<std::invoke_result_t<Function&>>;
    return RemoteCall<R, Function>::start(*this, target, std::move(call));
}

}  // namespace reactor
