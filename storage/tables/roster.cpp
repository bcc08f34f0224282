#include "storage/tables/roster.h"

#include <algorithm>
#include <utility>

namespace storage {
namespace {

using base::Errc;
using base::Result;

// roster_versions.forgotten: the version before which removals are no longer known; at first the
// epoch's start, so that versions of an earlier life of the account are unknown.
constexpr Migration kMigrations[] = {
    {1, R"(
CREATE TABLE roster_items (
    account TEXT NOT NULL,
    jid TEXT NOT NULL,
    name TEXT NOT NULL,
    subscription BIGINT NOT NULL,
    ask BIGINT NOT NULL,
    approved BIGINT NOT NULL,
    groups_text TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (account, jid)
) /* clustered */;
CREATE TABLE roster_removals (
    account TEXT NOT NULL,
    jid TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (account, jid)
) /* clustered */;
CREATE TABLE roster_versions (
    account TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    forgotten BIGINT NOT NULL
) /* clustered */;
CREATE TABLE roster_epochs (
    id BIGINT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL
);
CREATE TABLE roster_requests (
    account TEXT NOT NULL,
    jid TEXT NOT NULL,
    stanza BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (account, jid)
);
)"},
};
constexpr std::string_view kAccountTables[] = {"roster_items", "roster_removals", "roster_versions",
                                               "roster_requests"};

// XML text cannot hold this character.
constexpr char kGroupSeparator = '\x1f';
constexpr std::int64_t kVersionsPerEpoch = std::int64_t{1} << 32;

Result<std::string> join_groups(const std::vector<std::string>& groups) {
    if (groups.size() > kRosterGroupsMax)
        return base::fail(Errc::resource_exhausted, "the contact is in too many groups");
    std::string joined;
    for (auto group = groups.begin(); group != groups.end(); ++group) {
        if (group->empty() || group->find(kGroupSeparator) != std::string::npos)
            return base::fail(Errc::invalid_argument, "not a name for a group");
        if (group->size() > kRosterGroupBytesMax)
            return base::fail(Errc::resource_exhausted, "the name of a group is too long");
        if (std::find(groups.begin(), group, *group) != group)
            return base::fail(Errc::invalid_argument, "a group is named twice");
        if (!joined.empty()) joined += kGroupSeparator;
        joined += *group;
    }
    return joined;
}

std::vector<std::string> split_groups(std::string_view joined) {
    std::vector<std::string> groups;
    while (!joined.empty()) {
        const std::size_t end = std::min(joined.find(kGroupSeparator), joined.size());
        groups.emplace_back(joined.substr(0, end));
        joined.remove_prefix(std::min(end + 1, joined.size()));
    }
    return groups;
}

/// Columns 0-5: jid, name, subscription, ask, approved, groups_text.
RosterItem read_item(const Row& row) {
    RosterItem item;
    auto jid = xmpp::Jid::parse(row.text(0));
    const std::int64_t subscription = row.int64(2);
    if (!jid || subscription < 0 || subscription > static_cast<int>(Subscription::both)) {
        row.mark_corrupt();
        return item;
    }
    item.jid = std::move(*jid);
    item.name = row.text(1);
    item.subscription = static_cast<Subscription>(subscription);
    item.ask = row.flag(3);
    item.approved = row.flag(4);
    item.groups = split_groups(row.text(5));
    return item;
}

struct Versions {
    RosterVersion version = 0;
    RosterVersion forgotten = 0;
};

Result<Versions> read_versions(Transaction& transaction, std::string_view account) {
    const auto versions = TRY(transaction.first(
        "SELECT version, forgotten FROM roster_versions WHERE account = $1", {account},
        [](const Row& row) { return Versions{row.int64(0), row.int64(1)}; }));
    return versions.value_or(Versions{});
}

Result<std::int64_t> count_rows(Transaction& transaction, std::string_view sql,
                                std::string_view account) {
    const auto count =
        TRY(transaction.first(sql, {account}, [](const Row& row) { return row.int64(0); }));
    return count.value_or(0);
}

}  // namespace

constinit const StoreSchema kRosterSchema = {"roster", kMigrations, kAccountTables};

Result<RosterState> Roster::load(const xmpp::Jid& account) {
    RosterState state;
    state.version = TRY(read_versions(transaction_, account.bare_view())).version;
    TRY(transaction_.query(
        "SELECT jid, name, subscription, ask, approved, groups_text FROM roster_items "
        "WHERE account = $1 ORDER BY jid",
        {account.bare_view()}, [&](const Row& row) { state.items.push_back(read_item(row)); }));
    return state;
}

Result<std::optional<RosterItem>> Roster::find(const xmpp::Jid& account, const xmpp::Jid& contact) {
    return transaction_.first(
        "SELECT jid, name, subscription, ask, approved, groups_text FROM roster_items "
        "WHERE account = $1 AND jid = $2",
        {account.bare_view(), contact.text()}, read_item);
}

Result<RosterVersion> Roster::put(const xmpp::Jid& account, const RosterItem& item) {
    if (item.jid.empty()) return base::fail(Errc::invalid_argument, "a contact has an address");
    if (item.name.size() > kRosterNameBytesMax)
        return base::fail(Errc::resource_exhausted, "the name of the contact is too long");
    const std::string groups = TRY(join_groups(item.groups));
    if (!TRY(find(account, item.jid))) {
        const auto count =
            TRY(count_rows(transaction_, "SELECT COUNT(*) FROM roster_items WHERE account = $1",
                           account.bare_view()));
        if (count >= limits_.items_max)
            return base::fail(Errc::resource_exhausted, "the roster is full");
    }
    const RosterVersion version = TRY(next_version(account));
    TRY(transaction_.execute(
        "INSERT INTO roster_items "
        "(account, jid, name, subscription, ask, approved, groups_text, version) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account, jid) DO UPDATE SET "
        "name = excluded.name, subscription = excluded.subscription, ask = excluded.ask, "
        "approved = excluded.approved, groups_text = excluded.groups_text, "
        "version = excluded.version",
        {account.bare_view(), item.jid.text(), item.name, static_cast<int>(item.subscription),
         item.ask, item.approved, groups, version}));
    TRY(transaction_.execute("DELETE FROM roster_removals WHERE account = $1 AND jid = $2",
                             {account.bare_view(), item.jid.text()}));
    return version;
}

Result<RosterVersion> Roster::remove(const xmpp::Jid& account, const xmpp::Jid& contact) {
    const auto removed =
        TRY(transaction_.execute("DELETE FROM roster_items WHERE account = $1 AND jid = $2",
                                 {account.bare_view(), contact.text()}));
    if (removed == 0) return base::fail(Errc::not_found, "no such contact");
    const RosterVersion version = TRY(next_version(account));
    TRY(transaction_.execute(
        "INSERT INTO roster_removals (account, jid, version) VALUES ($1, $2, $3) "
        "ON CONFLICT (account, jid) DO UPDATE SET version = excluded.version",
        {account.bare_view(), contact.text(), version}));
    TRY(forget_old_removals(account));
    return version;
}

Result<RosterVersion> Roster::next_version(const xmpp::Jid& account) {
    const auto next =
        TRY(transaction_.first("UPDATE roster_versions SET version = version + 1 "
                               "WHERE account = $1 RETURNING version",
                               {account.bare_view()}, [](const Row& row) { return row.int64(0); }));
    if (next) return *next;
    const auto epoch = TRY(
        transaction_.first("INSERT INTO roster_epochs (id, epoch) VALUES (1, 1) ON CONFLICT (id) "
                           "DO UPDATE SET epoch = roster_epochs.epoch + 1 RETURNING epoch",
                           {}, [](const Row& row) { return row.int64(0); }));
    const RosterVersion start = epoch.value_or(1) * kVersionsPerEpoch;
    TRY(transaction_.execute(
        "INSERT INTO roster_versions (account, version, forgotten) VALUES ($1, $2, $3)",
        {account.bare_view(), start + 1, start}));
    return start + 1;
}

Result<void> Roster::forget_old_removals(const xmpp::Jid& account) {
    const auto newest_to_forget = TRY(transaction_.first(
        "SELECT version FROM roster_removals WHERE account = $1 ORDER BY version DESC "
        "LIMIT 1 OFFSET $2",
        {account.bare_view(), kRosterTombstonesMax}, [](const Row& row) { return row.int64(0); }));
    if (!newest_to_forget) return {};
    TRY(transaction_.execute("DELETE FROM roster_removals WHERE account = $1 AND version <= $2",
                             {account.bare_view(), *newest_to_forget}));
    TRY(transaction_.execute("UPDATE roster_versions SET forgotten = $2 WHERE account = $1",
                             {account.bare_view(), *newest_to_forget}));
    return {};
}

Result<std::optional<RosterChanges>> Roster::changes_since(const xmpp::Jid& account,
                                                           RosterVersion since) {
    const Versions versions = TRY(read_versions(transaction_, account.bare_view()));
    if (since < versions.forgotten || since > versions.version) return std::nullopt;
    RosterChanges result{.version = versions.version, .changes = {}};
    TRY(transaction_.query(
        "SELECT jid, name, subscription, ask, approved, groups_text, version FROM roster_items "
        "WHERE account = $1 AND version > $2",
        {account.bare_view(), since}, [&](const Row& row) {
            result.changes.push_back(
                {.version = row.int64(6), .item = read_item(row), .removed = false});
        }));
    TRY(transaction_.query(
        "SELECT jid, version FROM roster_removals WHERE account = $1 AND version > $2",
        {account.bare_view(), since}, [&](const Row& row) {
            auto jid = xmpp::Jid::parse(row.text(0));
            if (!jid) return row.mark_corrupt();
            RosterItem item;
            item.jid = std::move(*jid);
            result.changes.push_back(
                {.version = row.int64(1), .item = std::move(item), .removed = true});
        }));
    std::ranges::sort(result.changes, {}, &RosterChanges::Change::version);
    return result;
}

Result<void> Roster::put_request(const xmpp::Jid& account, const SubscriptionRequest& request) {
    if (request.stanza.size() > kSubscriptionRequestBytesMax)
        return base::fail(Errc::resource_exhausted, "the subscription request is too big");
    TRY(remove_request(account, request.from));
    const auto count =
        TRY(count_rows(transaction_, "SELECT COUNT(*) FROM roster_requests WHERE account = $1",
                       account.bare_view()));
    if (count >= limits_.requests_max)
        return base::fail(Errc::resource_exhausted, "too many subscription requests are waiting");
    TRY(transaction_.execute(
        "INSERT INTO roster_requests (account, jid, stanza, received_at) VALUES ($1, $2, $3, $4)",
        {account.bare_view(), request.from.bare_view(), Blob{request.stanza},
         request.received_at}));
    return {};
}

Result<std::vector<SubscriptionRequest>> Roster::requests(const xmpp::Jid& account) {
    std::vector<SubscriptionRequest> requests;
    TRY(
        transaction_.query("SELECT jid, stanza, received_at FROM roster_requests "
                           "WHERE account = $1 ORDER BY received_at, jid",
                           {account.bare_view()}, [&](const Row& row) {
                               auto from = xmpp::Jid::parse(row.text(0));
                               if (!from) return row.mark_corrupt();
                               requests.push_back({.from = std::move(*from),
                                                   .stanza = std::string(row.blob(1)),
                                                   .received_at = row.time(2)});
                           }));
    return requests;
}

Result<bool> Roster::remove_request(const xmpp::Jid& account, const xmpp::Jid& from) {
    return TRY(transaction_.execute("DELETE FROM roster_requests WHERE account = $1 AND jid = $2",
                                    {account.bare_view(), from.bare_view()})) > 0;
}

}  // namespace storage
