// WakeCall: a function of the loop that may be asked for where nothing else is allowed, in a signal
// handler. Everywhere else `Reactor::post` is simpler.
#pragma once

#include "reactor/base/unique_function.h"
#include "reactor/fd_watch.h"

namespace reactor {

/// Shard only, but for `notify`.
class WakeCall final : private FdObserver {
public:
    /// CHECKs that the kernel has a descriptor left: make it at the start.
    WakeCall(Reactor& reactor, base::UniqueFunction<void()> function);
    WakeCall(const WakeCall&) = delete;
    WakeCall& operator=(const WakeCall&) = delete;

    /// The function is called in one of the next turns; once for several calls of this that come
    /// before it. Async-signal-safe, from any thread, keeps errno.
    void notify() const noexcept;

private:
    void on_fd_events(bool readable, bool writable, bool hangup) override;

    struct Descriptor {
        Descriptor();
        Descriptor(const Descriptor&) = delete;
        Descriptor& operator=(const Descriptor&) = delete;
        ~Descriptor();
        int fd;
    };
    Descriptor descriptor_;
    base::UniqueFunction<void()> function_;
    FdWatch watch_;  // Goes before the descriptor.
};

}  // namespace reactor
