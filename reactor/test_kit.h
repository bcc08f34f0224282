// For tests: look at Deferreds without a loop. Each call first runs what the thread's ready queue
// holds. A wrong expectation throws TestFailure, which GoogleTest reports. Not for product code.
#pragma once

#include "reactor/deferred.h"

#include <stdexcept>
#include <string>

namespace reactor::test {

class TestFailure : public std::logic_error {
    using std::logic_error::logic_error;
};

/// Runs everything that is ready on this thread. More than a million steps are a zero-delay loop.
inline void run_ready() {
    constexpr std::size_t kStepsMax = 1'000'000;
    ReadyQueue& queue = ReadyQueue::current();
    queue.run(kStepsMax);
    if (!queue.empty()) throw TestFailure("the ready queue does not run empty");
}

template <class T>
base::Result<T> result_of(Deferred<T>& deferred) {
    run_ready();
    if (!deferred.valid()) throw TestFailure("the result was taken already");
    if (!deferred.settled()) throw TestFailure("still pending");
    return deferred.take();
}

/// Takes the value; throws when it is pending or failed.
template <class T>
T value_of(Deferred<T>& deferred) {
    base::Result<T> result = result_of(deferred);
    if (!result) throw TestFailure("failed: " + result.error().message());
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}
template <class T>
T value_of(Deferred<T>&& deferred) {
    return value_of(deferred);
}

/// Takes the failure; throws when it is pending or has a value.
template <class T>
base::Failure failure_of(Deferred<T>& deferred) {
    base::Result<T> result = result_of(deferred);
    if (result) throw TestFailure("it has a value");
    return std::move(result).error();
}
template <class T>
base::Failure failure_of(Deferred<T>&& deferred) {
    return failure_of(deferred);
}

template <class T>
bool pending(const Deferred<T>& deferred) {
    run_ready();
    return deferred.valid() && !deferred.settled();
}

}  // namespace reactor::test
