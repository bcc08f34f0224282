// What leaves an archive: by age, by number, with its account.
#include "storage/tables/archive.h"
#include "storage/tables/archive_scan.h"
#include "storage/tables/message_memory.h"

#include <algorithm>
#include <string>

namespace storage {
namespace {

using base::Errc;
using base::Result;

constexpr std::int64_t kExcessOwnersMax = 256;
/// Rows of one archive looked at for its number in one step of `excess`.
constexpr std::int64_t kExcessRowsMax = 10'000;

struct Holdings {
    OwnerKey owner = 0;
    std::int64_t archived = 0;
};

/// The last id of the `count` oldest rows.
Result<std::optional<MessageId>> oldest_through(Transaction& transaction, OwnerKey owner,
                                                std::int64_t archived, std::int64_t count) {
    const auto read = [](const Row& row) { return row.int64(0); };
    const std::int64_t offset = std::min(count, kExcessRowsMax) - 1;
    if (offset < archived)
        return transaction.first(
            "SELECT id FROM archive_messages WHERE owner = $1 ORDER BY id LIMIT 1 OFFSET $2",
            {owner, offset}, read);
    return transaction.first(
        "SELECT id FROM archive_recent WHERE owner = $1 ORDER BY id LIMIT 1 OFFSET $2",
        {owner, offset - archived}, read);
}

Result<std::optional<MessageId>> excess_of(Transaction& transaction, const Holdings& holdings,
                                           const ArchiveRetention& retention) {
    std::optional<MessageId> through;
    if (retention.not_before) {
        ArchiveScan scan(transaction, {.owner = holdings.owner});
        const MessageId stamp = retention.not_before->microseconds;
        const ArchiveRange older{.after = ArchiveRange().after, .before = stamp};
        if (!TRY(scan.rows(older, ArchiveOrder::oldest_first, 1)).empty()) through = stamp - 1;
    }
    if (!retention.messages_max) return through;
    const auto recent =
        TRY(transaction.first("SELECT COUNT(*) FROM archive_recent WHERE owner = $1",
                              {holdings.owner}, [](const Row& row) { return row.int64(0); }));
    const std::int64_t over =
        holdings.archived + recent.value_or(0) - std::max<std::int64_t>(*retention.messages_max, 0);
    if (over <= 0) return through;
    const auto by_number =
        TRY(oldest_through(transaction, holdings.owner, holdings.archived, over));
    if (by_number) through = std::max(through.value_or(*by_number), *by_number);
    return through;
}

Result<std::vector<ArchiveRow>> oldest_rows(Transaction& transaction, std::string_view table,
                                            OwnerKey owner, MessageId through, std::size_t limit) {
    std::vector<ArchiveRow> rows;
    const std::string sql = "SELECT id, peer, flags FROM " + std::string(table) +
                            " WHERE owner = $1 AND id <= $2 ORDER BY id LIMIT $3";
    TRY(transaction.query(sql, {owner, through, limit}, [&](const Row& row) {
        rows.push_back({.id = row.int64(0), .peer = row.int64(1), .flags = row.int64(2)});
    }));
    return rows;
}

/// A delivery that leans on an archive row which is about to go.
struct Leaning {
    SmSessionKey session = 0;
    std::int64_t sequence = 0;
    MessageId id = 0;
    std::int64_t bytes = 0;
};

Result<void> add_leaning(Transaction& transaction, SmSessionKey session, OwnerKey owner,
                         MessageId through, std::vector<Leaning>& found) {
    return transaction.query(
        "SELECT session, sequence, id, bytes FROM deliveries "
        "WHERE session = $1 AND owner = $2 AND id <= $3 AND counted = 0",
        {session, owner, through}, [&](const Row& row) {
            found.push_back({.session = row.int64(0),
                             .sequence = row.int64(1),
                             .id = row.int64(2),
                             .bytes = row.int64(3)});
        });
}

Result<std::vector<Leaning>> leaning_on(Transaction& transaction, OwnerKey owner,
                                        MessageId through) {
    std::vector<Leaning> found;
    std::vector<SmSessionKey> queues;
    TRY(
        transaction.query("SELECT s.session FROM message_owners AS o JOIN sm_sessions AS s "
                          "ON s.account = o.jid WHERE o.owner = $1",
                          {owner}, [&](const Row& row) { queues.push_back(row.int64(0)); }));
    queues.push_back(-owner);
    for (const SmSessionKey queue : queues)
        TRY(add_leaning(transaction, queue, owner, through, found));
    return found;
}

/// The archive row of `delivery` is going.
Result<void> stand_alone(Transaction& transaction, OwnerKey owner, const Leaning& delivery,
                         bool retracted) {
    if (!retracted) {
        TRY(transaction.execute(
            "UPDATE deliveries SET counted = 1 WHERE session = $1 AND sequence = $2",
            {delivery.session, delivery.sequence}));
        TRY(transaction.execute("UPDATE messages SET refs = refs + 1 WHERE id = $1",
                                {delivery.id}));
        return {};
    }
    TRY(transaction.execute("DELETE FROM deliveries WHERE session = $1 AND sequence = $2",
                            {delivery.session, delivery.sequence}));
    if (delivery.session < 0) TRY(give_offline_room(transaction, owner, 1, delivery.bytes));
    return {};
}

Result<void> free_deliveries(Transaction& transaction, OwnerKey owner,
                             const std::vector<ArchiveRow>& rows) {
    for (const Leaning& delivery : TRY(leaning_on(transaction, owner, rows.back().id))) {
        const auto row = std::ranges::lower_bound(rows, delivery.id, {}, &ArchiveRow::id);
        if (row == rows.end() || row->id != delivery.id)
            return base::fail(Errc::corrupt, "the database has lost an archived message");
        TRY(stand_alone(transaction, owner, delivery, (row->flags & kRetractedFlag) != 0));
    }
    return {};
}

/// Forgets the segments of a peer that are empty now, and the peer if it has no row any more.
Result<void> forget_segments(Transaction& transaction, OwnerKey owner, PeerKey peer) {
    ArchiveScan scan(transaction, {.owner = owner, .peer = peer});
    const auto left = TRY(scan.rows({}, ArchiveOrder::oldest_first, 1));
    if (left.empty()) {
        TRY(transaction.execute("DELETE FROM archive_segments WHERE owner = $1 AND peer = $2",
                                {owner, peer}));
        MessageMemory::of(transaction).forget_conversations();
        TRY(transaction.execute(
            "DELETE FROM message_peers WHERE account = (SELECT jid FROM message_owners "
            "WHERE owner = $1) AND owner = $1 AND peer = $2",
            {owner, peer}));
        return {};
    }
    TRY(
        transaction.execute("DELETE FROM archive_segments WHERE owner = $1 AND peer = $2 "
                            "AND segment < (SELECT MAX(segment) FROM archive_segments "
                            "WHERE owner = $1 AND peer = $2 AND segment <= $3)",
                            {owner, peer, left.front().id}));
    return {};
}

Result<void> delete_rows(Transaction& transaction, OwnerKey owner, MessageId through) {
    const auto older = TRY(transaction.execute(
        "DELETE FROM archive_messages WHERE owner = $1 AND id <= $2", {owner, through}));
    const auto recent = TRY(transaction.execute(
        "DELETE FROM archive_recent WHERE owner = $1 AND id <= $2", {owner, through}));
    if (older > 0)
        TRY(
            transaction.execute("UPDATE message_owners SET archived = archived - $2 "
                                "WHERE owner = $1",
                                {owner, older}));
    if (recent > 0) TRY(MessageMemory::of(transaction).ids(transaction))->recent.count -= recent;
    return {};
}

}  // namespace

Result<std::vector<ArchiveRow>> remove_archive_rows(Transaction& transaction, OwnerKey owner,
                                                    MessageId through, std::uint32_t limit) {
    auto rows = TRY(oldest_rows(transaction, "archive_messages", owner, through, limit));
    if (rows.size() < limit)
        for (const ArchiveRow& row :
             TRY(oldest_rows(transaction, "archive_recent", owner, through, limit - rows.size())))
            rows.push_back(row);
    if (rows.empty()) return rows;
    TRY(free_deliveries(transaction, owner, rows));
    for (const ArchiveRow& row : rows) {
        if ((row.flags & kRetractedFlag) == 0) {
            TRY(release_message(transaction, row.id));
        } else {
            TRY(transaction.execute("DELETE FROM archive_tombstones WHERE owner = $1 AND id = $2",
                                    {owner, row.id}));
        }
    }
    TRY(delete_rows(transaction, owner, rows.back().id));
    return rows;
}

Result<ArchiveExcessPage> Archive::excess(const ArchiveRetention& retention, std::int64_t from) {
    std::vector<Holdings> owners;
    TRY(
        transaction_.query("SELECT owner, archived FROM message_owners WHERE owner > $1 "
                           "ORDER BY owner LIMIT $2",
                           {from, kExcessOwnersMax}, [&](const Row& row) {
                               owners.push_back({.owner = row.int64(0), .archived = row.int64(1)});
                           }));
    ArchiveExcessPage page;
    for (const Holdings& holdings : owners)
        if (const auto through = TRY(excess_of(transaction_, holdings, retention)))
            page.excess.push_back({.archive = holdings.owner, .through = *through});
    if (static_cast<std::int64_t>(owners.size()) == kExcessOwnersMax)
        page.next = owners.back().owner;
    return page;
}

Result<std::int64_t> Archive::remove_through(std::int64_t archive, MessageId through,
                                             std::uint32_t limit) {
    const auto rows =
        TRY(remove_archive_rows(transaction_, archive, through, std::min(limit, kArchiveStepMax)));
    std::vector<PeerKey> peers;
    for (const ArchiveRow& row : rows)
        peers.push_back(row.peer);
    std::ranges::sort(peers);
    const auto repeated = std::ranges::unique(peers);
    peers.erase(repeated.begin(), repeated.end());
    for (const PeerKey peer : peers)
        TRY(forget_segments(transaction_, archive, peer));
    return static_cast<std::int64_t>(rows.size());
}

}  // namespace storage
