#include "reactor/poller.h"

#include "reactor/base/check.h"
#include "reactor/fd_watch.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

namespace reactor {

struct Poller::Events {
    std::array<epoll_event, kEventsMax> list;
    int count = 0;
    int told = 0;
};

// The epoll set as a guest of Asio. A wait that is armed stays so over any number of sleeps.
struct Poller::AsioPart {
    boost::asio::io_context context{1};
    boost::asio::posix::stream_descriptor epoll_set;
    bool armed = false;

    explicit AsioPart(int epoll_fd) : epoll_set(context, epoll_fd) {}
    ~AsioPart() { epoll_set.release(); }  // The descriptor is the Poller's.

    void arm() {
        if (armed) return;
        armed = true;
        epoll_set.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                             [this](boost::system::error_code) { armed = false; });
    }
};

Poller::Poller()
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      doorbell_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      events_(std::make_unique<Events>()) {
    CHECK(epoll_fd_ >= 0 && doorbell_fd_ >= 0);
    // Edge-triggered: each write is one event, and nobody has to read the counter.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;
    CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, doorbell_fd_, &event) == 0);
}

Poller::~Poller() {
    asio_.reset();
    ::close(doorbell_fd_);
    ::close(epoll_fd_);
}

int Poller::add(FdWatch& watch) noexcept {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &watch;
    return epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, watch.fd_, &event) == 0 ? 0 : errno;
}

void Poller::remove(FdWatch& watch) noexcept {
    if (watch.error_ == 0) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, watch.fd_, nullptr);
    if (watch.batch_index_ >= 0)
        events_->list[static_cast<std::size_t>(watch.batch_index_)].data.ptr = nullptr;
}

bool Poller::collect(int timeout_ms) noexcept {
    if (events_->told < events_->count) return true;  // Left behind by an exception.
    events_->told = 0;
    events_->count = epoll_wait(epoll_fd_, events_->list.data(), kEventsMax, timeout_ms);
    if (events_->count < 0) {
        CHECK(errno == EINTR);
        events_->count = 0;
    }
    for (int i = 0; i < events_->count; ++i) {
        auto* watch = static_cast<FdWatch*>(events_->list[static_cast<std::size_t>(i)].data.ptr);
        if (watch) watch->batch_index_ = i;
    }
    return events_->count > 0;
}

bool Poller::tell_next() {
    while (events_->told < events_->count) {
        const epoll_event& event = events_->list[static_cast<std::size_t>(events_->told++)];
        auto* watch = static_cast<FdWatch*>(event.data.ptr);
        if (!watch) continue;
        watch->batch_index_ = -1;
        const bool over = (event.events & (EPOLLHUP | EPOLLERR)) != 0;
        const bool hangup = over || (event.events & EPOLLRDHUP) != 0;
        const bool readable = hangup || (event.events & EPOLLIN) != 0;
        const bool writable = over || (event.events & EPOLLOUT) != 0;
        watch->observer_.on_fd_events(readable, writable, hangup);
        return true;
    }
    return false;
}

void Poller::poll() {
    if (asio_uses_ > 0 && ++turns_since_asio_ >= kTurnsPerAsioPoll) {
        turns_since_asio_ = 0;
        asio_->context.restart();
        asio_->context.poll();
    }
    collect(0);
}

void Poller::wait(std::optional<base::Duration> limit) {
    if (asio_uses_ > 0) {
        if (!collect(0)) wait_in_asio(limit);
        return;
    }
    int timeout_ms = -1;
    if (limit) {
        constexpr std::int64_t kMillisecond = 1'000'000;
        const std::int64_t rounded_up = (limit->count() + kMillisecond - 1) / kMillisecond;
        timeout_ms = static_cast<int>(
            std::clamp<std::int64_t>(rounded_up, 0, std::numeric_limits<int>::max()));
    }
    collect(timeout_ms);
}

void Poller::wait_in_asio(std::optional<base::Duration> limit) {
    turns_since_asio_ = 0;
    asio_->context.restart();
    asio_->arm();
    if (limit) {
        asio_->context.run_one_for(*limit);
    } else {
        asio_->context.run_one();
    }
    collect(0);
}

void Poller::ring() noexcept {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then it has rung.
    [[maybe_unused]] const ssize_t written = ::write(doorbell_fd_, &one, sizeof one);
}

boost::asio::io_context& Poller::asio() {
    if (!asio_) asio_ = std::make_unique<AsioPart>(epoll_fd_);
    return asio_->context;
}

Poller::AsioUse::AsioUse(Poller& poller) noexcept : poller_(poller) {
    poller_.asio();
    ++poller_.asio_uses_;
}

Poller::AsioUse::~AsioUse() {
    --poller_.asio_uses_;
}

}  // namespace reactor
