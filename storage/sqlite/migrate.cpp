#include "storage/sqlite/migrate.h"

#include "reactor/base/check.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/dialect.h"

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace storage::sqlite {
namespace {

using base::Errc;
using base::Failure;
using base::Result;

/// Version to checksum of what the ledger has, by store.
using Ledger = std::map<std::string, std::map<int, std::int64_t>, std::less<>>;

Failure too_new(const std::string& path) {
    return {
        Errc::too_new,
        fmt::format("the database {} was written by a newer version of this program: start that "
                    "version, or restore the backup from before the upgrade",
                    path)};
}

/// Runs `body` between BEGIN and COMMIT.
template <class Body>
Result<void> in_transaction(Connection& connection, Body body) {
    TRY(connection.execute("BEGIN IMMEDIATE"));
    Result<void> done = body();
    if (done) done = connection.execute("COMMIT");
    if (!done && connection.in_transaction()) static_cast<void>(connection.execute("ROLLBACK"));
    return done;
}

Result<void> create_ledger(Connection& connection) {
    const auto sql = fmt::format(
        "CREATE TABLE IF NOT EXISTS parley_migrations (store TEXT NOT NULL, version INTEGER NOT "
        "NULL, checksum INTEGER NOT NULL, applied_at INTEGER NOT NULL, PRIMARY KEY (store, "
        "version)) "
        "STRICT, WITHOUT ROWID; PRAGMA application_id = {}; PRAGMA user_version = {}",
        kApplicationId, kFormatVersion);
    return in_transaction(connection, [&] { return connection.execute(sql.c_str()); });
}

Result<Ledger> read_ledger(Connection& connection) {
    Ledger ledger;
    SqliteTransaction transaction(connection, Access::read_only);
    TRY(transaction.query(
        "SELECT store, version, checksum FROM parley_migrations", {}, [&](const Row& row) {
            ledger[std::string(row.text(0))][static_cast<int>(row.int64(1))] = row.int64(2);
        }));
    return ledger;
}

/// Everything the ledger has must be known here, with the same text.
Result<void> check_ledger(const Ledger& ledger, std::span<const StoreSchema> stores,
                          const std::string& path) {
    for (const auto& [name, versions] : ledger) {
        const auto store = std::ranges::find(stores, name, &StoreSchema::name);
        if (store == stores.end()) return std::unexpected(too_new(path));
        for (const auto& [version, checksum] : versions) {
            if (version < 1 || version > static_cast<int>(store->migrations.size()))
                return std::unexpected(too_new(path));
            const Migration& known = store->migrations[static_cast<std::size_t>(version - 1)];
            if (migration_checksum(known.sql) != checksum)
                return base::fail(
                    Errc::invalid_argument,
                    fmt::format("the database {} was made by a different build: its schema step {} "
                                "of \"{}\" is not the one of this program",
                                path, version, name));
        }
    }
    return {};
}

Result<void> apply(Connection& connection, std::string_view store, const Migration& migration,
                   base::WallTime now) {
    auto done = in_transaction(connection, [&]() -> Result<void> {
        TRY(connection.execute(to_sqlite_schema(migration.sql).c_str()));
        SqliteTransaction transaction(connection, Access::write);
        TRY(transaction.execute(
            "INSERT INTO parley_migrations (store, version, checksum, applied_at) "
            "VALUES ($1, $2, $3, $4)",
            {store, migration.version, migration_checksum(migration.sql), now}));
        return {};
    });
    if (!done)
        return std::unexpected(
            done.error().with(fmt::format("schema step {} of \"{}\"", migration.version, store)));
    return {};
}

}  // namespace

Result<void> check_owner(Connection& connection) {
    const std::int64_t application = TRY(connection.number("PRAGMA application_id"));
    const std::int64_t tables = TRY(connection.number("SELECT COUNT(*) FROM sqlite_schema"));
    const std::int64_t format = TRY(connection.number("PRAGMA user_version"));
    if (application == 0 && tables == 0) return {};  // A new file.
    if (application != kApplicationId)
        return base::fail(Errc::invalid_argument,
                          fmt::format("{} is a database of another program: name another file",
                                      connection.path()));
    if (format > kFormatVersion) return std::unexpected(too_new(connection.path()));
    return {};
}

std::int64_t migration_checksum(std::string_view sql) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : sql)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return static_cast<std::int64_t>(hash);
}

Result<void> migrate(Connection& connection, std::span<const StoreSchema> stores,
                     base::WallTime now) {
    TRY(check_owner(connection));
    TRY(create_ledger(connection));
    const Ledger ledger = TRY(read_ledger(connection));
    TRY(check_ledger(ledger, stores, connection.path()));
    for (const StoreSchema& store : stores) {
        const auto applied = ledger.find(store.name);
        int expected = 1;
        for (const Migration& migration : store.migrations) {
            CHECK(migration.version == expected++);  // Numbered 1, 2, 3 … in order.
            if (applied != ledger.end() && applied->second.contains(migration.version)) continue;
            TRY(apply(connection, store.name, migration, now));
        }
    }
    return {};
}

}  // namespace storage::sqlite
