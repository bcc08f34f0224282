#include "storage/tables/vcards.h"

namespace storage {
namespace {

using base::Errc;
using base::Result;

constexpr Migration kMigrations[] = {
    {1, R"(
CREATE TABLE vcards (
    account TEXT NOT NULL PRIMARY KEY,
    xml BYTEA NOT NULL,
    photo_sha1 TEXT
);
)"},
};
constexpr std::string_view kAccountTables[] = {"vcards"};

std::optional<std::string> copy(std::optional<std::string_view> text) {
    if (!text) return std::nullopt;
    return std::string(*text);
}

}  // namespace

constinit const StoreSchema kVcardsSchema = {"vcards", kMigrations, kAccountTables};

Result<std::optional<Vcard>> Vcards::get(const xmpp::Jid& account) {
    return transaction_.first("SELECT xml, photo_sha1 FROM vcards WHERE account = $1",
                              {account.bare_view()}, [](const Row& row) {
                                  return Vcard{.xml = std::string(row.blob(0)),
                                               .photo_sha1 = copy(row.optional_text(1))};
                              });
}

Result<std::optional<std::string>> Vcards::photo_sha1(const xmpp::Jid& account) {
    auto photo = TRY(transaction_.first("SELECT photo_sha1 FROM vcards WHERE account = $1",
                                        {account.bare_view()},
                                        [](const Row& row) { return copy(row.optional_text(0)); }));
    return photo.value_or(std::nullopt);
}

Result<void> Vcards::put(const xmpp::Jid& account, const Vcard& vcard) {
    if (vcard.xml.size() > kVcardBytesMax)
        return base::fail(Errc::resource_exhausted, "the vCard is too big");
    TRY(transaction_.execute(
        "INSERT INTO vcards (account, xml, photo_sha1) VALUES ($1, $2, $3) ON CONFLICT (account) "
        "DO UPDATE SET xml = excluded.xml, photo_sha1 = excluded.photo_sha1",
        {account.bare_view(), Blob{vcard.xml}, vcard.photo_sha1}));
    return {};
}

Result<bool> Vcards::remove(const xmpp::Jid& account) {
    return TRY(transaction_.execute("DELETE FROM vcards WHERE account = $1",
                                    {account.bare_view()})) > 0;
}

}  // namespace storage
