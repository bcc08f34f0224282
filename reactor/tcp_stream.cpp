// See tcp_stream.h. The readiness flags mirror the edge-triggered events: they fall on EAGAIN or on
// a short count, which spares the system call that would only say EAGAIN, and rise with an event.
#include "reactor/tcp_stream.h"

#include "reactor/base/check.h"
#include "reactor/gathered_parts.h"
#include "reactor/tcp_address.h"
#include "reactor/world.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <utility>

namespace reactor {
namespace {

IoResult failed_with(int error_number) {
    const base::Errc code =
        error_number == ETIMEDOUT ? base::Errc::timed_out
        : error_number == ENOMEM || error_number == ENOBUFS || error_number == ENOSPC
            ? base::Errc::resource_exhausted
            : base::Errc::connection_lost;
    return {.status = IoStatus::failed, .error = code, .maybe_more = false};
}

ssize_t send_parts(int fd, std::span<iovec> parts) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    ssize_t count = 0;
    do {
        // One part, as TLS always has, is cheaper without the header.
        count = parts.size() == 1
                    ? ::send(fd, parts.front().iov_base, parts.front().iov_len, MSG_NOSIGNAL)
                    : ::sendmsg(fd, &message, MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    return count;
}

constexpr IoResult kWouldBlock{.status = IoStatus::would_block, .maybe_more = false};
constexpr IoResult kClosed{
    .status = IoStatus::failed, .error = base::Errc::closed, .maybe_more = false};

}  // namespace

TcpStream::TcpStream(World& world, OwnedFd fd) : fd_(std::move(fd)) {
    watch_.emplace(world.reactor, fd_.get(), static_cast<FdObserver&>(*this));
}

IoResult TcpStream::try_read(std::span<std::byte> into) {
    if (!fd_) return kClosed;
    if (watch_ && watch_->error() != 0) return failed_with(watch_->error());
    if (into.empty()) return {};
    if (!readable_ && !ending_) return kWouldBlock;
    ssize_t count = 0;
    do {
        count = ::recv(fd_.get(), into.data(), into.size(), 0);
    } while (count < 0 && errno == EINTR);
    if (count == 0) {
        ending_ = true;
        return {.status = IoStatus::end_of_stream, .maybe_more = false};
    }
    if (count < 0) {
        if (errno != EAGAIN) return failed_with(errno);
        readable_ = ending_ = false;
        return kWouldBlock;
    }
    const auto bytes = static_cast<std::size_t>(count);
    readable_ = bytes == into.size();
    return {.bytes = bytes, .maybe_more = readable_ || ending_};
}

IoResult TcpStream::try_writev(std::span<const ConstBuffer> buffers) {
    if (!fd_ || write_shut_) return kClosed;
    if (watch_ && watch_->error() != 0) return failed_with(watch_->error());
    GatheredParts gathered(buffers);
    if (gathered.bytes() == 0) return {};
    if (!writable_) return kWouldBlock;
    const ssize_t count = send_parts(fd_.get(), gathered.parts());
    if (count < 0) {
        if (errno != EAGAIN) return failed_with(errno);
        writable_ = false;
        return kWouldBlock;
    }
    const auto bytes = static_cast<std::size_t>(count);
    writable_ = bytes == gathered.bytes();
    return {.bytes = bytes, .maybe_more = writable_};
}

void TcpStream::arm(Interest interest) {
    signal_.arm(interest);
    const bool is_ready =
        interest == Interest::readable ? readable_ || ending_ : writable_ || write_shut_;
    // A descriptor that the kernel refused to watch: the next try says so.
    if (is_ready || !fd_ || (watch_ && watch_->error() != 0)) signal_.owe(interest);
}

void TcpStream::on_fd_events(bool readable, bool writable, bool hangup) {
    readable_ |= readable;
    writable_ |= writable;
    ending_ |= hangup;
    if (readable && !signal_.deliver(Interest::readable)) return;
    if (writable) (void)signal_.deliver(Interest::writable);
}

void TcpStream::shutdown_write() {
    if (!fd_ || write_shut_) return;
    write_shut_ = true;
    ::shutdown(fd_.get(), SHUT_WR);
}

void TcpStream::close() {
    watch_.reset();
    fd_.reset();
    signal_.reset();
}

OwnedFd TcpStream::release_descriptor() noexcept {
    OwnedFd fd = std::move(fd_);
    close();
    return fd;
}

void TcpStream::abort() {
    if (fd_) {
        // Closing with a linger time of zero sends RST and drops what the kernel still holds.
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    close();
}

Endpoint TcpStream::peer() const {
    return fd_ ? peer_endpoint(fd_.get()) : Endpoint();
}
Endpoint TcpStream::local() const {
    return fd_ ? local_endpoint(fd_.get()) : Endpoint();
}

void TcpStream::detach() {
    signal_.reset();
    watch_.reset();
}

void TcpStream::attach(World& world) {
    CHECK(!watch_);
    if (!fd_) return;
    // The new epoll set reports what is ready; until then a try is worth it.
    readable_ = writable_ = true;
    watch_.emplace(world.reactor, fd_.get(), static_cast<FdObserver&>(*this));
}

}  // namespace reactor
