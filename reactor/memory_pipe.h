// memory_pipe: two ByteStreams that are each other's peer, in one process and on one thread. For
// tests and for talking to oneself; the readiness contract is that of a socket with small buffers.
#pragma once

#include "reactor/stream.h"

#include <cstddef>
#include <memory>
#include <utility>

namespace reactor {

struct MemoryPipeOptions {
    std::size_t capacity = 65'536;  ///< Bytes that may wait in each direction.
    /// At most so many bytes per read and per write; 0 for no limit. Shortens every transfer, as a
    /// slow network would.
    std::size_t transfer_max = 0;
};

/// `first` lives in world `a`, `second` in `b` (which may be the same). Both worlds must run on one
/// thread. A destroyed or closed end gives the other end_of_stream after the bytes under way.
std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>> memory_pipe(
    World& a, World& b, MemoryPipeOptions options = {});

}  // namespace reactor
