#include "storage/tables/messages_rows.h"

#include "storage/tables/message_memory.h"

#include <algorithm>
#include <vector>

namespace storage {
namespace {

using base::Errc;
using base::Result;

constexpr std::int64_t kMoveRowsMax = 64;
constexpr std::int64_t kMoveStepsMax = 4;

Result<PeerKey> next_peer(Transaction& transaction, OwnerKey owner) {
    const auto last = TRY(transaction.first("SELECT peers FROM message_owners WHERE owner = $1",
                                            {owner}, [](const Row& row) { return row.int64(0); }));
    if (!last) return base::fail(Errc::corrupt, "the database has lost an archive's owner");
    TRY(transaction.execute("UPDATE message_owners SET peers = $2 WHERE owner = $1",
                            {owner, *last + 1}));
    return *last + 1;
}

/// Where the segment begins that the next row of an owner goes into, and how full it is.
struct Segment {
    MessageId start = 0;
    std::int64_t rows = 0;
};

struct SegmentPeer {
    MessageId start = 0;
    PeerKey peer = 0;

    friend bool operator==(const SegmentPeer&, const SegmentPeer&) = default;
};

/// Puts rows into segments; yields which peers occur where.
std::vector<SegmentPeer> fill_segments(Segment& segment, const std::vector<ArchiveRow>& rows) {
    std::vector<SegmentPeer> found;
    for (const ArchiveRow& row : rows) {
        if (segment.rows >= kSegmentRows || segment.rows == 0)
            segment = {.start = row.id, .rows = 0};
        ++segment.rows;
        const SegmentPeer pair{.start = segment.start, .peer = row.peer};
        if (std::ranges::find(found, pair) == found.end()) found.push_back(pair);
    }
    return found;
}

Result<std::optional<OwnerKey>> owner_after(Transaction& transaction, OwnerKey after) {
    return transaction.first(
        "SELECT owner FROM archive_recent WHERE owner > $1 ORDER BY owner LIMIT 1", {after},
        [](const Row& row) { return row.int64(0); });
}

/// Moves the oldest recent rows of one owner; yields how many.
Result<std::int64_t> move_rows_of(Transaction& transaction, OwnerKey owner) {
    std::vector<ArchiveRow> rows;
    TRY(transaction.query(
        "SELECT id, peer FROM archive_recent WHERE owner = $1 ORDER BY id LIMIT $2",
        {owner, kMoveRowsMax},
        [&](const Row& row) { rows.push_back({.id = row.int64(0), .peer = row.int64(1)}); }));
    const auto segment = TRY(transaction.first(
        "SELECT segment, segment_rows FROM message_owners WHERE owner = $1", {owner},
        [](const Row& row) { return Segment{row.int64(0), row.int64(1)}; }));
    if (!segment || rows.empty())
        return base::fail(Errc::corrupt, "the database has lost an archive's owner");
    Segment filled = *segment;
    for (const SegmentPeer& pair : fill_segments(filled, rows))
        TRY(
            transaction.execute("INSERT INTO archive_segments (owner, peer, segment) "
                                "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                                {owner, pair.peer, pair.start}));
    const MessageId through = rows.back().id;
    TRY(
        transaction.execute("INSERT INTO archive_messages (owner, id, peer, flags) "
                            "SELECT owner, id, peer, flags FROM archive_recent "
                            "WHERE owner = $1 AND id <= $2",
                            {owner, through}));
    TRY(transaction.execute("DELETE FROM archive_recent WHERE owner = $1 AND id <= $2",
                            {owner, through}));
    const auto moved = static_cast<std::int64_t>(rows.size());
    TRY(
        transaction.execute("UPDATE message_owners SET archived = archived + $2, segment = $3, "
                            "segment_rows = $4 WHERE owner = $1",
                            {owner, moved, filled.start, filled.rows}));
    return moved;
}

}  // namespace

Result<std::optional<OwnerKey>> find_owner(Transaction& transaction, std::string_view account) {
    return transaction.first("SELECT owner FROM message_owners WHERE jid = $1", {account},
                             [](const Row& row) { return row.int64(0); });
}

Result<OwnerKey> find_or_add_owner(Transaction& transaction, std::string_view account) {
    if (const auto found = TRY(find_owner(transaction, account))) return *found;
    // Of one of that name that is no more: rooms used to leave them behind.
    TRY(transaction.execute("DELETE FROM message_peers WHERE account = $1", {account}));
    const auto added = TRY(transaction.first(
        "INSERT INTO message_owners (jid, peers, archived, segment, segment_rows, "
        "offline_messages, offline_bytes) VALUES ($1, 0, 0, 0, 0, 0, 0) RETURNING owner",
        {account}, [](const Row& row) { return row.int64(0); }));
    return added.value_or(0);
}

Result<std::optional<Conversation>> find_conversation(Transaction& transaction,
                                                      std::string_view account,
                                                      std::string_view peer) {
    return transaction.first(
        "SELECT message_peers.owner, peer FROM message_peers JOIN message_owners ON "
        "message_owners.owner = message_peers.owner WHERE account = $1 AND message_peers.jid = $2 "
        "AND message_owners.jid = $1",
        {account, peer}, [](const Row& row) { return Conversation{row.int64(0), row.int64(1)}; });
}

Result<Conversation> find_or_add_conversation(Transaction& transaction, std::string_view account,
                                              std::string_view peer) {
    MessageMemory& memory = MessageMemory::of(transaction);
    if (const auto known = memory.conversation(account, peer)) return *known;
    if (const auto found = TRY(find_conversation(transaction, account, peer))) {
        memory.keep_conversation(account, peer, *found);
        return *found;
    }
    Conversation added;
    added.owner = TRY(find_or_add_owner(transaction, account));
    added.peer = TRY(next_peer(transaction, added.owner));
    TRY(transaction.execute(
        "INSERT INTO message_peers (account, jid, owner, peer) VALUES ($1, $2, $3, $4)",
        {account, peer, added.owner, added.peer}));
    memory.keep_conversation(account, peer, added);
    return added;
}

Result<void> release_message(Transaction& transaction, MessageId id) {
    const auto left = TRY(transaction.execute(
        "UPDATE messages SET refs = refs - 1 WHERE id = $1 AND refs > 1", {id}));
    if (left == 0) TRY(transaction.execute("DELETE FROM messages WHERE id = $1", {id}));
    return {};
}

Result<bool> take_offline_room(Transaction& transaction, OwnerKey owner, std::int64_t bytes,
                               const OfflineQueueLimits& limits) {
    return TRY(transaction.execute(
               "UPDATE message_owners SET offline_messages = offline_messages + 1, "
               "offline_bytes = offline_bytes + $2 WHERE owner = $1 "
               "AND offline_messages < $3 AND offline_bytes + $2 <= $4",
               {owner, bytes, limits.messages_max, limits.bytes_max})) > 0;
}

Result<void> give_offline_room(Transaction& transaction, OwnerKey owner, std::int64_t messages,
                               std::int64_t bytes) {
    if (messages == 0) return {};
    TRY(
        transaction.execute("UPDATE message_owners SET offline_messages = offline_messages - $2, "
                            "offline_bytes = offline_bytes - $3 WHERE owner = $1",
                            {owner, messages, bytes}));
    return {};
}

Result<void> move_recent_rows(Transaction& transaction, RecentRows& recent, std::int64_t rows_max,
                              std::int64_t added) {
    std::int64_t moved = 0;
    for (std::int64_t step = 0; recent.count > rows_max; ++step) {
        if (step >= kMoveStepsMax && moved >= added) break;
        auto next = TRY(owner_after(transaction, recent.moved_last));
        if (!next) next = TRY(owner_after(transaction, 0));
        if (!next) return base::fail(Errc::corrupt, "the database has lost recent messages");
        recent.moved_last = *next;
        const std::int64_t rows = TRY(move_rows_of(transaction, *next));
        moved += rows;
        recent.count -= rows;
    }
    return {};
}

}  // namespace storage
