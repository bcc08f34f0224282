// What is left of an account that was removed goes in steps: its row of message_owners loses its
// name at once, so that an account created under the same name starts with nothing, and what hangs
// on that row follows.
#include "storage/tables/message_memory.h"
#include "storage/tables/messages.h"
#include "storage/tables/messages_rows.h"

#include <algorithm>
#include <limits>

namespace storage {
namespace {

using base::Result;

Result<std::int64_t> purge_offline(Transaction& transaction, OwnerKey owner, std::int64_t limit) {
    struct Waiting {
        MessageId id = 0;
        bool counted = false;
    };
    std::vector<Waiting> rows;
    TRY(transaction.query(
        "SELECT sequence, counted FROM deliveries WHERE session = $1 ORDER BY sequence LIMIT $2",
        {-owner, limit},
        [&](const Row& row) { rows.push_back({.id = row.int64(0), .counted = row.flag(1)}); }));
    if (rows.empty()) return 0;
    TRY(transaction.execute("DELETE FROM deliveries WHERE session = $1 AND sequence <= $2",
                            {-owner, rows.back().id}));
    for (const Waiting& row : rows)
        if (row.counted) TRY(release_message(transaction, row.id));
    return static_cast<std::int64_t>(rows.size());
}

/// A step for one removed account; less than `limit`: nothing is left of it.
Result<std::int64_t> purge_owner(Transaction& transaction, OwnerKey owner, std::int64_t limit) {
    std::int64_t purged = TRY(purge_offline(transaction, owner, limit));
    if (purged == limit) return purged;
    const auto rows =
        TRY(remove_archive_rows(transaction, owner, std::numeric_limits<MessageId>::max(),
                                static_cast<std::uint32_t>(limit - purged)));
    purged += static_cast<std::int64_t>(rows.size());
    if (purged == limit) return purged;
    purged +=
        TRY(transaction.execute("DELETE FROM archive_segments WHERE owner = $1 AND (peer, segment) "
                                "IN (SELECT peer, segment "
                                "FROM archive_segments WHERE owner = $1 LIMIT $2)",
                                {owner, limit - purged}));
    if (purged == limit) return purged;
    TRY(transaction.execute("DELETE FROM message_owners WHERE owner = $1", {owner}));
    return purged;
}

}  // namespace

Result<void> remove_account_messages(Transaction& transaction, std::string_view account) {
    MessageMemory::of(transaction).forget_conversations();
    // A room has no other tables of an account that would be cleared with it.
    TRY(transaction.execute("DELETE FROM message_peers WHERE account = $1", {account}));
    const auto owner = TRY(find_owner(transaction, account));
    if (!owner) return {};
    TRY(transaction.execute("UPDATE message_owners SET jid = NULL WHERE owner = $1", {*owner}));
    TRY(purge_owner(transaction, *owner, Messages::kPurgeStepMax));
    return {};
}

Result<std::int64_t> Messages::purge_removed_accounts(std::uint32_t limit) {
    const auto rows_max = static_cast<std::int64_t>(std::clamp(limit, 1U, kPurgeStepMax));
    std::int64_t purged = 0;
    while (purged < rows_max) {
        const auto owner =
            TRY(transaction_.first("SELECT owner FROM message_owners WHERE jid IS NULL LIMIT 1", {},
                                   [](const Row& row) { return row.int64(0); }));
        if (!owner) break;
        // The account itself counts, so that many empty ones are a bounded step as well.
        purged += TRY(purge_owner(transaction_, *owner, rows_max - purged)) + 1;
    }
    return std::min(purged, rows_max);
}

}  // namespace storage
