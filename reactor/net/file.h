// File: a file on disk without blocking the shard: every operation is a job of the pool (class
// misc). And send_file, which feeds a connection from one. Linux has no readiness for files; in the
// simulator the jobs run at seeded times like all others.
#pragma once

#include "reactor/blocking_pool.h"
#include "reactor/owned_fd.h"

#include <cstdint>
#include <memory>
#include <string>

namespace reactor {

class Connection;

enum class FileMode : std::uint8_t {
    read,        ///< Must exist.
    read_write,  ///< Must exist.
    create,      ///< Read and write; made if missing, its bytes kept.
    truncate,    ///< Read and write; made if missing, emptied.
    exclusive,   ///< Read and write; must not exist.
};

/// All operations are positional, so several may be under way; those that overlap are in no order.
/// Dropping a Deferred does not stop the job. Destroying the File closes it when its last job has
/// ended. Failures: as the kernel's, plus queue_full and closed of the pool.
class File {
public:
    /// One read at most.
    static constexpr std::size_t kReadBytesMax = 16'777'216;

    /// not_found, permission_denied, already_exists, resource_exhausted, io_error, invalid_argument
    /// (a directory, or a mode that does not fit).
    static Deferred<File> open(BlockingPool& pool, std::string path, FileMode mode,
                               std::uint32_t permissions = 0600);

    File(File&&) noexcept = default;
    File& operator=(File&&) noexcept = default;

    /// Up to `bytes_max` bytes from `offset`; fewer only at the end of the file, empty behind it.
    Deferred<std::string> read_at(std::uint64_t offset, std::size_t bytes_max) const;
    /// All of `bytes`; no_space leaves a part written.
    Deferred<void> write_at(std::uint64_t offset, std::string bytes) const;
    /// Behind the last byte; the place it was written to. Not atomic against other writers.
    Deferred<std::uint64_t> append(std::string bytes) const;
    Deferred<std::uint64_t> size() const;
    Deferred<void> truncate(std::uint64_t bytes) const;
    /// On the disk when it settles (fsync).
    Deferred<void> sync() const;

private:
    struct Handle {
        OwnedFd fd;
        std::string path;
    };
    File(BlockingPool& pool, std::shared_ptr<const Handle> handle) noexcept
        : pool_(&pool), handle_(std::move(handle)) {}

    BlockingPool* pool_;
    std::shared_ptr<const Handle> handle_;  // Jobs keep it open.
};

struct SendFileOptions {
    std::uint64_t offset = 0;
    std::uint64_t bytes_max = ~std::uint64_t{0};
    std::size_t chunk_bytes = 65'536;
};

/// Writes the file to the connection chunk by chunk, never more than the watermark ahead; how many
/// bytes. Fails with what broke either. `connection` must outlive it.
Deferred<std::uint64_t> send_file(Connection& connection, File file, SendFileOptions options = {});

}  // namespace reactor
