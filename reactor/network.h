// Network: how a shard reaches other machines. The real one uses sockets of the kernel, the
// simulated one (reactor/sim/) pipes in memory; both hand out ByteStreams.
#pragma once

#include "reactor/base/result.h"
#include "reactor/stream.h"

namespace reactor {

/// Accepts connections until destroyed. One per shard and address (SO_REUSEPORT shares the port).
/// When the process runs out of file descriptors it drops the waiting connection through a reserve
/// descriptor, pauses 100 ms and logs "listener.out_of_descriptors".
class Listener {
public:
    virtual ~Listener() = default;
    virtual Endpoint local() const = 0;  ///< With the port the system chose.
    virtual void pause() = 0;            ///< Stops accepting; connections wait in the backlog.
    virtual void resume() = 0;
};

struct ListenOptions {
    Endpoint endpoint;
    int backlog = 1024;
    bool share_port = false;         ///< SO_REUSEPORT: every shard listens on its own.
    std::uint32_t unix_mode = 0600;  ///< Permissions of a Unix-domain socket.
};

using AcceptFunction = base::UniqueFunction<void(std::unique_ptr<ByteStream>)>;

class Network {
public:
    virtual ~Network() = default;
    /// Errors: address_in_use, permission_denied, invalid_argument; the text names the address.
    /// An IPv6 wildcard listens on IPv6 only, so that both families can be given. A stale
    /// Unix-domain socket (nobody answers) is replaced.
    virtual base::Result<std::unique_ptr<Listener>> listen(ListenOptions options,
                                                           AcceptFunction accepted) = 0;
    /// `source`: bind to this address first (port 0 for any).
    virtual Deferred<std::unique_ptr<ByteStream>> connect(Endpoint endpoint,
                                                          std::optional<Endpoint> source = {}) = 0;
};

}  // namespace reactor
