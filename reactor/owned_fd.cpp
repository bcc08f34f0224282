#include "reactor/owned_fd.h"

#include <fcntl.h>
#include <unistd.h>

namespace reactor {

void OwnedFd::reset(int fd) noexcept {
    if (fd_ >= 0) ::close(fd_);  // After EINTR Linux has closed it all the same.
    fd_ = fd;
}

OwnedFd OwnedFd::duplicate() const noexcept {
    return OwnedFd(::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
}

}  // namespace reactor
