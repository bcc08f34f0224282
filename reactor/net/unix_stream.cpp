#include "reactor/net/unix_stream.h"

#include "reactor/base/check.h"
#include "reactor/net/descriptor_stream.h"
#include "reactor/tcp_adopt.h"
#include "reactor/world.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kControlBytes = CMSG_SPACE(UnixStream::kPerMessageMax * sizeof(int));

/// The socket itself: bytes and what came beside them.
class UnixSocket final : public DescriptorStream {
public:
    UnixSocket(World& world, OwnedFd fd)
        : DescriptorStream(world, std::move(fd), OwnedFd(), "unix:", true) {}

    void send_next(std::span<const int> descriptors) noexcept { outgoing_ = descriptors; }
    std::deque<OwnedFd>& received() noexcept { return received_; }

private:
    long read_some(int fd, std::span<std::byte> into) override;
    long write_some(int fd, std::span<iovec> parts) override;
    void shut_both(int fd) override { ::shutdown(fd, SHUT_WR); }
    void keep_received(const msghdr& message);

    std::span<const int> outgoing_;
    std::deque<OwnedFd> received_;
};

long UnixSocket::read_some(int fd, std::span<std::byte> into) {
    alignas(cmsghdr) std::array<std::byte, kControlBytes> control;
    iovec part{into.data(), into.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t count = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (count < 0) return count;
    keep_received(message);
    // Cut off: more in one message than anybody of us sends, or this process has no room left.
    if ((message.msg_flags & MSG_CTRUNC) != 0) fail_with(Errc::resource_exhausted);
    if (received_.size() > UnixStream::kUntakenMax) {
        received_.clear();
        fail_with(Errc::resource_exhausted);
    }
    return count;
}

void UnixSocket::keep_received(const msghdr& message) {
    msghdr copy = message;  // The macros want it writable.
    for (cmsghdr* part = CMSG_FIRSTHDR(&copy); part != nullptr; part = CMSG_NXTHDR(&copy, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            received_.emplace_back(fd);
        }
    }
}

long UnixSocket::write_some(int fd, std::span<iovec> parts) {
    alignas(cmsghdr) std::array<std::byte, kControlBytes> control{};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    if (!outgoing_.empty()) {
        const std::size_t bytes = outgoing_.size() * sizeof(int);
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(bytes);
        cmsghdr* part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(bytes);
        std::memcpy(CMSG_DATA(part), outgoing_.data(), bytes);
    }
    return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

class UnixStreamOfKernel final : public UnixStream {
public:
    UnixStreamOfKernel(World& world, OwnedFd fd) : socket_(world, std::move(fd)) {}

    IoResult try_read(std::span<std::byte> into) override { return socket_.try_read(into); }
    IoResult try_writev(std::span<const ConstBuffer> buffers) override {
        return socket_.try_writev(buffers);
    }
    IoResult try_write_with(std::span<const ConstBuffer> buffers,
                            std::span<const int> descriptors) override {
        const bool has_byte =
            std::ranges::any_of(buffers, [](const ConstBuffer& buffer) { return !buffer.empty(); });
        if (descriptors.size() > kPerMessageMax || (!descriptors.empty() && !has_byte))
            return {
                .status = IoStatus::failed, .error = Errc::invalid_argument, .maybe_more = false};
        socket_.send_next(descriptors);
        const IoResult result = socket_.try_writev(buffers);
        socket_.send_next({});
        return result;
    }
    std::optional<OwnedFd> take_received() override {
        if (socket_.received().empty()) return std::nullopt;
        OwnedFd fd = std::move(socket_.received().front());
        socket_.received().pop_front();
        return fd;
    }
    void set_observer(StreamObserver* observer) override { socket_.set_observer(observer); }
    void arm(Interest interest) override { socket_.arm(interest); }
    void disarm(Interest interest) override { socket_.disarm(interest); }
    void shutdown_write() override { socket_.shutdown_write(); }
    void close() override { socket_.close(); }
    void abort() override { socket_.close(); }
    Endpoint peer() const override { return socket_.peer(); }
    Endpoint local() const override { return socket_.local(); }
    void detach() override { socket_.detach(); }
    void attach(World& world) override { socket_.attach(world); }

private:
    UnixSocket socket_;
};

}  // namespace

Result<std::unique_ptr<UnixStream>> unix_stream(World& world, OwnedFd fd) {
    int domain = 0;
    socklen_t size = sizeof domain;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX)
        return fail(Errc::invalid_argument,
                    "descriptor " + std::to_string(fd.get()) + " is not a Unix-domain socket");
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
        ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0)
        return std::unexpected(base::failure_from_errno(errno, "cannot prepare a Unix socket"));
    return std::make_unique<UnixStreamOfKernel>(world, std::move(fd));
}

Result<std::unique_ptr<UnixStream>> unix_stream(World& world, std::unique_ptr<ByteStream> stream) {
    OwnedFd fd = TRY(take_descriptor(std::move(stream)));
    return unix_stream(world, std::move(fd));
}

Result<std::pair<OwnedFd, OwnedFd>> unix_pair() {
    std::array<int, 2> fds{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0)
        return std::unexpected(base::failure_from_errno(errno, "cannot make a socket pair"));
    return std::pair(OwnedFd(fds[0]), OwnedFd(fds[1]));
}

}  // namespace reactor
