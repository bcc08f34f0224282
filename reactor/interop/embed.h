// A Reactor inside somebody else's loop: any loop that can wait for a descriptor with a timeout
// (GLib, Qt, libuv, epoll by hand), or a foreign Asio io_context. The reactor does not `run`; its
// host calls it when there is something to do.
#pragma once

#include "reactor/base/clock.h"

#include <cstddef>
#include <memory>
#include <optional>

namespace boost::asio {
class io_context;
}

namespace reactor {

class Reactor;

/// All calls on the one thread that is the reactor's shard. The host's cycle: `prepare_wait`, wait
/// for `native_fd` to become readable but no longer than told, `run_ready`.
class EmbeddedLoop {
public:
    /// While Asio objects live on the reactor (signals), which the descriptor does not show, no
    /// wait is longer than this.
    static constexpr base::Duration kAsioWaitMax = std::chrono::milliseconds(10);

    explicit EmbeddedLoop(Reactor& reactor);
    EmbeddedLoop(const EmbeddedLoop&) = delete;
    EmbeddedLoop& operator=(const EmbeddedLoop&) = delete;

    /// Poll it for reading, level-triggered; never read from it.
    int native_fd() const noexcept;
    /// How long the host may wait at most; empty: until the descriptor is readable.
    std::optional<base::Duration> prepare_wait();
    /// Runs turns until nothing is left to do, `turns_max` at most, so that the host's own events
    /// get their chance.
    void run_ready(std::size_t turns_max = 16);

private:
    Reactor& reactor_;
};

/// Runs `reactor` on `context` from construction to destruction; `context.run()` then never runs
/// out of work. The context must outlive this, and run on one thread.
class EmbeddedInAsio {
public:
    EmbeddedInAsio(boost::asio::io_context& context, Reactor& reactor);
    EmbeddedInAsio(const EmbeddedInAsio&) = delete;
    EmbeddedInAsio& operator=(const EmbeddedInAsio&) = delete;
    ~EmbeddedInAsio();

    /// After something was started on the reactor from outside its turns, such as from a handler
    /// of the context: looks anew at how long to wait.
    void wake() const noexcept;

private:
    class Guest;
    Reactor& reactor_;
    Guest* guest_;
};

}  // namespace reactor
