// FileLock: one holder among all processes of the machine, by flock(2) on a file. The kernel
// releases it when the holder dies, so there is no stale lock to clear away. The file stays behind
// and tells the holder's process id.
#pragma once

#include "reactor/deferred.h"
#include "reactor/world.h"

#include <chrono>
#include <string>
#include <utility>

namespace reactor {

struct FileLockOptions {
    base::Duration retry_interval = std::chrono::milliseconds(250);
    /// Zero: try once.
    base::Duration timeout = std::chrono::seconds(30);
};

/// A lock that is held; released when destroyed.
class [[nodiscard]] FileLock {
public:
    FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileLock& operator=(FileLock&& other) noexcept {
        if (this == &other) return *this;
        release();
        fd_ = std::exchange(other.fd_, -1);
        return *this;
    }
    ~FileLock() { release(); }
    void release() noexcept;
    bool held() const noexcept { return fd_ >= 0; }

    /// Tries at intervals, on the blocking pool. Fails with `busy` and the holder's process id
    /// when the time is over, or with what opening the file failed with.
    static Deferred<FileLock> acquire(World& world, std::string path, FileLockOptions options = {});
    /// Without waiting, on this thread; `busy` if somebody has it.
    /// `mode`: the permissions of a file that is made for it.
    static base::Result<FileLock> try_acquire(const std::string& path, unsigned mode = 0644);

private:
    explicit FileLock(int fd) noexcept : fd_(fd) {}
    int fd_;
};

}  // namespace reactor
