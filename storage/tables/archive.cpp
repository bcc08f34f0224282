#include "storage/tables/archive.h"

#include "storage/tables/archive_scan.h"

#include <algorithm>

namespace storage {
namespace {

using base::Errc;
using base::Result;

base::Failure no_such_message() {
    return {Errc::not_found, "no such message in the archive"};
}

Result<std::optional<ArchiveRow>> find_row(Transaction& transaction, OwnerKey owner, MessageId id) {
    const auto read = [](const Row& row) {
        return ArchiveRow{.id = row.int64(0), .peer = row.int64(1), .flags = row.int64(2)};
    };
    const auto older = TRY(transaction.first(
        "SELECT id, peer, flags FROM archive_messages WHERE owner = $1 AND id = $2", {owner, id},
        read));
    if (older) return older;
    return transaction.first(
        "SELECT id, peer, flags FROM archive_recent WHERE owner = $1 AND id = $2", {owner, id},
        read);
}

Result<ArchivedMessage> with_stanza(Transaction& transaction, OwnerKey owner,
                                    const ArchiveRow& row) {
    ArchivedMessage message{.id = row.id,
                            .outgoing = (row.flags & kOutgoingFlag) != 0,
                            .groupchat = (row.flags & kGroupchatFlag) != 0,
                            .retracted = (row.flags & kRetractedFlag) != 0,
                            .stanza = {}};
    const auto read = [](const Row& found) { return std::string(found.blob(0)); };
    auto stanza =
        TRY(message.retracted
                ? transaction.first(
                      "SELECT stanza FROM archive_tombstones WHERE owner = $1 AND id = $2",
                      {owner, row.id}, read)
                : transaction.first("SELECT stanza FROM messages WHERE id = $1", {row.id}, read));
    if (!stanza) return base::fail(Errc::corrupt, "the database has lost an archived message");
    message.stanza = std::move(*stanza);
    return message;
}

Result<void> check_form(const ArchiveQuery& query) {
    if (query.ids && query.ids->size() > kArchiveIdsMax)
        return base::fail(Errc::resource_exhausted, "too many ids in a query");
    const int choices = (query.after ? 1 : 0) + (query.before ? 1 : 0) + (query.last_page ? 1 : 0);
    if (choices > 1) return base::fail(Errc::invalid_argument, "a page in two directions");
    return {};
}

/// XEP-0313 §4.1.4, §4.3.2: every id that a query names is in the archive.
Result<void> check_ids(Transaction& transaction, std::optional<OwnerKey> owner,
                       const ArchiveQuery& query) {
    const auto check = [&](MessageId id) -> Result<void> {
        if (!owner || !TRY(find_row(transaction, *owner, id)))
            return std::unexpected(no_such_message());
        return {};
    };
    for (const auto& id : {query.after_id, query.before_id, query.after, query.before})
        if (id) TRY(check(*id));
    if (query.ids)
        for (const MessageId id : *query.ids)
            TRY(check(id));
    return {};
}

/// The range of the form's fields.
ArchiveRange range_of(const ArchiveQuery& query) {
    constexpr ArchiveRange kAll;
    ArchiveRange range;
    if (query.start && query.start->microseconds > kAll.after)
        range.after = query.start->microseconds - 1;
    if (query.end && query.end->microseconds < kAll.before)
        range.before = query.end->microseconds + 1;
    if (query.after_id) range.after = std::max(range.after, *query.after_id);
    if (query.before_id) range.before = std::min(range.before, *query.before_id);
    return range;
}

/// The rows of an archive that a query's form matches.
class Matches {
public:
    /// nullopt: none, whatever the range.
    static Result<std::optional<Matches>> of(Transaction& transaction, OwnerKey owner,
                                             std::string_view account, const ArchiveQuery& query) {
        ArchiveFilter filter{.owner = owner, .groupchat = query.groupchat};
        if (query.with) {
            const auto conversation =
                TRY(find_conversation(transaction, account, query.with->bare_view()));
            if (!conversation) return std::nullopt;
            filter.peer = conversation->peer;
            if (query.with->is_full()) filter.peer_resource.emplace(query.with->resource());
        }
        Matches matches(transaction, std::move(filter));
        if (query.ids) {
            matches.ids_ = *query.ids;
            std::ranges::sort(*matches.ids_);
            const auto repeated = std::ranges::unique(*matches.ids_);
            matches.ids_->erase(repeated.begin(), repeated.end());
        }
        return matches;
    }

    Result<std::vector<ArchiveRow>> rows(ArchiveRange range, ArchiveOrder order,
                                         std::size_t limit) {
        if (!ids_) return scan_.rows(range, order, limit);
        std::vector<ArchiveRow> rows;
        for (const MessageId id : *ids_) {
            if (id <= range.after || id >= range.before) continue;
            const ArchiveRange only{.after = id - 1, .before = id + 1};
            for (const ArchiveRow& row : TRY(scan_.rows(only, order, 1)))
                rows.push_back(row);
        }
        if (order == ArchiveOrder::newest_first) std::ranges::reverse(rows);
        if (rows.size() > limit) rows.resize(limit);
        return rows;
    }

    Result<std::optional<std::int64_t>> count(ArchiveRange range) {
        if (!ids_) return scan_.count(range, kArchiveCountMax);
        const auto found = TRY(rows(range, ArchiveOrder::oldest_first, ids_->size()));
        return static_cast<std::int64_t>(found.size());
    }

private:
    Matches(Transaction& transaction, ArchiveFilter filter)
        : scan_(transaction, std::move(filter)) {}

