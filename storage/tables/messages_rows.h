// The rows of the message store, and what its files share. Private to messages*.cpp and
// archive*.cpp.
//
// messages          bytes by id: appended, so that a commit writes few pages.
// message_ids       one row: the last id, how many rows archive_recent has, who moved last.
// message_owners    an account as a small number. A removed account has no jid any more.
// message_peers     who an owner talked with, as a small number of that owner.
// archive_recent    one row for each owner of an archived message, the newest kRecentRowsMax: a
//                   table so small that a batch of messages shares its pages.
// archive_messages  the same rows when they are older. They move in turns, all of one owner at
//                   once, oldest first, so that a page is written for many rows instead of for one.
// archive_segments  in which segments (runs of at most kSegmentRows rows of an owner in
//                   archive_messages) a peer occurs: an index by peer at a fraction of the rows.
// archive_tombstones  bytes instead of those of `messages` for one owner.
// deliveries        by (session, sequence); the offline queue of an owner is (-owner, id).
//
// messages.refs counts archive rows (those with a tombstone not) and deliveries that are `counted`:
// those whose owner's archive lacks the message. Other deliveries lean on their archive row.
#pragma once

#include "storage/tables/messages.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace storage {

using OwnerKey = std::int64_t;
using PeerKey = std::int64_t;

inline constexpr std::int64_t kSegmentRows = 128;

/// archive_recent.flags and archive_messages.flags.
inline constexpr std::int64_t kOutgoingFlag = 1;
inline constexpr std::int64_t kGroupchatFlag = 2;
inline constexpr std::int64_t kRetractedFlag = 4;

/// deliveries.shared (NewDelivery::shared).
inline constexpr std::int64_t kNotShared = 0;
inline constexpr std::int64_t kShared = 1;
inline constexpr std::int64_t kSharedInQueue = 2;

struct Conversation {
    OwnerKey owner = 0;
    PeerKey peer = 0;
};

/// `account` and `peer`: bare JIDs.
base::Result<std::optional<OwnerKey>> find_owner(Transaction& transaction,
                                                 std::string_view account);
base::Result<OwnerKey> find_or_add_owner(Transaction& transaction, std::string_view account);
base::Result<std::optional<Conversation>> find_conversation(Transaction& transaction,
                                                            std::string_view account,
                                                            std::string_view peer);
base::Result<Conversation> find_or_add_conversation(Transaction& transaction,
                                                    std::string_view account,
                                                    std::string_view peer);

/// One reference to a message's bytes less; they go with the last.
base::Result<void> release_message(Transaction& transaction, MessageId id);

/// Takes room for a message in an offline queue. False: there is none.
base::Result<bool> take_offline_room(Transaction& transaction, OwnerKey owner, std::int64_t bytes,
                                     const OfflineQueueLimits& limits);
base::Result<void> give_offline_room(Transaction& transaction, OwnerKey owner,
                                     std::int64_t messages, std::int64_t bytes);

/// message_ids as it is while a message is being appended.
struct RecentRows {
    std::int64_t count = 0;
    OwnerKey moved_last = 0;
};

/// Moves rows from archive_recent to archive_messages while there are more than `rows_max`, at
/// least as many as `added` (what the caller put in), a bounded number in all.
base::Result<void> move_recent_rows(Transaction& transaction, RecentRows& recent,
                                    std::int64_t rows_max, std::int64_t added);

/// A row of archive_recent or archive_messages.
struct ArchiveRow {
    MessageId id = 0;
    PeerKey peer = 0;
    std::int64_t flags = 0;
};

/// Removes the oldest rows of an archive up to and including `through`, at most `limit`, with their
/// references; deliveries that leaned on them count from now on, or go if the row had a tombstone.
/// `live`: the owner's peers and sessions are looked after too (an account that is removed has
/// none). Yields the rows.
base::Result<std::vector<ArchiveRow>> remove_archive_rows(Transaction& transaction, OwnerKey owner,
                                                          MessageId through, std::uint32_t limit);

/// StoreSchema::remove_account of the message store.
base::Result<void> remove_account_messages(Transaction& transaction, std::string_view account);

}  // namespace storage
