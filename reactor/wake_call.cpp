#include "reactor/wake_call.h"

#include "reactor/base/check.h"
#include "reactor/reactor.h"

#include <sys/eventfd.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace reactor {

WakeCall::Descriptor::Descriptor() : fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    CHECK(fd >= 0);
}

WakeCall::Descriptor::~Descriptor() {
    ::close(fd);
}

WakeCall::WakeCall(Reactor& reactor, base::UniqueFunction<void()> function)
    : function_(std::move(function)), watch_(reactor, descriptor_.fd, *this) {
    CHECK(watch_.error() == 0);
}

void WakeCall::notify() const noexcept {
    const int before = errno;
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the call is on its way.
    [[maybe_unused]] const ssize_t written = ::write(descriptor_.fd, &one, sizeof one);
    errno = before;
}

void WakeCall::on_fd_events(bool readable, bool, bool) {
    if (!readable) return;  // An eventfd is writable at first.
    std::uint64_t count = 0;
    if (::read(descriptor_.fd, &count, sizeof count) == sizeof count) function_();
}

}  // namespace reactor
