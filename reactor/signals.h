// Signals as calls on one shard. The process's handlers are replaced, so watch each signal in one
// place only (shard 0).
#pragma once

#include "reactor/base/unique_function.h"

#include <initializer_list>
#include <memory>

namespace reactor {

class Reactor;

/// Calls `function(signal_number)` from the loop for each delivery (several may merge into one)
/// until destroyed; the default disposition is restored then. Shard only.
class SignalWatch {
public:
    SignalWatch(Reactor& reactor, std::initializer_list<int> signals,
                base::UniqueFunction<void(int)> function);
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;
    ~SignalWatch();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace reactor
