// Readiness of a descriptor to await, over FdWatch (reactor/fd_watch.h): for descriptors that the
// library does not know (inotify, timerfd, a foreign library's socket).
#pragma once

#include "reactor/deferred.h"
#include "reactor/fd_watch.h"
#include "reactor/sync/event.h"

namespace reactor {

/// One per descriptor. Readiness is edge-triggered: after `when_readable` settled read until
/// EAGAIN, then call `clear_readable` and read once more or wait.
class FdReadiness final : private FdObserver {
public:
    /// As for FdWatch: `fd` stays the caller's and is closed after this is gone.
    FdReadiness(Reactor& reactor, int fd) : watch_(reactor, fd, *this) {}

    /// Settles when there was an event that nobody cleared. Fails with the kernel's reason when the
    /// descriptor cannot be watched.
    Deferred<void> when_readable() { return wait(readable_); }
    Deferred<void> when_writable() { return wait(writable_); }
    void clear_readable() noexcept { readable_.clear(); }
    void clear_writable() noexcept { writable_.clear(); }
    bool hung_up() const noexcept { return hung_up_; }

private:
    Deferred<void> wait(Event& event) {
        if (watch_.error() != 0)
            return base::failure_from_errno(watch_.error(), "cannot watch the descriptor");
        return event.wait();
    }
    void on_fd_events(bool readable, bool writable, bool hangup) override {
        hung_up_ = hung_up_ || hangup;
        if (readable) readable_.set();
        if (writable) writable_.set();
    }

    Event readable_;
    Event writable_;
    bool hung_up_ = false;
    FdWatch watch_;
};

}  // namespace reactor
