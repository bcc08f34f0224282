// FdWatch: readiness of a file descriptor, told from the loop. Edge-triggered on an epoll set of
// the shard's own, one epoll_ctl per watch for its whole life; so after an event read or write
// until EAGAIN (or a short count) before expecting another.
#pragma once

#include <cstdint>

namespace reactor {

class Reactor;
class FdWatch;

class FdObserver {
public:
    /// `hangup`: the peer ended its side (EPOLLRDHUP; then `readable` is set as well: a short read
    /// may hide the end behind it), or both directions are over (EPOLLHUP) or the descriptor has an
    /// error (EPOLLERR; then both are set, so that a try shows which).
    /// May destroy the watch, or any other.
    virtual void on_fd_events(bool readable, bool writable, bool hangup) = 0;

protected:
    ~FdObserver() = default;
};

/// Watches from construction to destruction, for reading and writing alike. The first event comes
/// in the next turn if the descriptor is ready already. Shard only.
class FdWatch {
public:
    /// `fd` stays the caller's: destroy the watch before closing it. The reactor must outlive the
    /// watch, the observer its last event.
    FdWatch(Reactor& reactor, int fd, FdObserver& observer);
    FdWatch(const FdWatch&) = delete;
    FdWatch& operator=(const FdWatch&) = delete;
    ~FdWatch();

    /// 0, or the errno with which the kernel refused to watch (ENOMEM, ENOSPC; EPERM for a regular
    /// file): there will be no events.
    int error() const noexcept { return error_; }
    int fd() const noexcept { return fd_; }

private:
    friend class Poller;
    Reactor& reactor_;
    FdObserver& observer_;
    int fd_;
    int error_ = 0;
    int batch_index_ = -1;  // Place in the events being told now, to strike them if we go.
};

}  // namespace reactor
