#include "storage/tables/private_xml.h"

namespace storage {
namespace {

using base::Errc;
using base::Result;

constexpr Migration kMigrations[] = {
    {1, R"(
CREATE TABLE private_xml (
    account TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    xml BYTEA NOT NULL,
    PRIMARY KEY (account, namespace, name)
);
)"},
};
constexpr std::string_view kAccountTables[] = {"private_xml"};

}  // namespace

constinit const StoreSchema kPrivateXmlSchema = {"private_xml", kMigrations, kAccountTables};

Result<std::optional<std::string>> PrivateXml::get(const xmpp::Jid& account, PrivateXmlKey key) {
    return transaction_.first(
        "SELECT xml FROM private_xml WHERE account = $1 AND namespace = $2 AND name = $3",
        {account.bare_view(), key.name_space, key.name},
        [](const Row& row) { return std::string(row.blob(0)); });
}

Result<void> PrivateXml::put(const xmpp::Jid& account, PrivateXmlKey key, std::string_view xml) {
    if (xml.size() > kPrivateXmlBytesMax || key.name_space.size() > kPrivateXmlNameBytesMax ||
        key.name.size() > kPrivateXmlNameBytesMax)
        return base::fail(Errc::resource_exhausted, "the private XML is too big");
    TRY(remove(account, key));
    const auto count =
        TRY(transaction_.first("SELECT COUNT(*) FROM private_xml WHERE account = $1",
                               {account.bare_view()}, [](const Row& row) { return row.int64(0); }));
    if (count.value_or(0) >= kPrivateXmlElementsMax)
        return base::fail(Errc::resource_exhausted, "the account keeps too many private elements");
    TRY(transaction_.execute(
        "INSERT INTO private_xml (account, namespace, name, xml) VALUES ($1, $2, $3, $4)",
        {account.bare_view(), key.name_space, key.name, Blob{xml}}));
    return {};
}

Result<bool> PrivateXml::remove(const xmpp::Jid& account, PrivateXmlKey key) {
    return TRY(transaction_.execute(
               "DELETE FROM private_xml WHERE account = $1 AND namespace = $2 AND name = $3",
               {account.bare_view(), key.name_space, key.name})) > 0;
}

}  // namespace storage
