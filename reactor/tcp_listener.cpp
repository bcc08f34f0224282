// See tcp_listener.h. Accepting is bounded per turn, so that a flood of connections cannot starve
// the ones that exist; what is left over is accepted in the next turn.
#include "reactor/tcp_listener.h"

#include "reactor/reactor.h"
#include "reactor/tcp_address.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr int kAcceptsPerTurnMax = 64;
constexpr base::Duration kShortagePause = std::chrono::milliseconds(100);

std::unexpected<base::Failure> cannot_listen(const Endpoint& endpoint, int error_number) {
    const Errc code = error_number == EADDRNOTAVAIL ? Errc::invalid_argument  // Not ours.
                                                    : connection_error(error_number);
    return fail(code,
                "cannot listen on " + endpoint.to_string() + ": " + std::strerror(error_number));
}

bool set_flag(int fd, int level, int name) {
    const int on = 1;
    return ::setsockopt(fd, level, name, &on, sizeof on) == 0;
}

// Whether the socket file is left over from a process that is gone.
bool is_stale(const SocketAddress& address, const char* path) {
    struct stat status{};
    if (::lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
    const OwnedFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    return probe && ::connect(probe.get(), address.get(), address.size) != 0 &&
           errno == ECONNREFUSED;
}

int bind_unix(int fd, const SocketAddress& address, const char* path, std::uint32_t mode) {
    // An abstract name has no file: neither permissions nor leftovers.
    if (*path == '@') return ::bind(fd, address.get(), address.size) == 0 ? 0 : errno;
    // Before bind the mode of the descriptor bounds the file's, so it is never open too widely.
    if (::fchmod(fd, static_cast<mode_t>(mode)) != 0) return errno;
    if (::bind(fd, address.get(), address.size) != 0) {
        if (errno != EADDRINUSE) return errno;
        if (!is_stale(address, path)) return EADDRINUSE;
        if (::unlink(path) != 0) return errno;
        if (::bind(fd, address.get(), address.size) != 0) return errno;
    }
    return ::chmod(path, static_cast<mode_t>(mode)) == 0 ? 0 : errno;
}

int bind_tcp(int fd, const SocketAddress& address, bool share_port) {
    if (!set_flag(fd, SOL_SOCKET, SO_REUSEADDR)) return errno;
    if (share_port && !set_flag(fd, SOL_SOCKET, SO_REUSEPORT)) return errno;
    if (address.family() == AF_INET6 && !set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY)) return errno;
    return ::bind(fd, address.get(), address.size) == 0 ? 0 : errno;
}

OwnedFd open_reserve() {
    return OwnedFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

Result<std::unique_ptr<Listener>> TcpListener::open(World& world, const ListenOptions& options,
                                                    AcceptFunction accepted) {
    const SocketAddress address = TRY(to_socket_address(options.endpoint));
    OwnedFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return cannot_listen(options.endpoint, errno);
    const bool is_unix = options.endpoint.is_unix();
    const std::string path = is_unix ? options.endpoint.address.substr(5) : std::string();
    int error = is_unix ? bind_unix(fd.get(), address, path.c_str(), options.unix_mode)
                        : bind_tcp(fd.get(), address, options.share_port);
    if (error == 0 && ::listen(fd.get(), options.backlog) != 0) error = errno;
    if (error != 0) return cannot_listen(options.endpoint, error);

    std::unique_ptr<TcpListener> listener(
        new TcpListener(world, std::move(fd), std::move(accepted)));
    if (listener->watch_->error() != 0)
        return cannot_listen(options.endpoint, listener->watch_->error());
    if (is_unix) listener->own_socket_file(path);
    return listener;
}

Result<std::unique_ptr<Listener>> TcpListener::adopt(World& world, OwnedFd fd,
                                                     bool owns_socket_file,
                                                     AcceptFunction accepted) {
    std::unique_ptr<TcpListener> listener(
        new TcpListener(world, std::move(fd), std::move(accepted)));
    if (listener->watch_->error() != 0)
        return cannot_listen(listener->local(), listener->watch_->error());
    const Endpoint endpoint = listener->local();
    if (owns_socket_file && endpoint.is_unix())
        listener->own_socket_file(endpoint.address.substr(5));
    return listener;
}

// Remembers which file it was, so that somebody else's of the same name stays.
void TcpListener::own_socket_file(const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return;
    unix_path_ = path;
    unix_device_ = status.st_dev;
    unix_inode_ = status.st_ino;
}

Result<OwnedFd> TcpListener::hand_over() {
    OwnedFd copy = fd_.duplicate();
    if (!copy) return fail(connection_error(errno), "cannot duplicate the listening socket");
    unix_path_.clear();
    return copy;
}

TcpListener::TcpListener(World& world, OwnedFd fd, AcceptFunction accepted)
    : world_(world), fd_(std::move(fd)), reserve_(open_reserve()), accepted_(std::move(accepted)) {
    watch_.emplace(world.reactor, fd_.get(), static_cast<FdObserver&>(*this));
}

TcpListener::~TcpListener() {
    if (destroyed_ != nullptr) *destroyed_ = true;
    struct stat status{};
    if (!unix_path_.empty() && ::lstat(unix_path_.c_str(), &status) == 0 &&
        status.st_dev == unix_device_ && status.st_ino == unix_inode_)
        ::unlink(unix_path_.c_str());
}

Endpoint TcpListener::local() const {
    return local_endpoint(fd_.get());
}

void TcpListener::pause() {
    paused_ = true;
    cancel();
}

void TcpListener::resume() {
    if (!std::exchange(paused_, false)) return;
    Timer::arm(world_.reactor.wheel(), {});  // The next turn: edges that came meanwhile are gone.
}

void TcpListener::on_fd_events(bool, bool, bool) {
    if (!paused_ && !Timer::armed()) accept_some();
}

void TcpListener::accept_some() {
    for (int count = 0; count < kAcceptsPerTurnMax; ++count) {
        OwnedFd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!fd) {
            if (go_on_after(errno)) continue;
            return;
        }
        short_of_descriptors_ = false;
        set_flag(fd.get(), IPPROTO_TCP, TCP_NODELAY);  // Refused, rightly, by Unix-domain sockets.
        bool destroyed = false;
        destroyed_ = &destroyed;
        accepted_(std::make_unique<TcpStream>(world_, std::move(fd)));
        if (destroyed) return;
        destroyed_ = nullptr;
        if (paused_) return;
    }
    Timer::arm(world_.reactor.wheel(), {});
}

// False: enough for this turn.
bool TcpListener::go_on_after(int error_number) {
    switch (error_number) {
        case EAGAIN:
            return false;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            break;
        default:
            return true;  // The connection broke before we took it (accept(2), "Error handling").
    }
    // The kernel looks for a free descriptor before it looks for a connection: perhaps nobody
    // waits.
    const bool descriptors = error_number == EMFILE || error_number == ENFILE;
    if (descriptors && !drop_one()) return false;
    if (!std::exchange(short_of_descriptors_, true))
        world_.log.error("listener.out_of_descriptors",
                         {{"listener", local().to_string()}, {"why", std::strerror(error_number)}});
    world_.reactor.arm(*this, kShortagePause);
    return false;
}

// The client learns at once that we have no room, instead of waiting in the backlog.
bool TcpListener::drop_one() {
    reserve_.reset();
    OwnedFd dropped(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    const bool nobody_waits = !dropped && errno == EAGAIN;
    dropped.reset();
    reserve_ = open_reserve();
    return !nobody_waits;
}

}  // namespace reactor
