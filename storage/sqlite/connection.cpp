#include "storage/sqlite/connection.h"

#include "reactor/base/check.h"
#include "reactor/base/text.h"
#include "storage/sqlite/errors.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <algorithm>

namespace storage::sqlite {

using base::Errc;
using base::Failure;
using base::Result;

Statement::Statement(sqlite3_stmt* handle, std::size_t columns)
    : handle_(handle), columns_(columns) {}

Statement::~Statement() {
    sqlite3_finalize(handle_);
}

namespace {

// Before its first use, SQLite is told not to count its memory: that would take a lock with every
// allocation. Where it is in use already, this changes nothing.
void configure_library() {
    [[maybe_unused]] static const int told = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(ConnectionOptions options) {
    configure_library();
    std::unique_ptr<Connection> connection(new Connection(std::move(options)));
    // NOMUTEX: a connection is used by one thread at a time.
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    const std::string& vfs = connection->options_.vfs;
    if (!vfs.empty()) flags |= SQLITE_OPEN_CREATE;
    const int code = sqlite3_open_v2(connection->path().c_str(), &connection->handle_, flags,
                                     vfs.empty() ? nullptr : vfs.c_str());
    if (code != SQLITE_OK) return std::unexpected(connection->failure(code));
    auto configured = connection->configure();
    if (!configured) return std::unexpected(std::move(configured).error());
    return connection;
}

Connection::~Connection() {
    memory_.reset();
    statements_.clear();
    const int code = sqlite3_close(handle_);
    CHECK(code == SQLITE_OK);  // Otherwise a statement has outlived its connection.
}

Result<void> Connection::configure() {
    // Without shared memory, which a simulated disk has not, WAL needs the file for itself.
    if (!options_.vfs.empty()) TRY(execute("PRAGMA locking_mode = EXCLUSIVE"));
    sqlite3_busy_timeout(handle_, static_cast<int>(options_.busy_timeout_ms));
    // A damaged or malicious file must not make SQL functions or schema text dangerous.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    TRY(
        execute("PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;"
                "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;"));
    TRY(execute(options_.sync_commits ? "PRAGMA synchronous = FULL"
                                      : "PRAGMA synchronous = NORMAL"));
    if (options_.access == Access::read_only) {
        TRY(execute("PRAGMA query_only = ON; PRAGMA cache_size = -4096"));
        return {};
    }
    // Removed accounts leave no keys behind in pages that are written anyway.
    TRY(execute("PRAGMA cache_size = -16384; PRAGMA secure_delete = FAST"));
    if (options_.size_bytes_max != 0) {
        const auto page_bytes = static_cast<std::uint64_t>(TRY(number("PRAGMA page_size")));
        const auto pages = std::max<std::uint64_t>(options_.size_bytes_max / page_bytes, 1);
        TRY(number(fmt::format("PRAGMA max_page_count = {}", pages)));
    }
    return {};
}

Failure Connection::failure(int code) const {
    return failure_of(handle_, code, options_.path);
}

Result<void> Connection::execute(const char* sql) {
    const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return std::unexpected(failure(code));
    return {};
}

Result<void> Connection::control(std::string_view sql) {
    std::unique_ptr<Statement> spare;
    Statement* statement = TRY(prepare(sql, spare));
    const int code = sqlite3_step(statement->handle());
    std::optional<Failure> failed;
    if (code != SQLITE_DONE) failed = failure(code);
    sqlite3_reset(statement->handle());
    if (failed) return std::unexpected(std::move(*failed));
    return {};
}

Result<std::int64_t> Connection::number(std::string_view sql) {
    auto statement = TRY(compile(sql));
    const int code = sqlite3_step(statement->handle());
    if (code != SQLITE_ROW && code != SQLITE_DONE) return std::unexpected(failure(code));
    return code == SQLITE_ROW ? sqlite3_column_int64(statement->handle(), 0) : 0;
}

bool Connection::in_transaction() const noexcept {
    return sqlite3_get_autocommit(handle_) == 0;
}

Result<std::unique_ptr<Statement>> Connection::compile(std::string_view sql) {
    sqlite3_stmt* handle = nullptr;
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &handle, &tail);
    if (code != SQLITE_OK) return std::unexpected(failure(code));
    auto statement =
        std::make_unique<Statement>(handle, static_cast<std::size_t>(sqlite3_column_count(handle)));
    if (handle == nullptr || tail != sql.data() + sql.size())
        return base::fail(Errc::internal, "one SQL statement was expected");
    if (statement->columns() > kColumnsMax)
        return base::fail(Errc::internal, "the statement has too many columns");
    const int count = sqlite3_bind_parameter_count(handle);
    for (int index = 1; index <= count; ++index) {
        const char* name = sqlite3_bind_parameter_name(handle, index);
        const auto number = name != nullptr && *name == '$' ? base::parse_integer(name + 1)
                                                            : std::optional<std::int64_t>();
        if (!number || *number < 1 || *number > static_cast<std::int64_t>(kColumnsMax))
            return base::fail(Errc::internal, "a parameter is not one of $1 to $64");
        statement->parameters_.push_back(static_cast<std::size_t>(*number - 1));
    }
    return statement;
}

Result<Statement*> Connection::prepare(std::string_view sql, std::unique_ptr<Statement>& spare) {
    Recent& recent = recent_[std::hash<const char*>()(sql.data()) / 16 % kRecentStatements];
    if (recent.statement != nullptr && recent.sql == sql) return recent.statement;
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
        auto statement = TRY(compile(sql));
        if (statements_.size() >= kStatementsMax) {
            spare = std::move(statement);
            return spare.get();
        }
        found = statements_.emplace(std::string(sql), std::move(statement)).first;
    }
    recent = {.sql = found->first, .statement = found->second.get()};
    return recent.statement;
}

