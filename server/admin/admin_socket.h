// AdminSocket: the operator's way in. A Unix-domain socket with mode 0600 that speaks one JSON
// object a line (admin_command.h). Whoever may open the socket may do everything; there is no other
// check.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "server/admin/admin_command.h"

namespace reactor {
class ByteStream;
struct World;
}  // namespace reactor

namespace server {

struct AdminSocketOptions {
    std::string path;
    std::size_t request_bytes_max = 64 * 1024;  ///< Longer: an error reply and the connection ends.
    std::size_t connections_max = 32;           ///< More are closed at once.
    base::Duration idle_timeout = std::chrono::minutes(5);  ///< Between requests.
};

/// Lives on one shard. Destroying it closes the socket and all connections and drops what runs.
class AdminSocket {
public:
    /// Errors are those of Network::listen. `world` and `commands` must outlive the socket.
    static base::Result<std::unique_ptr<AdminSocket>> listen(reactor::World& world,
                                                             AdminCommands& commands,
                                                             AdminSocketOptions options);
    ~AdminSocket();

    /// Serves a connection that is there already; the listener does the same with what it accepts.
    void serve(std::unique_ptr<reactor::ByteStream> stream);
    std::size_t connections() const noexcept;

private:
    struct Impl;
    explicit AdminSocket(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace server
