#include "reactor/interop/embed.h"

#include "reactor/base/check.h"
#include "reactor/poller.h"
#include "reactor/reactor.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <algorithm>
#include <utility>

namespace reactor {

EmbeddedLoop::EmbeddedLoop(Reactor& reactor) : reactor_(reactor) {}

int EmbeddedLoop::native_fd() const noexcept {
    return reactor_.poller().native_fd();
}

std::optional<base::Duration> EmbeddedLoop::prepare_wait() {
    std::optional<base::Duration> limit = reactor_.prepare_wait();
    if (reactor_.poller().uses_asio()) limit = std::min(limit.value_or(kAsioWaitMax), kAsioWaitMax);
    return limit;
}

void EmbeddedLoop::run_ready(std::size_t turns_max) {
    reactor_.finish_wait();
    if (reactor_.poller().uses_asio()) {
        const Reactor::Scope scope(reactor_);
        reactor_.poller().asio().restart();
        reactor_.poller().asio().poll();
    }
    for (std::size_t turn = 0; turn < turns_max; ++turn) {
        reactor_.run_turn();
        if (!reactor_.runnable(reactor_.now())) return;
    }
}

/// The descriptor and the timer end with EmbeddedInAsio; what remains of this ends with the last
/// handler that Asio still holds.
class EmbeddedInAsio::Guest {
public:
    Guest(boost::asio::io_context& context, Reactor& reactor)
        : loop_(reactor), context_(context), parts_(std::in_place, context) {
        const int copy = fcntl(loop_.native_fd(), F_DUPFD_CLOEXEC, 0);
        CHECK(copy >= 0);
        parts_->descriptor.assign(copy);
        wait();
    }
    void leave() noexcept {
        parts_.reset();
        release();
    }

private:
    struct Parts {
        explicit Parts(boost::asio::io_context& context) : descriptor(context), timer(context) {}
        boost::asio::posix::stream_descriptor descriptor;
        boost::asio::steady_timer timer;
    };
    class Reference {
    public:
        explicit Reference(Guest& guest) noexcept : guest_(&guest) { ++guest.references_; }
        Reference(Reference&& other) noexcept : guest_(std::exchange(other.guest_, nullptr)) {}
        Reference& operator=(Reference&&) = delete;
        ~Reference() {
            if (guest_) guest_->release();
        }
        Guest* operator->() const noexcept { return guest_; }

    private:
        Guest* guest_;
    };

    void release() noexcept {
        if (--references_ == 0) delete this;
    }
    // One of both wakes us and the other is cancelled; `round_` tells late ones.
    void wait() {
        const std::uint64_t round = ++round_;
        const auto wake = [round](Reference guest) {
            return [round, guest = std::move(guest)](boost::system::error_code) {
                guest->woken(round);
            };
        };
        const std::optional<base::Duration> limit = loop_.prepare_wait();
        if (limit && *limit <= base::Duration::zero()) {
            boost::asio::post(context_,
                              [handler = wake(Reference(*this))]() mutable { handler({}); });
            return;
        }
        if (limit) {
            parts_->timer.expires_after(*limit);
            parts_->timer.async_wait(wake(Reference(*this)));
        }
        parts_->descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                      wake(Reference(*this)));
    }
    void woken(std::uint64_t round) {
        if (!parts_ || round != round_) return;
        ++round_;
        parts_->timer.cancel();
        parts_->descriptor.cancel();
        const Reference self(*this);  // A turn may destroy our owner.
        loop_.run_ready();
        if (parts_) wait();
    }

    EmbeddedLoop loop_;
    boost::asio::io_context& context_;
    std::optional<Parts> parts_;
    std::uint64_t round_ = 0;
    std::size_t references_ = 1;
};

EmbeddedInAsio::EmbeddedInAsio(boost::asio::io_context& context, Reactor& reactor)
    : reactor_(reactor), guest_(new Guest(context, reactor)) {}

void EmbeddedInAsio::wake() const noexcept {
    reactor_.ring();
}

EmbeddedInAsio::~EmbeddedInAsio() {
    guest_->leave();
}

}  // namespace reactor
