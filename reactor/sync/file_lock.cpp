#include "reactor/sync/file_lock.h"

#include "reactor/blocking_pool.h"
#include "reactor/reactor.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <array>
#include <cerrno>

namespace reactor {

namespace {

std::string holder_of(int fd) {
    std::array<char, 24> text{};
    const ssize_t count = pread(fd, text.data(), text.size() - 1, 0);
    std::string_view digits(text.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    digits = digits.substr(0, digits.find_first_not_of("0123456789"));
    return digits.empty() ? "another process" : "process " + std::string(digits);
}

}  // namespace

void FileLock::release() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

base::Result<FileLock> FileLock::try_acquire(const std::string& path, unsigned mode) {
    FileLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, mode));
    if (!lock.held())
        return std::unexpected(base::failure_from_errno(errno, "cannot open " + path));
    while (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno == EWOULDBLOCK)
            return base::fail(base::Errc::busy, path + " is locked by " + holder_of(lock.fd_));
        return std::unexpected(base::failure_from_errno(errno, "cannot lock " + path));
    }
    // Only for people; whether it can be written does not matter.
    const std::string text = std::to_string(getpid()) + "\n";
    if (ftruncate(lock.fd_, 0) == 0) [[maybe_unused]]
        const ssize_t written = pwrite(lock.fd_, text.data(), text.size(), 0);
    return lock;
}

Deferred<FileLock> FileLock::acquire(World& world, std::string path, FileLockOptions options) {
    const base::MonotonicTime end = world.reactor.now() + options.timeout;
    for (;;) {
        Deferred<FileLock> trying =
            world.blocking.run(WorkClass::misc, [path] { return try_acquire(path); });
        base::Result<FileLock> lock = co_await std::move(trying);
        const base::Duration left = end - world.reactor.now();
        if (lock || !lock.error().is(base::Errc::busy) || left <= base::Duration::zero())
            co_return lock;
        Deferred<void> waiting = sleep(world.reactor, std::min(options.retry_interval, left));
        co_await std::move(waiting);
    }
}

}  // namespace reactor
