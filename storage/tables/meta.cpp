#include "storage/tables/meta.h"

namespace storage {
namespace {

using base::Result;

constexpr Migration kMigrations[] = {
    {1, R"(
CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
) /* clustered */;
)"},
};

}  // namespace

constinit const StoreSchema kMetaSchema = {"meta", kMigrations, {}};

Result<std::optional<std::string>> Meta::get(std::string_view name) {
    return transaction_.first("SELECT value FROM meta WHERE name = $1", {name},
                              [](const Row& row) { return std::string(row.blob(0)); });
}

Result<void> Meta::put(std::string_view name, std::string_view value) {
    TRY(
        transaction_.execute("INSERT INTO meta (name, value) VALUES ($1, $2) "
                             "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                             {name, Blob{value}}));
    return {};
}

Result<std::string> Meta::get_or_create(std::string_view name, std::string_view candidate) {
    if (auto stored = TRY(get(name))) return std::move(*stored);
    TRY(put(name, candidate));
    return std::string(candidate);
}

}  // namespace storage
