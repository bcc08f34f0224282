#include "storage/sqlite/errors.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <cerrno>
#include <cstring>

namespace storage::sqlite {
namespace {

using base::Errc;
using base::Failure;

Failure no_space(std::string_view path) {
    return {
        Errc::no_space,
        fmt::format("no room left for the database {}: free disk space, or raise its size limit",
                    path)};
}

Failure not_writable(std::string_view path) {
    return {Errc::permission_denied,
            fmt::format("the database {} cannot be opened for writing: let the server's user write "
                        "the file and its folder",
                        path)};
}

Failure io_error(std::string_view path, int error_number) {
    if (error_number == ENOSPC || error_number == EDQUOT) return no_space(path);
    const char* reason = error_number != 0 ? std::strerror(error_number) : "disk I/O error";
    return {Errc::io_error,
            fmt::format("reading or writing the database {} failed ({}): check the disk and the "
                        "system's log",
                        path, reason)};
}

Failure constraint(int extended) {
    if (extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ||
        extended == SQLITE_CONSTRAINT_ROWID)
        return Errc::already_exists;
    return {Errc::invalid_argument, "the value breaks a rule of its table"};
}

}  // namespace

Failure failure_of(sqlite3* database, int code, std::string_view path) {
    const int error_number = database != nullptr ? sqlite3_system_errno(database) : 0;
    switch (code & 0xff) {
        case SQLITE_FULL:
            return no_space(path);
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {Errc::busy,
                    fmt::format("the database {} is locked by another process: stop it (a second "
                                "server, a sqlite3 shell, a backup?) and try again",
                                path)};
        case SQLITE_NOTADB:
            return {Errc::corrupt,
                    fmt::format("the file {} is not a database, or its start is damaged: name "
                                "another file, or restore a backup",
                                path)};
        case SQLITE_CORRUPT:
            return {Errc::corrupt,
                    fmt::format("the database {} is damaged ({}): stop the server, then restore a "
                                "backup or save what is left with `sqlite3 {} .recover`",
                                path, sqlite3_errstr(code), path)};
        case SQLITE_IOERR:
            return io_error(path, error_number);
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return not_writable(path);
        case SQLITE_CANTOPEN:
            if (error_number == EACCES || error_number == EROFS || error_number == EPERM)
                return not_writable(path);
            return io_error(path, error_number);
        case SQLITE_NOMEM:
            return {Errc::resource_exhausted, "out of memory in the database"};
        case SQLITE_TOOBIG:
            return {Errc::resource_exhausted, "the value is too big for the database"};
        case SQLITE_CONSTRAINT:
            return constraint(code);
        default:
            return {Errc::internal, fmt::format("database {}: {}", path,
                                                database != nullptr ? sqlite3_errmsg(database)
                                                                    : sqlite3_errstr(code))};
    }
}

}  // namespace storage::sqlite
