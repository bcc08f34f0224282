// Signals as a stream to await: `while (auto signal = co_await signals.next()) …`. For a function
// per signal use SignalWatch (reactor/signals.h), which this wraps.
#pragma once

#include "reactor/signals.h"
#include "reactor/sync/queue.h"

namespace reactor {

/// Shard only; one place per signal, as for SignalWatch.
class SignalStream {
public:
    /// More unread ones than this are dropped: signals merge anyway.
    static constexpr std::size_t kUnreadMax = 64;

    SignalStream(Reactor& reactor, std::initializer_list<int> signals)
        : watch_(reactor, signals,
                 [this](int number) { (void)queue_.try_put(std::move(number)); }) {}

    /// The number of the next signal.
    Deferred<int> next() { return queue_.get(); }

private:
    Queue<int> queue_{kUnreadMax};
    SignalWatch watch_;
};

}  // namespace reactor
