#include "reactor/net/file.h"

#include "reactor/net/connection.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

int flags_of(FileMode mode) {
    switch (mode) {
        case FileMode::read:
            return O_RDONLY;
        case FileMode::read_write:
            return O_RDWR;
        case FileMode::create:
            return O_RDWR | O_CREAT;
        case FileMode::truncate:
            return O_RDWR | O_CREAT | O_TRUNC;
        case FileMode::exclusive:
            return O_RDWR | O_CREAT | O_EXCL;
    }
    return O_RDONLY;
}

std::unexpected<base::Failure> cannot(std::string_view doing, const std::string& path) {
    return std::unexpected(base::failure_from_errno(errno, std::string(doing) + " " + path));
}

Result<void> check_range(std::uint64_t offset, std::uint64_t bytes) {
    constexpr std::uint64_t kOffsetMax = std::numeric_limits<off_t>::max();
    if (offset > kOffsetMax || bytes > kOffsetMax - offset)
        return fail(Errc::invalid_argument, "a place beyond what files can have");
    return {};
}

Result<std::string> read_now(int fd, const std::string& path, std::uint64_t offset,
                             std::size_t bytes_max) {
    std::string bytes(bytes_max, '\0');
    std::size_t done = 0;
    while (done < bytes_max) {
        const ssize_t count =
            ::pread(fd, bytes.data() + done, bytes_max - done, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return cannot("cannot read", path);
        if (count == 0) break;
        done += static_cast<std::size_t>(count);
    }
    bytes.resize(done);
    return bytes;
}

Result<void> write_now(int fd, const std::string& path, std::uint64_t offset,
                       const std::string& bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count = ::pwrite(fd, bytes.data() + done, bytes.size() - done,
                                       static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return cannot("cannot write", path);
        done += static_cast<std::size_t>(count);
    }
    return {};
}

Result<std::uint64_t> size_now(int fd, const std::string& path) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) return cannot("cannot look at", path);
    return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

Deferred<File> File::open(BlockingPool& pool, std::string path, FileMode mode,
                          std::uint32_t permissions) {
    auto job = [path = std::move(path), mode,
                permissions]() -> Result<std::shared_ptr<const Handle>> {
        if (path.contains('\0')) return fail(Errc::invalid_argument, "a zero byte in a path");
        // Without O_NONBLOCK a named pipe would hold the thread until somebody writes to it.
        OwnedFd fd(::open(path.c_str(), flags_of(mode) | O_CLOEXEC | O_NONBLOCK, permissions));
        if (!fd) return cannot("cannot open", path);
        struct stat status{};
        if (::fstat(fd.get(), &status) != 0) return cannot("cannot look at", path);
        if (!S_ISREG(status.st_mode)) return fail(Errc::invalid_argument, path + " is no file");
        return std::make_shared<const Handle>(std::move(fd), path);
    };
    Deferred<std::shared_ptr<const Handle>> opening = pool.run(WorkClass::misc, std::move(job));
    return std::move(opening).then(
        [&pool](std::shared_ptr<const Handle> handle) { return File(pool, std::move(handle)); });
}

Deferred<std::string> File::read_at(std::uint64_t offset, std::size_t bytes_max) const {
    if (bytes_max > kReadBytesMax)
        return base::Failure(Errc::invalid_argument, "more than one read may bring");
    if (auto fits = check_range(offset, bytes_max); !fits) return fits.error();
    return pool_->run(WorkClass::misc, [handle = handle_, offset, bytes_max] {
        return read_now(handle->fd.get(), handle->path, offset, bytes_max);
    });
}

Deferred<void> File::write_at(std::uint64_t offset, std::string bytes) const {
    if (auto fits = check_range(offset, bytes.size()); !fits) return fits.error();
    return pool_->run(WorkClass::misc, [handle = handle_, offset, bytes = std::move(bytes)] {
        return write_now(handle->fd.get(), handle->path, offset, bytes);
    });
}

Deferred<std::uint64_t> File::append(std::string bytes) const {
    return pool_->run(
        WorkClass::misc, [handle = handle_, bytes = std::move(bytes)]() -> Result<std::uint64_t> {
            const std::uint64_t end = TRY(size_now(handle->fd.get(), handle->path));
            if (auto written = write_now(handle->fd.get(), handle->path, end, bytes); !written)
                return std::unexpected(written.error());
            return end;
        });
}

Deferred<std::uint64_t> File::size() const {
    return pool_->run(WorkClass::misc,
                      [handle = handle_] { return size_now(handle->fd.get(), handle->path); });
}

Deferred<void> File::truncate(std::uint64_t bytes) const {
    if (auto fits = check_range(bytes, 0); !fits) return fits.error();
    return pool_->run(WorkClass::misc, [handle = handle_, bytes]() -> Result<void> {
        if (::ftruncate(handle->fd.get(), static_cast<off_t>(bytes)) == 0) return {};
        return cannot("cannot change the size of", handle->path);
    });
}

Deferred<void> File::sync() const {
    return pool_->run(WorkClass::misc, [handle = handle_]() -> Result<void> {
        if (::fsync(handle->fd.get()) == 0) return {};
        return cannot("cannot write to the disk", handle->path);
    });
}

Deferred<std::uint64_t> send_file(Connection& connection, File file, SendFileOptions options) {
    std::uint64_t sent = 0;
    const std::size_t chunk_bytes =
        std::clamp<std::size_t>(options.chunk_bytes, 1, File::kReadBytesMax);
    while (sent < options.bytes_max) {
        const std::size_t wanted = static_cast<std::size_t>(
            std::min<std::uint64_t>(chunk_bytes, options.bytes_max - sent));
        Deferred<std::string> reading = file.read_at(options.offset + sent, wanted);
        Result<std::string> bytes = co_await std::move(reading);
        if (!bytes) co_return bytes.error();
        const std::size_t count = bytes->size();
        if (count > 0) {
            base::SharedBytes shared(*std::move(bytes));
            if (const Result<void> written = connection.write(std::move(shared)); !written)
                co_return written.error();
            sent += count;
        }
        if (count < wanted) break;
        Deferred<void> draining = connection.drain();
        const Result<void> drained = co_await std::move(draining);
        if (!drained) co_return drained.error();
    }
    co_return sent;
}

}  // namespace reactor
