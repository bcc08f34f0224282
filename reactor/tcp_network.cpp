// See tcp_network.h. Connecting waits for writability and then asks the kernel what became of it.
#include "reactor/tcp_network.h"

#include "reactor/tcp_address.h"
#include "reactor/tcp_listener.h"
#include "reactor/tcp_stream.h"
#include "reactor/world.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace reactor {
namespace {

using base::Failure;
using StreamPtr = std::unique_ptr<ByteStream>;

Failure cannot_connect(const Endpoint& endpoint, int error_number) {
    return Failure(connection_error(error_number), "cannot connect to " + endpoint.to_string() +
                                                       ": " + std::strerror(error_number));
}

/// A connection under way. Lives in the canceller of its own Deferred.
class Connecting final : private FdObserver {
public:
    Connecting(World& world, OwnedFd fd, Endpoint endpoint)
        : world_(world), fd_(std::move(fd)), endpoint_(std::move(endpoint)) {}

    static Deferred<StreamPtr> start(World& world, OwnedFd fd, Endpoint endpoint) {
        auto owner = std::make_unique<Connecting>(world, std::move(fd), std::move(endpoint));
        Connecting& it = *owner;
        it.watch_.emplace(world.reactor, it.fd_.get(), static_cast<FdObserver&>(it));
        if (it.watch_->error() != 0) return cannot_connect(it.endpoint_, it.watch_->error());
        return it.promise_.deferred([owner = std::move(owner)]() mutable { owner.reset(); });
    }

private:
    void on_fd_events(bool, bool writable, bool hangup) override {
        if (!writable && !hangup) return;
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
        watch_.reset();
        // Settling destroys the canceller and with it this object.
        Promise<StreamPtr> promise = std::move(promise_);
        if (error != 0) return promise.fail(cannot_connect(endpoint_, error));
        promise.resolve(StreamPtr(std::make_unique<TcpStream>(world_, std::move(fd_))));
    }

    World& world_;
    OwnedFd fd_;
    Endpoint endpoint_;
    std::optional<FdWatch> watch_;
    Promise<StreamPtr> promise_;
};

class TcpNetwork final : public Network {
public:
    explicit TcpNetwork(World& world) : world_(world) {}

    base::Result<std::unique_ptr<Listener>> listen(ListenOptions options,
                                                   AcceptFunction accepted) override {
        return TcpListener::open(world_, options, std::move(accepted));
    }
    Deferred<StreamPtr> connect(Endpoint endpoint, std::optional<Endpoint> source) override;

private:
    World& world_;
};

Deferred<StreamPtr> TcpNetwork::connect(Endpoint endpoint, std::optional<Endpoint> source) {
    auto address = to_socket_address(endpoint);
    if (!address) return std::move(address).error();
    OwnedFd fd(::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return cannot_connect(endpoint, errno);
    if (source) {
        auto from = to_socket_address(*source);
        if (!from) return std::move(from).error();
        if (::bind(fd.get(), from->get(), from->size) != 0) return cannot_connect(endpoint, errno);
    }
    const int on = 1;
    if (!endpoint.is_unix()) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd.get(), address->get(), address->size) == 0)
        return StreamPtr(std::make_unique<TcpStream>(world_, std::move(fd)));
    // An interrupted connect goes on in the background, like one in progress.
    if (errno != EINPROGRESS && errno != EINTR) return cannot_connect(endpoint, errno);
    return Connecting::start(world_, std::move(fd), std::move(endpoint));
}

}  // namespace

std::unique_ptr<Network> make_tcp_network(World& world) {
    return std::make_unique<TcpNetwork>(world);
}

}  // namespace reactor
