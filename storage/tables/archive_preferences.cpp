#include "storage/tables/archive_preferences.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace storage {
namespace {

using base::Errc;
using base::Result;

constexpr Migration kMigrations[] = {
    {1, R"(
CREATE TABLE archive_defaults (
    account TEXT NOT NULL PRIMARY KEY,
    otherwise BIGINT NOT NULL
) /* clustered */;
CREATE TABLE archive_rules (
    account TEXT NOT NULL,
    jid TEXT NOT NULL,
    never BIGINT NOT NULL,
    PRIMARY KEY (account, jid)
) /* clustered */;
)"},
};
constexpr std::string_view kAccountTables[] = {"archive_defaults", "archive_rules"};

std::vector<std::string_view> distinct(const std::vector<xmpp::Jid>& jids) {
    std::vector<std::string_view> texts;
    for (const xmpp::Jid& jid : jids)
        texts.push_back(jid.text());
    std::ranges::sort(texts);
    const auto repeated = std::ranges::unique(texts);
    texts.erase(repeated.begin(), repeated.end());
    return texts;
}

Result<void> check(const std::vector<std::string_view>& always,
                   const std::vector<std::string_view>& never) {
    if (always.size() + never.size() > kArchiveRulesMax)
        return base::fail(Errc::resource_exhausted, "too many archiving preferences");
    for (const auto* list : {&always, &never})
        if (!list->empty() && list->front().empty())
            return base::fail(Errc::invalid_argument, "an archiving preference has an address");
    std::vector<std::string_view> both;
    std::ranges::set_intersection(always, never, std::back_inserter(both));
    if (!both.empty())
        return base::fail(Errc::invalid_argument, "an address to archive always and never");
    return {};
}

}  // namespace

constinit const StoreSchema kArchivePreferencesSchema = {"archive_preferences", kMigrations,
                                                         kAccountTables};

Result<std::optional<ArchiveRules>> ArchivePreferences::get(const xmpp::Jid& account) {
    auto rules = TRY(transaction_.first(
        "SELECT otherwise FROM archive_defaults WHERE account = $1", {account.bare_view()},
        [](const Row& row) {
            const std::int64_t otherwise = row.int64(0);
            ArchiveRules read;
            if (otherwise < 0 || otherwise > static_cast<int>(ArchiveDefault::roster)) {
                row.mark_corrupt();
            } else {
                read.otherwise = static_cast<ArchiveDefault>(otherwise);
            }
            return read;
        }));
    if (!rules) return rules;
    TRY(transaction_.query("SELECT jid, never FROM archive_rules WHERE account = $1 ORDER BY jid",
                           {account.bare_view()}, [&](const Row& row) {
                               auto jid = xmpp::Jid::parse(row.text(0));
                               if (!jid) return row.mark_corrupt();
                               auto& list = row.flag(1) ? rules->never : rules->always;
                               list.push_back(std::move(*jid));
                           }));
    return rules;
}

Result<void> ArchivePreferences::put(const xmpp::Jid& account, const ArchiveRules& rules) {
    const auto always = distinct(rules.always);
    const auto never = distinct(rules.never);
    TRY(check(always, never));
    TRY(
        transaction_.execute("INSERT INTO archive_defaults (account, otherwise) VALUES ($1, $2) "
                             "ON CONFLICT (account) DO UPDATE SET otherwise = excluded.otherwise",
                             {account.bare_view(), static_cast<int>(rules.otherwise)}));
    TRY(transaction_.execute("DELETE FROM archive_rules WHERE account = $1",
                             {account.bare_view()}));
    for (const auto* list : {&always, &never})
        for (const std::string_view jid : *list)
            TRY(transaction_.execute(
                "INSERT INTO archive_rules (account, jid, never) VALUES ($1, $2, $3)",
                {account.bare_view(), jid, list == &never}));
    return {};
}

}  // namespace storage
