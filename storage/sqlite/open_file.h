// What happens to a database file before the engine may use it: it is created with mode 0600,
// locked against a second server (an flock on `<path>.lock`, gone with the process), and put into
// WAL mode.
#pragma once

#include "reactor/base/result.h"
#include "reactor/sync/file_lock.h"
#include "storage/database.h"
#include "storage/sqlite/connection.h"

#include <memory>
#include <optional>
#include <string>

namespace storage::sqlite {

inline constexpr std::string_view kMemoryPath = ":memory:";

/// A database ready for use: locked, in WAL mode, migrated.
struct OpenedFile {
    std::optional<reactor::FileLock> lock;  ///< None for a database in memory.
    std::unique_ptr<Connection> writer;
};

base::Result<OpenedFile> open_file(const DatabaseOptions& options, std::uint32_t busy_timeout_ms);

}  // namespace storage::sqlite
