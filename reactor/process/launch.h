// launch: the system calls between the wish for a child and its program. vfork-like: the child
// shares our memory until it execs, so a large process starts one as fast as a small one, and the
// step that failed is known at once. Internal to process.cpp.
#pragma once

#include "reactor/process/process.h"

namespace reactor::detail {

/// `fd` of the parent becomes `child_fd` of the child.
struct FdPlacement {
    int fd = -1;
    int child_fd = -1;
};

struct Launched {
    OwnedFd pidfd;
    std::int64_t pid = 0;
};

base::Result<Launched> launch(const ProcessSpec& spec, const std::vector<FdPlacement>& fds);

}  // namespace reactor::detail
