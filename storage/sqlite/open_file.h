// What happens to a database file before the engine may use it: it is created with mode 0600,
// locked against a second server (an flock on `<path>.lock`, gone with the process), and put into
// WAL mode.
#pragma once

#include "reactor/base/result.h"
#include "storage/database.h"
#include "storage/sqlite/connection.h"

#include <memory>
#include <string>

namespace storage::sqlite {

inline constexpr std::string_view kMemoryPath = ":memory:";

/// Holds the lock file; another process that tries gets busy.
class FileLock {
public:
    FileLock() = default;  ///< Holds nothing.
    /// Errors: busy, permission_denied, not_found (no such folder), no_space, io_error.
    static base::Result<FileLock> acquire(const std::string& database_path);
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&& other) noexcept;
    ~FileLock();

private:
    explicit FileLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

/// A database ready for use: locked, in WAL mode, migrated.
struct OpenedFile {
    FileLock lock;
    std::unique_ptr<Connection> writer;
};

base::Result<OpenedFile> open_file(const DatabaseOptions& options, std::uint32_t busy_timeout_ms);

}  // namespace storage::sqlite
