#include "storage/tables/archive_scan.h"

#include "storage/tables/archive.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace storage {
namespace {

using base::Result;

/// Segments looked up at once, and the most that a count looks into.
constexpr std::size_t kSegmentsChunk = 16;
constexpr std::size_t kCountSegmentsMax = 64;

std::string_view direction(ArchiveOrder order) {
    return order == ArchiveOrder::oldest_first ? " ASC" : " DESC";
}

/// Of the rows that `rows` selects (id, flags), those whose peer had the resource $7. A row with a
/// tombstone may have lost its message.
std::string with_resource(std::string_view rows) {
    return "SELECT r.id AS id, r.flags AS flags FROM (" + std::string(rows) +
           ") AS r LEFT JOIN messages AS m ON m.id = r.id "
           "LEFT JOIN archive_tombstones AS t ON t.owner = $1 AND t.id = r.id "
           "WHERE COALESCE(t.peer_resource, CASE WHEN (r.flags & 1) <> 0 THEN m.to_resource "
           "ELSE m.from_resource END) = $7";
}

std::string ordered(std::string_view rows, ArchiveOrder order) {
    return std::string(rows) + " ORDER BY id" + std::string(direction(order)) + " LIMIT $5";
}

std::string table_sql(std::string_view table, const ArchiveFilter& filter, ArchiveOrder order) {
    std::string sql = "SELECT id, flags FROM " + std::string(table) +
                      " WHERE owner = $1 AND id > $2 AND id < $3 AND (flags & $4) = 0";
    if (filter.peer) sql += " AND peer = $6";
    if (filter.peer_resource) sql = with_resource(sql);
    return ordered(sql, order);
}

/// A segment is cut off before it is filtered: behind its rows come some of other peers.
std::string segment_sql(const ArchiveFilter& filter, ArchiveOrder order) {
    std::string sql =
        "SELECT id, flags FROM (SELECT id, peer, flags FROM archive_messages WHERE owner = $1 "
        "AND id > $2 AND id < $3 ORDER BY id LIMIT " +
        std::to_string(kSegmentRows) + ") AS s WHERE peer = $6 AND (flags & $4) = 0";
    if (filter.peer_resource) sql = with_resource(sql);
    return ordered(sql, order);
}

/// Adds what a query of the above yields.
Result<void> add_rows(Transaction& transaction, const std::string& sql, const ArchiveFilter& filter,
                      ArchiveRange range, std::size_t limit, std::vector<ArchiveRow>& rows) {
    const auto add = [&rows](const Row& row) {
        rows.push_back({.id = row.int64(0), .flags = row.int64(1)});
    };
    const std::int64_t unwanted = filter.groupchat ? 0 : kGroupchatFlag;
    if (!filter.peer)
        return transaction.query(sql, {filter.owner, range.after, range.before, unwanted, limit},
                                 add);
    if (!filter.peer_resource)
        return transaction.query(
            sql, {filter.owner, range.after, range.before, unwanted, limit, *filter.peer}, add);
    return transaction.query(sql,
                             {filter.owner, range.after, range.before, unwanted, limit,
                              *filter.peer, *filter.peer_resource},
                             add);
}

}  // namespace

Result<std::vector<ArchiveRow>> ArchiveScan::rows(ArchiveRange range, ArchiveOrder order,
                                                  std::size_t limit) {
    std::vector<ArchiveRow> rows;
    rows_looked_at_ = 0;
    if (range.empty() || limit == 0) return rows;
    const bool oldest_first = order == ArchiveOrder::oldest_first;
    if (!oldest_first) TRY(scan_table("archive_recent", range, order, limit, rows));
    if (rows.size() < limit) {
        if (filter_.peer) {
            TRY(scan_segments(range, order, limit, rows));
        } else {
            TRY(scan_table("archive_messages", range, order, limit, rows));
        }
    }
    if (oldest_first && rows.size() < limit)
        TRY(scan_table("archive_recent", range, order, limit, rows));
    return rows;
}