namespace {

/// Leaves a statement ready for its next use, whatever happened.
class ResetAtEnd {
public:
    explicit ResetAtEnd(sqlite3_stmt* handle) : handle_(handle) {}
    ResetAtEnd(const ResetAtEnd&) = delete;
    ResetAtEnd& operator=(const ResetAtEnd&) = delete;
    ~ResetAtEnd() {
        sqlite3_reset(handle_);
        sqlite3_clear_bindings(handle_);
    }

private:
    sqlite3_stmt* handle_;
};

int bind(sqlite3_stmt* handle, int index, const Parameter& value) {
    switch (value.kind()) {
        case ValueKind::integer:
            return sqlite3_bind_int64(handle, index, value.integer());
        case ValueKind::text:
            // A null data pointer would bind NULL.
            return sqlite3_bind_text64(handle, index,
                                       value.bytes().empty() ? "" : value.bytes().data(),
                                       value.bytes().size(), SQLITE_STATIC, SQLITE_UTF8);
        case ValueKind::blob:
            return sqlite3_bind_blob64(handle, index,
                                       value.bytes().empty() ? "" : value.bytes().data(),
                                       value.bytes().size(), SQLITE_STATIC);
        case ValueKind::null:
        case ValueKind::real:
            break;
    }
    return sqlite3_bind_null(handle, index);
}

Cell read_cell(sqlite3_stmt* handle, int column) {
    Cell cell;
    switch (sqlite3_column_type(handle, column)) {
        case SQLITE_INTEGER:
            cell.kind = ValueKind::integer;
            cell.integer = sqlite3_column_int64(handle, column);
            break;
        case SQLITE_FLOAT:
            cell.kind = ValueKind::real;
            cell.real = sqlite3_column_double(handle, column);
            break;
        case SQLITE_TEXT: {
            cell.kind = ValueKind::text;
            const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle, column));
            cell.bytes = {text, static_cast<std::size_t>(sqlite3_column_bytes(handle, column))};
            break;
        }
        case SQLITE_BLOB: {
            cell.kind = ValueKind::blob;
            const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle, column));
            cell.bytes = {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle, column))};
            break;
        }
        default:
            break;
    }
    return cell;
}

}  // namespace

std::unexpected<Failure> SqliteTransaction::doomed(Failure failure) {
    doom_ = failure;
    return std::unexpected(std::move(failure));
}

Result<std::int64_t> SqliteTransaction::run(std::string_view sql,
                                            std::span<const Parameter> parameters,
                                            RowFunction visit, void* context) {
    if (doom_) return std::unexpected(*doom_);
    std::unique_ptr<Statement> spare;
    auto prepared = connection_.prepare(sql, spare);
    if (!prepared) return doomed(std::move(prepared).error());
    Statement& statement = **prepared;
    sqlite3_stmt* handle = statement.handle();
    if (sqlite3_stmt_busy(handle) != 0)
        return doomed({Errc::internal, "a statement was started again by its own visitor"});
    if (access_ == Access::read_only && sqlite3_stmt_readonly(handle) == 0)
        return doomed({Errc::permission_denied, "a read may not change the database"});
    ResetAtEnd reset(handle);
    for (std::size_t i = 0; i < statement.parameters().size(); ++i) {
        const std::size_t number = statement.parameters()[i];
        if (number >= parameters.size())
            return doomed({Errc::internal, "the statement has more parameters than values"});
        const int code = bind(handle, static_cast<int>(i + 1), parameters[number]);
        if (code != SQLITE_OK) return doomed(connection_.failure(code));
    }
    return step_all(statement, visit, context);
}

Result<std::int64_t> SqliteTransaction::step_all(Statement& statement, RowFunction visit,
                                                 void* context) {
    sqlite3_stmt* handle = statement.handle();
    Cell cells[kColumnsMax];
    bool mismatched = false;
    for (;;) {
        const int code = sqlite3_step(handle);
        if (code == SQLITE_DONE) break;
        if (code != SQLITE_ROW) return doomed(connection_.failure(code));
        if (visit == nullptr) continue;
        for (std::size_t column = 0; column < statement.columns(); ++column)
            cells[column] = read_cell(handle, static_cast<int>(column));
        auto visited = visit(context, Row({cells, statement.columns()}, mismatched));
        if (mismatched)
            return doomed({Errc::corrupt, fmt::format("the database {} holds a value that is not "
                                                      "what was stored: restore a backup",
                                                      connection_.path())});
        if (!visited) return std::unexpected(std::move(visited).error());
    }
    if (sqlite3_stmt_readonly(handle) != 0) return 0;
    return sqlite3_changes64(sqlite3_db_handle(handle));
}

}  // namespace storage::sqlite

// SQLite is the only engine there is.
std::unique_ptr<storage::WriterMemory>* storage::memory_of(Transaction& transaction) {
    return static_cast<sqlite::SqliteTransaction&>(transaction).memory();
}
