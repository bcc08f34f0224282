#include "reactor/tcp_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::string_view kUnixPrefix = "unix:";
// A name in the kernel's abstract namespace, which starts with a zero byte there (unix(7)).
constexpr char kAbstractMark = '@';

Result<SocketAddress> unix_address(std::string_view path) {
    sockaddr_un un{};
    if (path.empty() || path.size() >= sizeof un.sun_path || path.contains('\0'))
        return fail(Errc::invalid_argument, "the path of a socket has 1 to " +
                                                std::to_string(sizeof un.sun_path - 1) +
                                                " bytes: " + std::string(path));
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, path.data(), path.size());
    const bool is_abstract = path.front() == kAbstractMark;
    if (is_abstract) un.sun_path[0] = '\0';
    SocketAddress address;
    std::memcpy(&address.storage, &un, sizeof un);
    // A path ends with a zero byte; an abstract name is as long as the address says.
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                          (is_abstract ? 0 : 1));
    return address;
}

bool parse_v6(const std::string& text, std::uint16_t port, SocketAddress& address) {
    const std::size_t percent = text.find('%');
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    if (inet_pton(AF_INET6, text.substr(0, percent).c_str(), &v6.sin6_addr) != 1) return false;
    if (percent != std::string::npos) {
        v6.sin6_scope_id = if_nametoindex(text.c_str() + percent + 1);
        if (v6.sin6_scope_id == 0) return false;
    }
    std::memcpy(&address.storage, &v6, sizeof v6);
    address.size = sizeof v6;
    return true;
}

Endpoint endpoint_of(int fd, int (*query)(int, sockaddr*, socklen_t*)) {
    SocketAddress address;
    address.size = sizeof address.storage;
    if (query(fd, address.get(), &address.size) != 0) return {};
    return to_endpoint(address);
}

}  // namespace

Result<SocketAddress> to_socket_address(const Endpoint& endpoint) {
    if (endpoint.is_unix())
        return unix_address(std::string_view(endpoint.address).substr(kUnixPrefix.size()));
    SocketAddress address;
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    if (inet_pton(AF_INET, endpoint.address.c_str(), &v4.sin_addr) == 1) {
        std::memcpy(&address.storage, &v4, sizeof v4);
        address.size = sizeof v4;
        return address;
    }
    if (parse_v6(endpoint.address, endpoint.port, address)) return address;
    return fail(Errc::invalid_argument, "not a numeric IP address: " + endpoint.address);
}

Endpoint to_endpoint(const SocketAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.family() == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address.storage, sizeof v4);
        inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
        return {text.data(), ntohs(v4.sin_port)};
    }
    if (address.family() == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address.storage, sizeof v6);
        inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
        return {text.data(), ntohs(v6.sin6_port)};
    }
    if (address.family() != AF_UNIX) return {};
    sockaddr_un un{};
    std::memcpy(&un, &address.storage, sizeof un);
    const std::size_t path_offset = offsetof(sockaddr_un, sun_path);
    const std::size_t room = address.size > path_offset ? address.size - path_offset : 0;
    if (room > 1 && un.sun_path[0] == '\0') {
        std::string name(un.sun_path, std::min(room, sizeof un.sun_path));
        name.front() = kAbstractMark;
        return {std::string(kUnixPrefix) + name, 0};
    }
    const std::size_t length = strnlen(un.sun_path, std::min(room, sizeof un.sun_path));
    return {std::string(kUnixPrefix) + std::string(un.sun_path, length), 0};
}

Endpoint local_endpoint(int fd) {
    return endpoint_of(fd, getsockname);
}
Endpoint peer_endpoint(int fd) {
    return endpoint_of(fd, getpeername);
}

Errc connection_error(int error_number) noexcept {
    switch (error_number) {
        case ECONNREFUSED:
        case ENOENT:
            return Errc::connection_refused;  // ENOENT: no such Unix-domain socket.
        case ETIMEDOUT:
            return Errc::timed_out;
        case EADDRINUSE:
        case EADDRNOTAVAIL:
            return Errc::address_in_use;
        case EACCES:
        case EPERM:
            return Errc::permission_denied;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case EAGAIN:
            return Errc::resource_exhausted;  // EAGAIN: a Unix backlog is full.
        case EINVAL:
        case EAFNOSUPPORT:
            return Errc::invalid_argument;
        default:
            return Errc::connection_lost;
    }
}

}  // namespace reactor
