#include "storage/shapes.h"

#include "reactor/base/text.h"

namespace storage {
namespace {

using base::Errc;
using base::Result;

constexpr Migration kMigrations[] = {
    {1, R"(
CREATE TABLE shape_values (
    account TEXT NOT NULL,
    store TEXT NOT NULL,
    key TEXT NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY (account, store, key)
);
)"},
};
constexpr std::string_view kAccountTables[] = {"shape_values"};

/// The key of a store with one value; no key of a map is empty.
constexpr std::string_view kOnly;

Result<void> check_text(std::string_view text, const char* what) {
    if (!text.empty() && text.size() <= kShapeKeyBytesMax &&
        text.find('\0') == std::string_view::npos && base::is_valid_utf8(text))
        return {};
    return base::fail(Errc::invalid_argument, std::string("not a valid ") + what);
}

Result<std::optional<std::string>> read_value(Transaction& transaction, std::string_view owner,
                                              std::string_view store, std::string_view key) {
    return transaction.first(
        "SELECT value FROM shape_values WHERE account = $1 AND store = $2 AND key = $3",
        {owner, store, key}, [](const Row& row) { return std::string(row.blob(0)); });
}

Result<void> write_value(Transaction& transaction, std::string_view owner, std::string_view store,
                         std::string_view key, std::string_view value) {
    TRY(check_text(owner, "owner"));
    if (value.size() > kShapeValueBytesMax)
        return base::fail(Errc::resource_exhausted, "the value is too big");
    TRY(transaction.execute(
        "INSERT INTO shape_values (account, store, key, value) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (account, store, key) DO UPDATE SET value = excluded.value",
        {owner, store, key, Blob{value}}));
    return {};
}

Result<bool> remove_value(Transaction& transaction, std::string_view owner, std::string_view store,
                          std::string_view key) {
    return TRY(transaction.execute(
               "DELETE FROM shape_values WHERE account = $1 AND store = $2 AND key = $3",
               {owner, store, key})) > 0;
}

base::Failure too_many() {
    return {Errc::resource_exhausted, "too many entries"};
}

}  // namespace

constinit const StoreSchema kShapesSchema = {"shapes", kMigrations, kAccountTables};

Result<std::optional<std::string>> KeyValueStore::get(std::string_view owner) {
    return read_value(transaction_, owner, store_, kOnly);
}

Result<void> KeyValueStore::put(std::string_view owner, std::string_view value) {
    return write_value(transaction_, owner, store_, kOnly, value);
}

Result<bool> KeyValueStore::remove(std::string_view owner) {
    return remove_value(transaction_, owner, store_, kOnly);
}

Result<std::optional<std::string>> MapStore::get(std::string_view owner, std::string_view key) {
    return read_value(transaction_, owner, store_, key);
}

Result<void> MapStore::put(std::string_view owner, std::string_view key, std::string_view value) {
    TRY(check_text(key, "key"));
    if (!TRY(get(owner, key)) && TRY(count(owner)) >= entries_max_)
        return std::unexpected(too_many());
    return write_value(transaction_, owner, store_, key, value);
}

Result<bool> MapStore::remove(std::string_view owner, std::string_view key) {
    return remove_value(transaction_, owner, store_, key);
}

Result<MapStore::Entries> MapStore::list(std::string_view owner) {
    Entries entries;
    TRY(transaction_.query("SELECT key, value FROM shape_values WHERE account = $1 AND store = $2",
                           {owner, store_}, [&](const Row& row) {
                               entries.emplace(std::string(row.text(0)), std::string(row.blob(1)));
                           }));
    return entries;
}

Result<void> MapStore::replace(std::string_view owner, const Entries& entries) {
    if (entries.size() > entries_max_) return std::unexpected(too_many());
    for (const auto& [key, value] : entries)
        TRY(check_text(key, "key"));
    TRY(transaction_.execute("DELETE FROM shape_values WHERE account = $1 AND store = $2",
                             {owner, store_}));
    for (const auto& [key, value] : entries)
        TRY(write_value(transaction_, owner, store_, key, value));
    return {};
}

Result<std::int64_t> MapStore::count(std::string_view owner) {
    const auto count = TRY(
        transaction_.first("SELECT COUNT(*) FROM shape_values WHERE account = $1 AND store = $2",
                           {owner, store_}, [](const Row& row) { return row.int64(0); }));
    return count.value_or(0);
}

}  // namespace storage