Result<void> ArchiveScan::scan_table(std::string_view table, ArchiveRange range, ArchiveOrder order,
                                     std::size_t limit, std::vector<ArchiveRow>& rows) {
    return add_rows(transaction_, table_sql(table, filter_, order), filter_, range,
                    limit - rows.size(), rows);
}

Result<void> ArchiveScan::scan_segments(ArchiveRange range, ArchiveOrder order, std::size_t limit,
                                        std::vector<ArchiveRow>& rows) {
    const std::string sql = segment_sql(filter_, order);
    // The first segment of the peer may begin before the range.
    ArchiveRange left{.after = TRY(first_segment(range)) - 1, .before = range.before};
    while (rows.size() < limit && !left.empty()) {
        const auto starts = TRY(segments(left, order, kSegmentsChunk + 1));
        const std::size_t count = std::min(starts.size(), kSegmentsChunk);
        for (std::size_t i = 0; i < count && rows.size() < limit; ++i) {
            ArchiveRange segment{.after = std::max(range.after, starts[i] - 1),
                                 .before = left.before};
            if (order == ArchiveOrder::newest_first) {
                left.before = starts[i];
            } else if (i + 1 < starts.size()) {
                segment.before = starts[i + 1];
                left.after = starts[i + 1] - 1;
            }
            if (filter_.peer_resource) rows_looked_at_ += kSegmentRows;
            if (rows_looked_at_ > kArchiveResourceRowsMax)
                return base::fail(base::Errc::resource_exhausted,
                                  "too many messages to look at: name a span of time");
            TRY(add_rows(transaction_, sql, filter_, segment, limit - rows.size(), rows));
        }
        if (starts.size() <= kSegmentsChunk) break;
    }
    return {};
}

Result<std::vector<MessageId>> ArchiveScan::segments(ArchiveRange range, ArchiveOrder order,
                                                     std::size_t limit) {
    std::vector<MessageId> starts;
    TRY(transaction_.query(
        "SELECT segment FROM archive_segments WHERE owner = $1 AND peer = $2 AND segment > $3 "
        "AND segment < $4 ORDER BY segment" +
            std::string(direction(order)) + " LIMIT $5",
        {filter_.owner, *filter_.peer, range.after, range.before, limit},
        [&](const Row& row) { starts.push_back(row.int64(0)); }));
    return starts;
}

Result<MessageId> ArchiveScan::first_segment(ArchiveRange range) {
    const auto start = TRY(transaction_.first(
        "SELECT segment FROM archive_segments WHERE owner = $1 AND peer = $2 AND segment <= $3 "
        "ORDER BY segment DESC LIMIT 1",
        {filter_.owner, *filter_.peer, range.after + 1},
        [](const Row& row) { return row.int64(0); }));
    return start.value_or(range.after + 1);
}

Result<std::optional<std::int64_t>> ArchiveScan::count(ArchiveRange range, std::int64_t count_max) {
    if (range.empty()) return 0;
    if (!filter_.groupchat || filter_.peer_resource) return std::nullopt;
    if (!filter_.peer && range.after == ArchiveRange().after &&
        range.before == ArchiveRange().before) {
        const auto all = TRY(transaction_.first(
            "SELECT archived + (SELECT COUNT(*) FROM archive_recent WHERE owner = $1) "
            "FROM message_owners WHERE owner = $1",
            {filter_.owner}, [](const Row& row) { return row.int64(0); }));
        return all.value_or(0);
    }
    if (filter_.peer) {
        const auto starts = TRY(segments(range, ArchiveOrder::oldest_first, kCountSegmentsMax + 1));
        if (starts.size() > kCountSegmentsMax) return std::nullopt;
    }
    const auto limit = static_cast<std::size_t>(count_max) + 1;
    const auto found = TRY(rows(range, ArchiveOrder::oldest_first, limit));
    if (found.size() == limit) return std::nullopt;
    return static_cast<std::int64_t>(found.size());
}

}  // namespace storage
