#include "storage/sqlite/open_file.h"

#include "storage/sim_disk.h"
#include "storage/sqlite/migrate.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <cerrno>
#include <utility>

namespace storage::sqlite {
namespace {

using base::Errc;
using base::Failure;
using base::Result;

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Failure open_failure(const std::string& path, const std::string& database_path) {
    const int error_number = errno;
    if (error_number == EACCES || error_number == EPERM || error_number == EROFS)
        return {
            Errc::permission_denied,
            fmt::format("cannot write {}: let the server's user write the file and the folder {}",
                        path, folder_of(database_path))};
    if (error_number == ENOENT || error_number == ENOTDIR)
        return {Errc::not_found, fmt::format("cannot create {}: the folder {} does not exist", path,
                                             folder_of(database_path))};
    return base::failure_from_errno(error_number, fmt::format("cannot open {}", path));
}

Result<int> open_descriptor(const std::string& path, const std::string& database_path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return std::unexpected(open_failure(path, database_path));
    return descriptor;
}

/// SQLite would create the file with the umask's mode; its -wal and -shm take over the mode of
/// this.
Result<void> create_private(const std::string& path) {
    const int descriptor = TRY(open_descriptor(path, path));
    ::close(descriptor);
    return {};
}

Result<void> use_wal(Connection& connection) {
    std::string mode;
    SqliteTransaction transaction(connection, Access::write);
    TRY(transaction.query("PRAGMA journal_mode = WAL", {},
                          [&](const Row& row) { mode = row.text(0); }));
    if (mode != "wal")
        return base::fail(Errc::unsupported,
                          fmt::format("the database {} cannot use a write-ahead log: put it on a "
                                      "local file system",
                                      connection.path()));
    return {};
}

/// Held until the process ends, whatever ends it.
Result<reactor::FileLock> lock_file(const std::string& database_path) {
    const std::string path = database_path + ".lock";
    ::close(TRY(open_descriptor(path, database_path)));  // Says best what is in the way.
    auto lock = reactor::FileLock::try_acquire(path, 0600);
    if (!lock && lock.error().is(Errc::busy))
        return base::fail(
            Errc::busy, fmt::format("the database {} is in use by another process: stop the other "
                                    "server first, or name another file",
                                    database_path));
    return lock;
}

}  // namespace

Result<OpenedFile> open_file(const DatabaseOptions& options, std::uint32_t busy_timeout_ms) {
    if (options.path.empty())
        return base::fail(Errc::invalid_argument, "the database has no file name");
    OpenedFile opened;
    const bool in_memory = options.path == kMemoryPath;
    const bool on_disk = !in_memory && options.disk == nullptr;
    if (on_disk) {
        opened.lock = TRY(lock_file(options.path));
        TRY(create_private(options.path));
    }
    opened.writer = TRY(Connection::open({.path = options.path,
                                          .vfs = options.disk ? options.disk->vfs_name() : "",
                                          .access = Access::write,
                                          .busy_timeout_ms = busy_timeout_ms,
                                          .sync_commits = options.sync_commits,
                                          .size_bytes_max = options.size_bytes_max}));
    // Before anything is written: the file may be another program's.
    TRY(check_owner(*opened.writer));
    if (!in_memory) TRY(use_wal(*opened.writer));
    TRY(migrate(*opened.writer, options.stores, options.now));
    return opened;
}

}  // namespace storage::sqlite
