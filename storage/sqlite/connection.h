// Connection: one SQLite handle with its pragmas and its cache of prepared statements; and the
// Transaction over it. Used by one thread at a time. Knows nothing of queues and batches.
#pragma once

#include "reactor/base/result.h"
#include "reactor/base/text_map.h"
#include "storage/transaction.h"
#include "storage/writer_memory.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace storage::sqlite {

/// Distinct SQL texts kept prepared; a further text is prepared each time it runs.
inline constexpr std::size_t kStatementsMax = 512;
/// Slots for those that are found by the address of their text.
inline constexpr std::size_t kRecentStatements = 256;

enum class Access : std::uint8_t { write, read_only };

struct ConnectionOptions {
    std::string path;
    std::string vfs = {};  ///< Empty: the operating system.
    Access access = Access::write;
    std::uint32_t busy_timeout_ms = 0;
    bool sync_commits = true;
    std::uint64_t size_bytes_max = 0;
};

/// A prepared statement; finalised with the object.
class Statement {
public:
    Statement(sqlite3_stmt* handle, std::size_t columns);
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement();

    sqlite3_stmt* handle() const noexcept { return handle_; }
    std::size_t columns() const noexcept { return columns_; }
    /// For SQLite's parameter i + 1: the n of its `$n`, less one. SQLite numbers `$n` by first use.
    const std::vector<std::size_t>& parameters() const noexcept { return parameters_; }

private:
    friend class Connection;
    sqlite3_stmt* handle_;
    std::size_t columns_;
    std::vector<std::size_t> parameters_;
};

class Connection {
public:
    /// Opens an existing file (see open_file.h for what comes before) or ":memory:". The journal
    /// mode is not touched.
    static base::Result<std::unique_ptr<Connection>> open(ConnectionOptions options);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    const std::string& path() const noexcept { return options_.path; }
    Access access() const noexcept { return options_.access; }

    /// Runs SQL without parameters or answers; several statements are allowed.
    base::Result<void> execute(const char* sql);
    /// Runs one statement that answers nothing, prepared once: BEGIN, SAVEPOINT, COMMIT.
    base::Result<void> control(std::string_view sql);
    /// The first column of the first row, as a number (pragmas).
    base::Result<std::int64_t> number(std::string_view sql);
    /// True between BEGIN and COMMIT or ROLLBACK; SQLite may roll back by itself on grave errors.
    bool in_transaction() const noexcept;

    /// Prepared, or from the cache. `spare` keeps the statement when the cache is full.
    base::Result<Statement*> prepare(std::string_view sql, std::unique_ptr<Statement>& spare);
    std::size_t cached_statements() const noexcept { return statements_.size(); }

    /// What the stores remember (WriterMemory); theirs to make.
    std::unique_ptr<WriterMemory>& memory() noexcept { return memory_; }
    /// Something was rolled back: what they remember may be wrong.
    void forget() noexcept { memory_.reset(); }

    base::Failure failure(int code) const;

private:
    explicit Connection(ConnectionOptions options) : options_(std::move(options)) {}
    base::Result<void> configure();
    base::Result<std::unique_ptr<Statement>> compile(std::string_view sql);

    ConnectionOptions options_;
    sqlite3* handle_ = nullptr;
    base::TextMap<std::unique_ptr<Statement>> statements_;
    /// Nearly all SQL is literals: found by address, then compared, which costs less than hashing.
    struct Recent {
        std::string_view sql;  // The key in statements_.
        Statement* statement = nullptr;
    };
    std::array<Recent, kRecentStatements> recent_;
    std::unique_ptr<WriterMemory> memory_;
};

/// One operation's view of a connection. As in PostgreSQL, a statement that fails dooms the
/// operation: what follows fails too, and it must be rolled back whatever its function says.
class SqliteTransaction final : public Transaction {
public:
    /// `access`: a read may run on the writing connection (":memory:").
    SqliteTransaction(Connection& connection, Access access)
        : connection_(connection), access_(access) {}

    const std::optional<base::Failure>& doom() const noexcept { return doom_; }
    /// Null: it only reads.
    std::unique_ptr<WriterMemory>* memory() {
        return access_ == Access::write ? &connection_.memory() : nullptr;
    }

protected:
    base::Result<std::int64_t> run(std::string_view sql, std::span<const Parameter> parameters,
                                   RowFunction visit, void* context) override;

private:
    base::Result<std::int64_t> step_all(Statement& statement, RowFunction visit, void* context);
    std::unexpected<base::Failure> doomed(base::Failure failure);

    Connection& connection_;
    Access access_;
    std::optional<base::Failure> doom_;
};

}  // namespace storage::sqlite
