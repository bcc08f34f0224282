#include "storage/tables/users.h"

#include "storage/tables/catalog.h"

#include <algorithm>
#include <utility>

namespace storage {
namespace {

using base::Errc;
using base::Result;

constexpr Migration kMigrations[] = {
    {1, R"(
CREATE TABLE users (
    host TEXT NOT NULL,
    local TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_login_at BIGINT,
    PRIMARY KEY (host, local)
) /* clustered */;
CREATE TABLE user_keys (
    account TEXT NOT NULL,
    hash TEXT NOT NULL,
    salt BYTEA NOT NULL,
    iterations BIGINT NOT NULL,
    stored_key BYTEA NOT NULL,
    server_key BYTEA NOT NULL,
    PRIMARY KEY (account, hash)
) /* clustered */;
)"},
};
constexpr std::string_view kAccountTables[] = {"user_keys"};

// Indexed by ScramHash. Part of the stored data.
constexpr std::array<std::string_view, kScramHashCount> kHashNames = {"SHA-1", "SHA-256",
                                                                      "SHA-512"};

Result<void> check_account(const xmpp::Jid& account) {
    if (account.has_local()) return {};
    return base::fail(Errc::invalid_argument, "an account's address has a part before the @");
}

base::Failure no_such_account() {
    return {Errc::not_found, "no such account"};
}

Result<void> found(std::int64_t changed) {
    if (changed == 0) return std::unexpected(no_such_account());
    return {};
}

Result<void> insert_keys(Transaction& transaction, std::string_view account,
                         const ScramKeySet& keys) {
    for (std::size_t hash = 0; hash < kScramHashCount; ++hash) {
        if (!keys[hash]) continue;
        const ScramKeys& key = *keys[hash];
        TRY(transaction.execute(
            "INSERT INTO user_keys (account, hash, salt, iterations, stored_key, server_key) "
            "VALUES ($1, $2, $3, $4, $5, $6)",
            {account, kHashNames[hash], Blob{key.salt}, key.iterations, Blob{key.stored_key},
             Blob{key.server_key}}));
    }
    return {};
}

/// A hash this program does not know is passed over: a newer one may have written it.
void read_key(const Row& row, ScramKeySet& keys) {
    const auto name = std::ranges::find(kHashNames, row.text(0));
    if (name == kHashNames.end()) return;
    const std::int64_t iterations = row.int64(2);
    if (!std::in_range<std::uint32_t>(iterations)) return row.mark_corrupt();
    keys[static_cast<std::size_t>(name - kHashNames.begin())] =
        ScramKeys{.salt = std::string(row.blob(1)),
                  .iterations = static_cast<std::uint32_t>(iterations),
                  .stored_key = std::string(row.blob(3)),
                  .server_key = std::string(row.blob(4))};
}

}  // namespace

constinit const StoreSchema kUsersSchema = {"users", kMigrations, kAccountTables};

Result<void> Users::create(const xmpp::Jid& account, const ScramKeySet& keys,
                           base::WallTime created_at) {
    TRY(check_account(account));
    if (TRY(exists(account)))
        return base::fail(Errc::already_exists, "there is an account of that name");
    TRY(
        transaction_.execute("INSERT INTO users (host, local, enabled, created_at) "
                             "VALUES ($1, $2, 1, $3)",
                             {account.domain(), account.local(), created_at}));
    return insert_keys(transaction_, account.bare_view(), keys);
}

Result<std::optional<User>> Users::find(const xmpp::Jid& account) {
    TRY(check_account(account));
    auto user = TRY(transaction_.first(
        "SELECT enabled, created_at, last_login_at FROM users WHERE host = $1 AND local = $2",
        {account.domain(), account.local()}, [&](const Row& row) {
            return User{.account = account.bare(),
                        .enabled = row.flag(0),
                        .created_at = row.time(1),
                        .last_login_at = row.optional_time(2),
                        .keys = {}};
        }));
    if (!user) return user;
    TRY(transaction_.query(
        "SELECT hash, salt, iterations, stored_key, server_key FROM user_keys "
        "WHERE account = $1",
        {account.bare_view()}, [&](const Row& row) { read_key(row, user->keys); }));
    return user;
}

Result<bool> Users::exists(const xmpp::Jid& account) {
    TRY(check_account(account));
    const auto row = TRY(transaction_.first("SELECT 1 FROM users WHERE host = $1 AND local = $2",
                                            {account.domain(), account.local()},
                                            [](const Row&) { return true; }));
    return row.has_value();
}

Result<void> Users::set_keys(const xmpp::Jid& account, const ScramKeySet& keys) {
    if (!TRY(exists(account))) return std::unexpected(no_such_account());
    TRY(transaction_.execute("DELETE FROM user_keys WHERE account = $1", {account.bare_view()}));
    return insert_keys(transaction_, account.bare_view(), keys);
}

Result<void> Users::set_enabled(const xmpp::Jid& account, bool enabled) {
    TRY(check_account(account));
    return found(
        TRY(transaction_.execute("UPDATE users SET enabled = $3 WHERE host = $1 AND local = $2",
                                 {account.domain(), account.local(), enabled})));
}

Result<void> Users::record_login(const xmpp::Jid& account, base::WallTime at) {
    TRY(check_account(account));
    return found(TRY(
        transaction_.execute("UPDATE users SET last_login_at = $3 WHERE host = $1 AND local = $2",
                             {account.domain(), account.local(), at})));
}

Result<void> Users::remove(const xmpp::Jid& account) {
    TRY(check_account(account));
    const auto removed = TRY(transaction_.execute(
        "DELETE FROM users WHERE host = $1 AND local = $2", {account.domain(), account.local()}));
    TRY(found(removed));
    for (const StoreSchema& store : all_stores())
        if (store.remove_account != nullptr)
            TRY(store.remove_account(transaction_, account.bare_view()));
    for (const StoreSchema& store : all_stores()) {
        for (const std::string_view table : store.account_tables) {
            // Table names are constants of the program.
            const std::string sql = "DELETE FROM " + std::string(table) + " WHERE account = $1";
            TRY(transaction_.execute(sql, {account.bare_view()}));
        }
    }
    return {};
}

Result<std::vector<UserSummary>> Users::list(std::string_view host, std::string_view after_local,
                                             std::uint32_t limit) {
    std::vector<UserSummary> page;
    TRY(
        transaction_.query("SELECT local, enabled, created_at, last_login_at FROM users "
                           "WHERE host = $1 AND local > $2 ORDER BY local LIMIT $3",
                           {host, after_local, std::min(limit, kUserPageMax)}, [&](const Row& row) {
                               auto account = xmpp::Jid::make(row.text(0), host);
                               if (!account) return row.mark_corrupt();
                               page.push_back({.account = std::move(*account),
                                               .enabled = row.flag(1),
                                               .created_at = row.time(2),
                                               .last_login_at = row.optional_time(3)});
                           }));
    return page;
}

Result<std::int64_t> Users::count(std::string_view host) {
    const auto count = TRY(transaction_.first("SELECT COUNT(*) FROM users WHERE host = $1", {host},
                                              [](const Row& row) { return row.int64(0); }));
    return count.value_or(0);
}

}  // namespace storage
