#include "server/app/service_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace server {

ServiceNotify ServiceNotify::from_environment() {
    const char* socket = std::getenv("NOTIFY_SOCKET");
    return ServiceNotify(socket ? socket : "");
}

void ServiceNotify::ready(std::string_view status) const {
    std::string message = "READY=1\nSTATUS=";
    for (const char letter : status)
        message += letter == '\n' ? ' ' : letter;
    send(message);
}

void ServiceNotify::reloading(base::MonotonicTime now) const {
    send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.nanoseconds / 1000));
}

void ServiceNotify::stopping() const {
    send("STOPPING=1");
}

// One datagram to the supervisor at start, reload and stop: not worth a place in the World, and it
// must work when the loop does not run yet or any more.
void ServiceNotify::send(const std::string& message) const {
    sockaddr_un address{};
    if (socket_.empty() || socket_.size() >= sizeof(address.sun_path)) return;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // An abstract name.
    const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return;
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    ::sendto(descriptor, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), length);
    ::close(descriptor);
}

}  // namespace server
