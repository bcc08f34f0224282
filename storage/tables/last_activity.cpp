#include "storage/tables/last_activity.h"

namespace storage {
namespace {

using base::Result;

constexpr Migration kMigrations[] = {
    {1, R"(
CREATE TABLE last_activity (
    account TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    status TEXT NOT NULL
) /* clustered */;
)"},
};
constexpr std::string_view kAccountTables[] = {"last_activity"};

/// The longest start of `text` within `bytes_max` that ends where a character does.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    return text.substr(0, end);
}

}  // namespace

constinit const StoreSchema kLastActivitySchema = {"last_activity", kMigrations, kAccountTables};

Result<std::optional<LastSeen>> LastActivity::get(const xmpp::Jid& account) {
    return transaction_.first("SELECT at, status FROM last_activity WHERE account = $1",
                              {account.bare_view()}, [](const Row& row) {
                                  return LastSeen{.at = row.time(0),
                                                  .status = std::string(row.text(1))};
                              });
}

Result<void> LastActivity::put(const xmpp::Jid& account, const LastSeen& seen) {
    TRY(transaction_.execute(
        "INSERT INTO last_activity (account, at, status) VALUES ($1, $2, $3) "
        "ON CONFLICT (account) DO UPDATE SET at = excluded.at, status = excluded.status",
        {account.bare_view(), seen.at, cut(seen.status, kLastStatusBytesMax)}));
    return {};
}

}  // namespace storage