    ArchiveScan scan_;
    std::optional<std::vector<MessageId>> ids_;
};

ArchivePage empty_page(const ArchiveQuery& query) {
    ArchivePage page;
    page.complete = true;
    if (query.want_count) page.count = 0;
    return page;
}

}  // namespace

Result<ArchivePage> Archive::page(const xmpp::Jid& owner, const ArchiveQuery& query) {
    TRY(check_form(query));
    const auto key = TRY(find_owner(transaction_, owner.bare_view()));
    TRY(check_ids(transaction_, key, query));
    if (!key) return empty_page(query);
    auto matches = TRY(Matches::of(transaction_, *key, owner.bare_view(), query));
    if (!matches) return empty_page(query);

    const ArchiveRange all = range_of(query);
    ArchiveRange range = all;
    if (query.after) range.after = std::max(range.after, *query.after);
    if (query.before) range.before = std::min(range.before, *query.before);
    const bool backwards = query.before || query.last_page;
    const auto order = backwards ? ArchiveOrder::newest_first : ArchiveOrder::oldest_first;
    const std::size_t limit = std::min(query.max, kArchivePageMax);
    auto rows = TRY(matches->rows(range, order, limit + 1));

    ArchivePage page;
    page.complete = rows.size() <= limit;
    if (!page.complete) rows.pop_back();
    const std::size_t bytes_max = std::min(query.bytes_max, kArchivePageBytesMax);
    std::size_t bytes = 0;
    for (const ArchiveRow& row : rows) {
        ArchivedMessage message = TRY(with_stanza(transaction_, *key, row));
        bytes += message.stanza.size();
        if (bytes > bytes_max && !page.messages.empty()) {
            page.complete = false;
            break;
        }
        page.messages.push_back(std::move(message));
    }
    if (backwards) std::ranges::reverse(page.messages);
    if (query.want_count) page.count = TRY(matches->count(all));
    return page;
}

Result<std::optional<ArchivedMessage>> Archive::find(const xmpp::Jid& owner, MessageId id) {
    const auto key = TRY(find_owner(transaction_, owner.bare_view()));
    if (!key) return std::nullopt;
    const auto row = TRY(find_row(transaction_, *key, id));
    if (!row) return std::nullopt;
    return TRY(with_stanza(transaction_, *key, *row));
}

Result<std::optional<ArchiveEnds>> Archive::ends(const xmpp::Jid& owner) {
    const auto key = TRY(find_owner(transaction_, owner.bare_view()));
    if (!key) return std::nullopt;
    ArchiveScan scan(transaction_, {.owner = *key});
    const auto first = TRY(scan.rows({}, ArchiveOrder::oldest_first, 1));
    const auto last = TRY(scan.rows({}, ArchiveOrder::newest_first, 1));
    if (first.empty() || last.empty()) return std::nullopt;
    return ArchiveEnds{.first = first.front().id, .last = last.front().id};
}

Result<std::optional<ArchivedMessage>> Archive::scan(const xmpp::Jid& owner, const xmpp::Jid& peer,
                                                     std::uint32_t scan_max, Accepts accepts,
                                                     void* context) {
    const auto conversation =
        TRY(find_conversation(transaction_, owner.bare_view(), peer.bare_view()));
    if (!conversation) return std::nullopt;
    ArchiveScan scan(transaction_, {.owner = conversation->owner, .peer = conversation->peer});
    std::size_t bytes = 0;
    for (const ArchiveRow& row : TRY(scan.rows({}, ArchiveOrder::newest_first, scan_max))) {
        ArchivedMessage message = TRY(with_stanza(transaction_, conversation->owner, row));
        if (accepts(context, message)) return message;
        bytes += message.stanza.size();
        if (bytes > kArchiveScanBytesMax) break;
    }
    return std::nullopt;
}

Result<void> Archive::replace(const xmpp::Jid& owner, MessageId id, std::string_view tombstone) {
    const auto key = TRY(find_owner(transaction_, owner.bare_view()));
    const auto row = key ? TRY(find_row(transaction_, *key, id)) : std::nullopt;
    if (!row) return std::unexpected(no_such_message());
    if ((row->flags & kRetractedFlag) != 0) {
        TRY(transaction_.execute(
            "UPDATE archive_tombstones SET stanza = $3 WHERE owner = $1 AND id = $2",
            {*key, id, Blob{tombstone}}));
        return {};
    }
    // The resource is for queries with a full JID, which go on to find the message (§3.2).
    const bool outgoing = (row->flags & kOutgoingFlag) != 0;
    const auto resource = TRY(transaction_.first(
        "SELECT from_resource, to_resource FROM messages WHERE id = $1", {id},
        [&](const Row& found) { return std::string(found.text(outgoing ? 1 : 0)); }));
    if (!resource) return base::fail(Errc::corrupt, "the database has lost an archived message");
    TRY(
        transaction_.execute("INSERT INTO archive_tombstones (owner, id, peer_resource, stanza) "
                             "VALUES ($1, $2, $3, $4)",
                             {*key, id, *resource, Blob{tombstone}}));
    TRY(transaction_.execute("UPDATE archive_messages SET flags = $3 WHERE owner = $1 AND id = $2",
                             {*key, id, row->flags | kRetractedFlag}));
    TRY(transaction_.execute("UPDATE archive_recent SET flags = $3 WHERE owner = $1 AND id = $2",
                             {*key, id, row->flags | kRetractedFlag}));
    return release_message(transaction_, id);
}

}  // namespace storage
