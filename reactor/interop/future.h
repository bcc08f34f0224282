// Bridges to std::future, for code with threads of its own. A std::future cannot be cancelled, so
// giving up the Deferred ends only the wait.
#pragma once

#include "reactor/base/failure_error.h"
#include "reactor/blocking_pool.h"
#include "reactor/deferred.h"

#include <future>
#include <utility>

namespace reactor {

/// The value of `future`, or `internal` with what its exception says (a base::FailureError: the
/// Failure it carries). Waiting occupies a thread of the pool, class misc, until the future is
/// ready, even if the Deferred is dropped.
template <class T>
Deferred<T> from_future(BlockingPool& pool, std::future<T> future) {
    return pool.run(WorkClass::misc,
                    [future = std::move(future)]() mutable { return future.get(); });
}

/// Settles when `work` does; a failure is thrown by `get` as base::FailureError. The work goes on
/// in the reactor's keeping; when the reactor is destroyed first, `get` throws broken_promise. Wait
/// for it on another thread only: on the shard it would wait for itself.
template <class T>
std::future<T> to_future(Deferred<T> work) {
    std::promise<T> promise;
    std::future<T> future = promise.get_future();
    std::move(work)
        .both([promise = std::move(promise)](base::Result<T> result) mutable {
            if (!result) {
                promise.set_exception(std::make_exception_ptr(base::FailureError(result.error())));
            } else if constexpr (std::is_void_v<T>) {
                promise.set_value();
            } else {
                promise.set_value(*std::move(result));
            }
        })
        .detach("to_future");
    return future;
}

}  // namespace reactor
