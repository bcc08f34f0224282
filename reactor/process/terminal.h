// Pseudo-terminals for children (pty(7)): our side as a stream whose size may change, and the side
// that the child finds at 0, 1 and 2. Internal to process.cpp.
#pragma once

#include "reactor/net/descriptor_stream.h"
#include "reactor/process/process.h"

#include <utility>

namespace reactor::detail {

/// Our side. The child's last copy of the other one closed: end of stream.
class TerminalStream final : public DescriptorStream {
public:
    TerminalStream(World& world, OwnedFd terminal)
        : DescriptorStream(world, std::move(terminal), OwnedFd(), "terminal:", true) {}

    /// `closed` when it was.
    base::Result<void> set_size(TerminalSize size);
};

struct Terminal {
    OwnedFd ours;  ///< Non-blocking.
    OwnedFd its;
};

/// resource_exhausted or what else the kernel says when it has none to give.
base::Result<Terminal> open_terminal(TerminalSize size);

}  // namespace reactor::detail
