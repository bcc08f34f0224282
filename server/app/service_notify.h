// ServiceNotify: tells systemd how the service is doing (sd_notify(3)): one datagram of KEY=value
// lines to the socket that NOTIFY_SOCKET names. Without that variable every call does nothing.
#pragma once

#include <string>
#include <string_view>

#include "reactor/base/clock.h"

namespace server {

/// Sends never block and failures are ignored: the service works without its supervisor.
class ServiceNotify {
public:
    /// `socket`: a path, or '@' and an abstract name; empty: nobody listens.
    explicit ServiceNotify(std::string socket) : socket_(std::move(socket)) {}
    /// From the value of NOTIFY_SOCKET.
    static ServiceNotify from_environment();

    void ready(std::string_view status) const;
    /// `now` is the World's monotonic clock; `ready` must follow when the reload is done.
    void reloading(base::MonotonicTime now) const;
    void stopping() const;

private:
    void send(const std::string& message) const;

    std::string socket_;
};

}  // namespace server
