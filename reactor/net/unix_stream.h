// UnixStream: a Unix-domain connection that carries file descriptors beside its bytes (SCM_RIGHTS,
// unix(7)). Descriptors arrive with or before the byte that they were sent with, in order.
#pragma once

#include "reactor/base/result.h"
#include "reactor/owned_fd.h"
#include "reactor/stream.h"

#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace reactor {

class UnixStream : public ByteStream {
public:
    /// Descriptors in one message.
    static constexpr std::size_t kPerMessageMax = 64;
    /// Received ones that nobody took yet. A peer that sends more breaks the stream, which then
    /// fails with resource_exhausted.
    static constexpr std::size_t kUntakenMax = 256;

    /// As `try_writev`; `descriptors` (of which the peer gets duplicates; they stay the caller's)
    /// travel with the first byte. `ok` with at least one byte: all of them are sent.
    /// invalid_argument: more than kPerMessageMax, or no byte to travel with.
    virtual IoResult try_write_with(std::span<const ConstBuffer> buffers,
                                    std::span<const int> descriptors) = 0;
    /// The oldest descriptor received (close-on-exec) that was not taken yet.
    virtual std::optional<OwnedFd> take_received() = 0;
};

/// Takes over a connection of a Network. unsupported: not a plain socket; invalid_argument: not a
/// Unix-domain one. The stream is closed then.
base::Result<std::unique_ptr<UnixStream>> unix_stream(World& world,
                                                      std::unique_ptr<ByteStream> stream);
/// The same for a descriptor: one end of a socketpair that a parent process left us.
base::Result<std::unique_ptr<UnixStream>> unix_stream(World& world, OwnedFd fd);

/// Two connected descriptors (SOCK_STREAM, close-on-exec) for a parent and its child. They block,
/// as ordinary programs expect; `unix_stream` changes that for the end that it is given.
base::Result<std::pair<OwnedFd, OwnedFd>> unix_pair();

}  // namespace reactor
