// Sockets that come from elsewhere or go there: adopted from a parent process, systemd or a message
// (unix_stream.h), and handed over for a restart without an outage.
#pragma once

#include "reactor/network.h"
#include "reactor/owned_fd.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reactor {

struct AdoptOptions {
    /// Remove the file of a Unix-domain socket at the end. True when a predecessor handed the
    /// listener over, false when systemd keeps it.
    bool owns_socket_file = false;
};

/// A listening stream socket becomes a Listener, which owns it; made non-blocking and
/// close-on-exec. invalid_argument: not a descriptor, not a stream socket, or not listening.
base::Result<std::unique_ptr<Listener>> adopt_listener(World& world, OwnedFd fd,
                                                       AcceptFunction accepted,
                                                       AdoptOptions options = {});
/// A connected stream socket becomes a ByteStream. invalid_argument: not one.
base::Result<std::unique_ptr<ByteStream>> adopt_stream(World& world, OwnedFd fd);

/// A duplicate of the listening socket, for a successor. Both accept from the same backlog, so stop
/// or destroy this one when the successor is ready. The socket's file is the successor's to remove.
/// unsupported: not a listener of the kernel (a simulated one).
base::Result<OwnedFd> hand_over(Listener& listener);
/// The socket of a connection, for another process. Nothing is lost: plain sockets have no buffers
/// of ours. unsupported: TLS, a pipe, a simulated stream; the stream is closed then.
base::Result<OwnedFd> take_descriptor(std::unique_ptr<ByteStream> stream);

/// One descriptor that systemd passed (sd_listen_fds(3)).
struct PassedDescriptor {
    OwnedFd fd;
    std::string name;  ///< FileDescriptorName=, "" when none was given.
};

/// What $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES say, given as text (null when unset), for the
/// process `own_pid`. Empty when they are meant for another process. Call once: the descriptors
/// are owned by the result. invalid_argument: numbers that do not parse or are absurd.
base::Result<std::vector<PassedDescriptor>> passed_descriptors(const char* listen_pid,
                                                               const char* listen_fds,
                                                               const char* listen_names,
                                                               std::int64_t own_pid);

}  // namespace reactor
