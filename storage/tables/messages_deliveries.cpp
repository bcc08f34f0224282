#include "storage/tables/messages_deliveries.h"

#include "storage/tables/messages_rows.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

namespace storage {
namespace {

using base::Errc;
using base::Result;

/// A row of deliveries without its stanza.
struct DeliveryRow {
    SmSessionKey session = 0;  ///< Below zero: an offline queue.
    std::int64_t sequence = 0;
    MessageId id = 0;
    OwnerKey owner = 0;
    bool shared = false;
    bool for_one = false;  ///< Another client of the owner has it, or had it.
    bool kept = false;
    bool counted = false;
    std::int64_t bytes = 0;
};

/// Columns 0-7 of the queries below.
DeliveryRow read_row(const Row& row) {
    return {.session = row.int64(0),
            .sequence = row.int64(1),
            .id = row.int64(2),
            .owner = row.int64(3),
            .shared = row.int64(4) == kShared,
            .for_one = row.int64(4) == kSharedInQueue,
            .kept = row.flag(5),
            .counted = row.flag(6),
            .bytes = row.int64(7)};
}

/// Rows of `session` with a sequence in (after, through].
Result<std::vector<DeliveryRow>> rows_between(Transaction& transaction, SmSessionKey session,
                                              std::int64_t after, std::int64_t through) {
    std::vector<DeliveryRow> rows;
    TRY(transaction.query(
        "SELECT session, sequence, id, owner, shared, kept, counted, bytes "
        "FROM deliveries WHERE session = $1 AND sequence > $2 AND sequence <= $3 "
        "ORDER BY sequence",
        {session, after, through}, [&](const Row& row) { rows.push_back(read_row(row)); }));
    return rows;
}

Result<std::optional<DeliveryRow>> row_at(Transaction& transaction, SmSessionKey session,
                                          std::int64_t sequence) {
    return transaction.first(
        "SELECT session, sequence, id, owner, shared, kept, counted, bytes "
        "FROM deliveries WHERE session = $1 AND sequence = $2",
        {session, sequence}, read_row);
}

Result<void> remove_row(Transaction& transaction, const DeliveryRow& row) {
    TRY(transaction.execute("DELETE FROM deliveries WHERE session = $1 AND sequence = $2",
                            {row.session, row.sequence}));
    if (row.counted) TRY(release_message(transaction, row.id));
    return {};
}

/// The rows of the same shared message for others of the owner: sessions, and the offline queue
/// that a lost one of them left it to.
Result<std::vector<DeliveryRow>> rows_of_others(Transaction& transaction, const DeliveryRow& own) {
    std::vector<DeliveryRow> rows;
    TRY(transaction.query(
        "SELECT session, sequence, id, owner, shared, kept, counted, bytes FROM deliveries "
        "WHERE owner = $1 AND id = $2 AND shared = 1 AND session <> $3",
        {own.owner, own.id, own.session}, [&](const Row& row) { rows.push_back(read_row(row)); }));
    return rows;
}

/// The owner has the message: nobody else need have it.
Result<void> remove_from_others(Transaction& transaction, const DeliveryRow& own) {
    for (const DeliveryRow& row : TRY(rows_of_others(transaction, own))) {
        TRY(remove_row(transaction, row));
        if (row.session < 0) TRY(give_offline_room(transaction, row.owner, 1, row.bytes));
    }
    return {};
}

/// Removes the rows of one queue up to and including `through`; `acknowledged`: from others as well
/// what they share. Few have more to them than their row.
Result<std::int64_t> remove_through(Transaction& transaction, SmSessionKey session,
                                    std::int64_t through, bool acknowledged) {
    std::vector<DeliveryRow> special;
    TRY(transaction.query(
        "SELECT session, sequence, id, owner, shared, kept, counted, bytes FROM deliveries "
        "WHERE session = $1 AND sequence <= $2 AND (counted = 1 OR shared = 1)",
        {session, through}, [&](const Row& row) { special.push_back(read_row(row)); }));
    const auto removed = TRY(transaction.execute(
        "DELETE FROM deliveries WHERE session = $1 AND sequence <= $2", {session, through}));
    for (const DeliveryRow& row : special) {
        if (row.counted) TRY(release_message(transaction, row.id));
        if (row.shared && acknowledged) TRY(remove_from_others(transaction, row));
    }
    return removed;
}

/// Their rows stay: what their clients say that they have is then known, and waits no more.
Result<void> take_from_others(Transaction& transaction, const DeliveryRow& own) {
    TRY(
        transaction.execute("UPDATE deliveries SET kept = 0 "
                            "WHERE owner = $1 AND id = $2 AND shared = 1 AND session <> $3",
                            {own.owner, own.id, own.session}));
    return {};
}

/// What waited in the offline queue beside the lost session's own waits for that one as well now.
Result<void> wait_for_all(Transaction& transaction, const DeliveryRow& own,
                          SharedDeliveries shared) {
    TRY(transaction.execute(
        "UPDATE deliveries SET shared = $3 WHERE session = $1 AND sequence = $2 AND shared = 2",
        {-own.owner, own.id, shared == SharedDeliveries::taken ? kShared : kNotShared}));
    return {};
}

/// Cuts a page where it has too many bytes, after its first row.
void cut_page(std::vector<DeliveryRow>& rows) {
    std::int64_t bytes = 0;
    const auto end = std::ranges::find_if(rows, [&](const DeliveryRow& row) {
        bytes += row.bytes;
        return bytes > kDeliveryPageBytesMax;
    });
    if (end == rows.end()) return;
    rows.erase(std::max(end, rows.begin() + 1), rows.end());
}

Result<std::vector<Delivery>> with_stanzas(Transaction& transaction,
                                           std::vector<DeliveryRow> rows) {
    cut_page(rows);
    std::vector<Delivery> page;
    page.reserve(rows.size());
    for (const DeliveryRow& row : rows) {
        auto stanza = TRY(transaction.first(
            "SELECT COALESCE((SELECT stanza FROM archive_tombstones WHERE owner = $1 AND id = $2), "
            "(SELECT stanza FROM messages WHERE id = $2))",
            {row.owner, row.id}, [](const Row& found) { return std::string(found.blob(0)); }));
        page.push_back({.id = row.id,
                        .sequence = row.session < 0 ? 0 : row.sequence,
                        .shared = row.shared,
                        .archived = !row.counted,
                        .stanza = std::move(stanza).value_or(std::string())});
    }
    return page;
}

}  // namespace

Result<std::int64_t> Deliveries::acknowledge(SmSessionKey session, std::int64_t through) {
    return remove_through(transaction_, session, through, true);
}

Result<std::vector<Delivery>> Deliveries::unacknowledged(SmSessionKey session, std::int64_t after,
                                                         std::uint32_t limit) {
    std::vector<DeliveryRow> rows;
    TRY(transaction_.query(
        "SELECT session, sequence, id, owner, shared, kept, counted, bytes FROM deliveries "
        "WHERE session = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
        {session, after, std::min(limit, kDeliveryPageMax)},
        [&](const Row& row) { rows.push_back(read_row(row)); }));
    return with_stanzas(transaction_, std::move(rows));
}

Result<std::vector<HandOver>> Deliveries::given(SmSessionKey session, std::uint32_t limit) {
    std::vector<HandOver> found;
    TRY(transaction_.query(
        "SELECT id, sequence FROM deliveries WHERE session = $1 ORDER BY sequence LIMIT $2",
        {session, limit},
        [&](const Row& row) { found.push_back({.id = row.int64(0), .sequence = row.int64(1)}); }));
    return found;
}

Result<std::int64_t> Deliveries::move_to_offline(SmSessionKey session,
                                                 std::optional<base::Duration> keep,
                                                 SharedDeliveries shared) {
    auto rows = TRY(rows_between(transaction_, session, std::numeric_limits<std::int64_t>::min(),
                                 std::numeric_limits<std::int64_t>::max()));
    std::ranges::sort(rows, {},
                      [](const DeliveryRow& row) { return std::pair(row.id, row.sequence); });
    std::int64_t moved = 0;
    for (const DeliveryRow& row : rows) {
        const bool is_left =
            row.shared && shared == SharedDeliveries::left &&
            std::ranges::any_of(TRY(rows_of_others(transaction_, row)), &DeliveryRow::kept);
        if (is_left || !row.kept) {
            TRY(remove_row(transaction_, row));
            continue;
        }
        if (TRY(row_at(transaction_, -row.owner, row.id))) {
            TRY(wait_for_all(transaction_, row, shared));
            TRY(remove_row(transaction_, row));
            continue;
        }
        if (!TRY(take_offline_room(transaction_, row.owner, row.bytes, limits_))) {
            TRY(remove_row(transaction_, row));
            continue;
        }
        if (row.shared) TRY(take_from_others(transaction_, row));
        std::optional<base::WallTime> expires_at;
        if (keep) expires_at = time_of(row.id) + *keep;
        TRY(transaction_.execute(
            "UPDATE deliveries SET session = $3, sequence = $4, expires_at = $5 "
            "WHERE session = $1 AND sequence = $2",
            {row.session, row.sequence, -row.owner, row.id, expires_at}));
        ++moved;
    }
    return moved;
}

Result<std::int64_t> Deliveries::drop(SmSessionKey session) {
    return remove_through(transaction_, session, std::numeric_limits<std::int64_t>::max(), false);
}

Result<std::vector<Delivery>> Deliveries::offline_page(const xmpp::Jid& owner, MessageId after,
                                                       std::uint32_t limit, base::WallTime now) {
    const auto key = TRY(find_owner(transaction_, owner.bare_view()));
    if (!key) return std::vector<Delivery>();
    std::vector<DeliveryRow> rows;
    TRY(transaction_.query(
        "SELECT session, sequence, id, owner, shared, kept, counted, bytes FROM deliveries "
        "WHERE session = $1 AND sequence > $2 AND (expires_at IS NULL OR expires_at > $3) "
        "ORDER BY sequence LIMIT $4",
        {-*key, after, now, std::min(limit, kDeliveryPageMax)},
        [&](const Row& row) { rows.push_back(read_row(row)); }));
    return with_stanzas(transaction_, std::move(rows));
}

Result<std::int64_t> Deliveries::hand_over(const xmpp::Jid& owner, SmSessionKey session,
                                           std::span<const HandOver> messages) {
    if (session <= 0) return base::fail(Errc::invalid_argument, "not the key of a session");
    const auto key = TRY(find_owner(transaction_, owner.bare_view()));
    if (!key) return 0;
    std::int64_t moved = 0;
    std::int64_t bytes = 0;
    for (const HandOver& message : messages) {
        const auto row = TRY(row_at(transaction_, -*key, message.id));
        if (!row) continue;
        std::int64_t shared = row->for_one ? kSharedInQueue : kNotShared;
        if (!TRY(rows_of_others(transaction_, *row)).empty()) shared = kShared;
        TRY(transaction_.execute(
            "UPDATE deliveries SET session = $3, sequence = $4, shared = $5, expires_at = NULL "
            "WHERE session = $1 AND sequence = $2",
            {-*key, message.id, session, message.sequence, shared}));
        ++moved;
        bytes += row->bytes;
    }
    TRY(give_offline_room(transaction_, *key, moved, bytes));
    return moved;
}

Result<std::int64_t> Deliveries::remove_delivered(const xmpp::Jid& owner,
                                                  std::span<const MessageId> ids,
                                                  SharedDeliveries shared) {
    const auto key = TRY(find_owner(transaction_, owner.bare_view()));
    if (!key) return 0;
    std::int64_t removed = 0;
    std::int64_t bytes = 0;
    for (const MessageId id : ids) {
        if (shared == SharedDeliveries::taken)
            TRY(remove_from_others(transaction_, {.session = -*key, .id = id, .owner = *key}));
        const auto row = TRY(row_at(transaction_, -*key, id));
        if (!row) continue;
        TRY(remove_row(transaction_, *row));
        ++removed;
        bytes += row->bytes;
    }
    TRY(give_offline_room(transaction_, *key, removed, bytes));
    return removed;
}

Result<std::int64_t> Deliveries::remove_had(const xmpp::Jid& owner) {
    const auto key = TRY(find_owner(transaction_, owner.bare_view()));
    if (!key) return 0;
    std::vector<MessageId> had;
    TRY(transaction_.query(
        "SELECT id FROM deliveries AS waiting WHERE owner = $1 AND shared = 2 AND NOT EXISTS "
        "(SELECT 1 FROM deliveries WHERE owner = $1 AND id = waiting.id AND shared = 1)",
        {*key}, [&](const Row& row) { had.push_back(row.int64(0)); }));
    return remove_delivered(owner, had, SharedDeliveries::left);
}

Result<std::int64_t> Deliveries::remove_delivered_through(const xmpp::Jid& owner,
                                                          MessageId through) {
    const auto key = TRY(find_owner(transaction_, owner.bare_view()));
    if (!key) return 0;
    const auto bytes =
        TRY(transaction_.first("SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM deliveries "
                               "WHERE session = $1 AND sequence <= $2",
                               {-*key, through}, [](const Row& row) { return row.int64(0); }));
    const auto removed = TRY(remove_through(transaction_, -*key, through, false));
    TRY(give_offline_room(transaction_, *key, removed, bytes.value_or(0)));
    return removed;
}

Result<std::int64_t> Deliveries::expire_offline(base::WallTime now, std::uint32_t limit) {
    std::vector<DeliveryRow> rows;
    TRY(transaction_.query(
        "SELECT session, sequence, id, owner, shared, kept, counted, bytes FROM deliveries "
        "WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2",
        {now, std::min(limit, kDeliveryPageMax)},
        [&](const Row& row) { rows.push_back(read_row(row)); }));
    std::map<OwnerKey, OfflineQueueTotals> freed;
    for (const DeliveryRow& row : rows) {
        TRY(remove_row(transaction_, row));
        freed[row.owner].messages += 1;
        freed[row.owner].bytes += row.bytes;
    }
    for (const auto& [owner, totals] : freed)
        TRY(give_offline_room(transaction_, owner, totals.messages, totals.bytes));
    return static_cast<std::int64_t>(rows.size());
}

Result<OfflineQueueTotals> Deliveries::offline_totals(const xmpp::Jid& owner) {
    const auto totals = TRY(transaction_.first(
        "SELECT offline_messages, offline_bytes FROM message_owners WHERE jid = $1",
        {owner.bare_view()},
        [](const Row& row) { return OfflineQueueTotals{row.int64(0), row.int64(1)}; }));
    return totals.value_or(OfflineQueueTotals{});
}

}  // namespace storage
