#include "reactor/process/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>

namespace reactor::detail {

using base::Result;

namespace {

std::unexpected<base::Failure> refused(const char* what) {
    return std::unexpected(base::failure_from_errno(errno, what));
}

Result<void> apply(int fd, TerminalSize size) {
    const winsize shape{
        .ws_row = size.rows, .ws_col = size.columns, .ws_xpixel = 0, .ws_ypixel = 0};
    if (::ioctl(fd, TIOCSWINSZ, &shape) != 0) return refused("cannot set a terminal's size");
    return {};
}

}  // namespace

Result<void> TerminalStream::set_size(TerminalSize size) {
    if (input_fd() < 0) return base::fail(base::Errc::closed, "the terminal was closed");
    return apply(input_fd(), size);
}

Result<Terminal> open_terminal(TerminalSize size) {
    Terminal terminal{
        .ours = OwnedFd(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)),
        .its = {}};
    if (!terminal.ours) return refused("no terminal to be had");
    std::array<char, 64> name{};
    if (::grantpt(terminal.ours.get()) != 0 || ::unlockpt(terminal.ours.get()) != 0 ||
        ::ptsname_r(terminal.ours.get(), name.data(), name.size()) != 0)
        return refused("cannot prepare a terminal");
    terminal.its = OwnedFd(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!terminal.its) return refused("cannot open a terminal");
    if (auto sized = apply(terminal.its.get(), size); !sized) return std::unexpected(sized.error());
    return terminal;
}

}  // namespace reactor::detail
