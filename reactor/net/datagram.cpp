#include "reactor/net/datagram.h"

#include "reactor/fd_watch.h"
#include "reactor/owned_fd.h"
#include "reactor/reactor.h"
#include "reactor/tcp_address.h"
#include "reactor/world.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kMessagesPerCall = 16;

Errc errc_of(int error_number) {
    switch (error_number) {
        case EAGAIN:
        case ENOBUFS:
            return Errc::busy;
        case EMSGSIZE:
        case EDESTADDRREQ:
        case EAFNOSUPPORT:
        case ENOPROTOOPT:
        case ENODEV:
        case EISCONN:
            return Errc::invalid_argument;
        case EADDRNOTAVAIL:
            return Errc::address_in_use;
        default:
            return connection_error(error_number);
    }
}

std::unexpected<base::Failure> failed_to(std::string_view doing, int error_number) {
    return fail(errc_of(error_number), std::string(doing) + ": " + std::strerror(error_number));
}

template <class Value>
bool set_option(int fd, int level, int name, const Value& value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

class DatagramSocket final : public Datagram, private FdObserver, private Timer {
public:
    DatagramSocket(World& world, OwnedFd fd, int family, const DatagramOptions& options,
                   DatagramObserver& observer)
        : world_(world),
          fd_(std::move(fd)),
          family_(family),
          message_bytes_max_(std::max<std::size_t>(options.message_bytes_max, 1)),
          observer_(observer) {
        watch_.emplace(world.reactor, fd_.get(), static_cast<FdObserver&>(*this));
    }
    ~DatagramSocket() override {
        if (destroyed_ != nullptr) *destroyed_ = true;
        if (!path_.empty()) ::unlink(path_.c_str());
    }

    int watch_error() const noexcept { return watch_->error(); }
    void own_path(std::string path) { path_ = std::move(path); }

    Endpoint local() const override { return local_endpoint(fd_.get()); }
    Result<void> connect(const Endpoint& peer) override;
    Result<void> send_to(const Endpoint& to, std::span<const std::byte> bytes) override;
    Result<void> send(std::span<const std::byte> bytes) override;
    void pause() override {
        paused_ = true;
        cancel();
    }
    void resume() override {
        if (!std::exchange(paused_, false)) return;
        Timer::arm(world_.reactor.wheel(), {});  // The next turn: edges meanwhile are gone.
    }
    Result<void> join_group(const std::string& group, const std::string& interface) override {
        return change_group(group, interface, true);
    }
    Result<void> leave_group(const std::string& group, const std::string& interface) override {
        return change_group(group, interface, false);
    }
    Result<void> set_multicast_ttl(std::uint8_t hops) override;
    Result<void> set_multicast_loopback(bool loopback) override;
    Result<void> set_multicast_interface(const std::string& interface) override;

private:
    void on_fd_events(bool readable, bool, bool) override {
        if (readable && !paused_) receive_some();
    }
    void on_expired() override { receive_some(); }
    void receive_some();
    std::optional<std::size_t> receive_batch();
    Result<void> change_group(const std::string& group, const std::string& interface, bool join);

    World& world_;
    OwnedFd fd_;
    int family_;
    std::size_t message_bytes_max_;
    DatagramObserver& observer_;
    std::optional<FdWatch> watch_;
    std::string path_;
    bool paused_ = false;
    bool* destroyed_ = nullptr;  // Set while the observer is told.
};

Result<void> DatagramSocket::connect(const Endpoint& peer) {
    const SocketAddress address = TRY(to_socket_address(peer));
    if (::connect(fd_.get(), address.get(), address.size) == 0) return {};
    return failed_to("cannot connect a datagram socket to " + peer.to_string(), errno);
}

Result<void> DatagramSocket::send_to(const Endpoint& to, std::span<const std::byte> bytes) {
    const SocketAddress address = TRY(to_socket_address(to));
    if (::sendto(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, address.get(),
                 address.size) >= 0)
        return {};
    return failed_to("cannot send to " + to.to_string(), errno);
}

Result<void> DatagramSocket::send(std::span<const std::byte> bytes) {
    if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return {};
    if (errno == ENOTCONN) errno = EDESTADDRREQ;
    return failed_to("cannot send", errno);
}

void DatagramSocket::receive_some() {
    std::size_t bytes = 0;
    while (!paused_ && bytes < kBytesPerTurnMax) {
        const auto received = receive_batch();
        if (!received) return;
        bytes += *received;
    }
    if (!paused_) Timer::arm(world_.reactor.wheel(), {});
}

// How many bytes came; nothing when there are no more, or when the observer destroyed us.
std::optional<std::size_t> DatagramSocket::receive_batch() {
    // Lives for the call only: an idle socket holds no memory.
    std::vector<std::byte> memory(kMessagesPerCall * message_bytes_max_);
    std::array<mmsghdr, kMessagesPerCall> messages{};
    std::array<iovec, kMessagesPerCall> parts{};
    std::array<SocketAddress, kMessagesPerCall> from{};
    for (std::size_t i = 0; i < kMessagesPerCall; ++i) {
        parts[i] = {memory.data() + i * message_bytes_max_, message_bytes_max_};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &from[i].storage;
        messages[i].msg_hdr.msg_namelen = sizeof from[i].storage;
    }
    const int count = ::recvmmsg(fd_.get(), messages.data(), kMessagesPerCall, 0, nullptr);
    bool destroyed = false;
    destroyed_ = &destroyed;
    if (count < 0) {
        const int error = errno;
        if (error == EINTR) return 0;
        if (error != EAGAIN) observer_.on_error(errc_of(error));
        if (!destroyed) destroyed_ = nullptr;
        // An error of an earlier message was taken off the socket; messages may wait behind it.
        if (destroyed || error == EAGAIN) return std::nullopt;
        return 0;
    }
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        from[i].size = messages[i].msg_hdr.msg_namelen;
        const std::size_t length = std::min<std::size_t>(messages[i].msg_len, message_bytes_max_);
        bytes += length + 1;  // Empty messages count too.
        observer_.on_message({.bytes = {memory.data() + i * message_bytes_max_, length},
                              .from = from[i].size > 0 ? to_endpoint(from[i]) : Endpoint(),
                              .truncated = (messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0});
        if (destroyed) return std::nullopt;
    }
    destroyed_ = nullptr;
    return bytes;
}

Result<unsigned> index_of(const std::string& interface) {
    if (interface.empty()) return 0U;
    const unsigned index = if_nametoindex(interface.c_str());
    if (index == 0) return fail(Errc::invalid_argument, "no such interface: " + interface);
    return index;
}

Result<void> DatagramSocket::change_group(const std::string& group, const std::string& interface,
                                          bool join) {
    const SocketAddress address = TRY(to_socket_address({group, 0}));
    group_req request{};
    request.gr_interface = TRY(index_of(interface));
    std::memcpy(&request.gr_group, &address.storage, sizeof address.storage);
    if (address.family() != family_)
        return fail(Errc::invalid_argument, group + " is not of the socket's address family");
    const int level = family_ == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    if (set_option(fd_.get(), level, join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, request))
        return {};
    return failed_to((join ? "cannot join " : "cannot leave ") + group, errno);
}

Result<void> DatagramSocket::set_multicast_ttl(std::uint8_t hops) {
    const int value = hops;
    const bool done = family_ == AF_INET6
                          ? set_option(fd_.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, value)
                          : set_option(fd_.get(), IPPROTO_IP, IP_MULTICAST_TTL, value);
    if (done) return {};
    return failed_to("cannot set the reach of multicast", errno);
}

Result<void> DatagramSocket::set_multicast_loopback(bool loopback) {
    const int value = loopback ? 1 : 0;
    const bool done = family_ == AF_INET6
                          ? set_option(fd_.get(), IPPROTO_IPV6, IPV6_MULTICAST_LOOP, value)
                          : set_option(fd_.get(), IPPROTO_IP, IP_MULTICAST_LOOP, value);
    if (done) return {};
    return failed_to("cannot set multicast loopback", errno);
}

Result<void> DatagramSocket::set_multicast_interface(const std::string& interface) {
    const unsigned index = TRY(index_of(interface));
    ip_mreqn v4{};
    v4.imr_ifindex = static_cast<int>(index);
    const bool done = family_ == AF_INET6 ? set_option(fd_.get(), IPPROTO_IPV6, IPV6_MULTICAST_IF,
                                                       static_cast<int>(index))
                                          : set_option(fd_.get(), IPPROTO_IP, IP_MULTICAST_IF, v4);
    if (done) return {};
    return failed_to("cannot set the interface of multicast", errno);
}

int prepare(int fd, int family, const DatagramOptions& options) {
    const int on = 1;
    if (options.reuse_address && !set_option(fd, SOL_SOCKET, SO_REUSEADDR, on)) return errno;
    if (options.share_port && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, on)) return errno;
    if (options.broadcast && !set_option(fd, SOL_SOCKET, SO_BROADCAST, on)) return errno;
    if (family == AF_INET6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, on)) return errno;
    return 0;
}

}  // namespace

Result<std::unique_ptr<Datagram>> Datagram::open(World& world, DatagramOptions options,
                                                 DatagramObserver& observer) {
    const std::string doing = "cannot receive on " + options.endpoint.to_string();
    const SocketAddress address = TRY(to_socket_address(options.endpoint));
    OwnedFd fd(::socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return failed_to(doing, errno);
    if (const int error = prepare(fd.get(), address.family(), options); error != 0)
        return failed_to(doing, error);
    if (::bind(fd.get(), address.get(), address.size) != 0) {
        if (errno == EADDRNOTAVAIL) errno = EINVAL;  // Not an address of this machine.
        return failed_to(doing, errno);
    }
    auto socket =
        std::make_unique<DatagramSocket>(world, std::move(fd), address.family(), options, observer);
    if (socket->watch_error() != 0) return failed_to(doing, socket->watch_error());
    if (options.endpoint.is_unix() && !options.endpoint.address.starts_with("unix:@"))
        socket->own_path(options.endpoint.address.substr(5));
    return socket;
}

}  // namespace reactor
