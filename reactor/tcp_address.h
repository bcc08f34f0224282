// Endpoints as the kernel's socket addresses and back. Private to tcp_*.cpp.
#pragma once

#include "reactor/base/result.h"
#include "reactor/stream.h"

#include <sys/socket.h>

namespace reactor {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
    int family() const noexcept { return storage.ss_family; }
};

/// invalid_argument: neither a numeric address (IPv6 may have a "%scope") nor "unix:" and a path
/// that fits (107 bytes). "unix:@name" is a name in the abstract namespace, without a file.
base::Result<SocketAddress> to_socket_address(const Endpoint& endpoint);
Endpoint to_endpoint(const SocketAddress& address);
/// Of a socket: its own end or the other one; an empty Endpoint when there is none.
Endpoint local_endpoint(int fd);
Endpoint peer_endpoint(int fd);

/// What an errno of socket calls means for the connection.
base::Errc connection_error(int error_number) noexcept;

}  // namespace reactor
