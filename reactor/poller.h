// Poller: what a loop waits for in the kernel: the shard's epoll set (descriptors and the doorbell)
// and Asio's io_context (signals, code that brings Asio objects). The epoll set is nested into Asio
// as one descriptor; while nobody uses Asio the loop waits on the epoll set itself. Internal to the
// reactor; FdWatch and SignalWatch are the public faces.
#pragma once

#include "reactor/base/clock.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

namespace boost::asio {
class io_context;
}

namespace reactor {

class FdWatch;

class Poller {
public:
    Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;
    ~Poller();

    /// 0 or an errno.
    int add(FdWatch& watch) noexcept;
    void remove(FdWatch& watch) noexcept;

    /// Collects what is ready without waiting; Asio is asked every 16th time only.
    void poll();
    /// Waits at most `limit` (empty: for ever) for an event or `ring`, then collects.
    void wait(std::optional<base::Duration> limit);
    /// Tells the next collected event; false when there is none left. If the observer throws, the
    /// next call goes on behind it.
    bool tell_next();
    /// From any thread: ends a `wait`, this one or the next.
    void ring() noexcept;

    /// Whoever has work in the io_context holds a use while it lasts.
    class AsioUse {
    public:
        explicit AsioUse(Poller& poller) noexcept;
        AsioUse(const AsioUse&) = delete;
        AsioUse& operator=(const AsioUse&) = delete;
        ~AsioUse();

    private:
        Poller& poller_;
    };
    boost::asio::io_context& asio();
    /// Readable when an event or a ring waits to be collected; for whoever waits in our stead.
    int native_fd() const noexcept { return epoll_fd_; }
    /// True while Asio has to be polled too, which `native_fd` does not show.
    bool uses_asio() const noexcept { return asio_uses_ > 0; }

private:
    static constexpr int kEventsMax = 256;
    static constexpr std::uint32_t kTurnsPerAsioPoll = 16;

    struct Events;
    struct AsioPart;

    /// Returns whether there was anything, the doorbell included.
    bool collect(int timeout_ms) noexcept;
    void wait_in_asio(std::optional<base::Duration> limit);

    int epoll_fd_ = -1;
    int doorbell_fd_ = -1;
    std::unique_ptr<Events> events_;
    int asio_uses_ = 0;
    std::uint32_t turns_since_asio_ = 0;
    std::unique_ptr<AsioPart> asio_;
};

}  // namespace reactor
