// Messages: a stanza's bytes once, however many archives and queues refer to it. `append` is the
// one way in: it writes the bytes, a small archive row for each owner (archive.h) and a row for
// each session or offline queue that has yet to acknowledge it (messages_deliveries.h). The bytes
// go when the last of those rows goes. Stanzas are opaque here; messages_rows.h says how rows lie.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "reactor/base/units.h"
#include "storage/schema.h"
#include "storage/transaction.h"
#include "xmpp/core/jid.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace storage {

/// When the message was taken, in microseconds since 1970, moved on where needed so that ids are
/// unique and grow in the order of commits; never used twice. Predictable: what clients see as an
/// archive id is to be made from it with a secret (XEP-0313 §3).
using MessageId = std::int64_t;

/// The stamp for <delay/> (XEP-0203) and for queries by time.
inline base::WallTime time_of(MessageId id) {
    return {id};
}

/// The key of a row of SmSessions (sm_sessions.h); never used twice; positive.
using SmSessionKey = std::int64_t;

/// In place of a session: the owner's offline queue.
inline constexpr SmSessionKey kOfflineQueue = 0;

/// A session that is given the message, or the offline queue that keeps it. For a session that is
/// gone meanwhile, the offline queue gets it, if it is to be kept.
struct NewDelivery {
    SmSessionKey session = kOfflineQueue;
    /// The session's XEP-0198 number of this stanza, not wrapped at 2^32: it only grows, and no two
    /// rows of a session share one. Not looked at for the offline queue, whose order is that of
    /// ids.
    std::int64_t sequence = 0;
    /// Others of the owner get it as well. For a session: it is enough that one of them has it. For
    /// the offline queue: it waits there for a client that is here (Deliveries::remove_had).
    bool shared = false;
    /// Session only: goes to the offline queue when the session ends without acknowledging it.
    bool kept = true;
    /// When it is not worth delivering any more; for the time in the offline queue.
    std::optional<base::WallTime> expires_at = {};
};

/// What a message is to one account.
struct MessageCopy {
    xmpp::Jid owner;  ///< A resource is ignored.
    /// The other side: `to` of an outgoing message, `from` of an incoming one. With its resource.
    xmpp::Jid peer;
    bool outgoing = false;
    bool groupchat = false;
    bool archived = true;  ///< False: kept only until its deliveries are done.
    std::vector<NewDelivery> deliveries = {};
};

struct Appended {
    MessageId id = 0;
    /// An offline queue was full: the message was not put into it (everything else was done). Fail
    /// the write to undo it all.
    bool offline_queue_full = false;
};

struct OfflineQueueLimits {
    std::int64_t messages_max = 1000;  ///< Per owner.
    std::int64_t bytes_max = static_cast<std::int64_t>(base::operator""_MiB(16));
};

/// Copies of one message, and deliveries of one copy.
inline constexpr std::size_t kMessageCopiesMax = 1000;
inline constexpr std::size_t kMessageDeliveriesMax = 1000;

/// Newest archive rows kept where writing is cheapest; older ones move on (messages_rows.h).
inline constexpr std::int64_t kRecentRowsMax = 16'384;

class Messages {
public:
    /// `recent_rows_max`: kRecentRowsMax; less in tests that want to see rows move.
    explicit Messages(Transaction& transaction, OfflineQueueLimits limits = {},
                      std::int64_t recent_rows_max = kRecentRowsMax)
        : transaction_(transaction), limits_(limits), recent_rows_max_(recent_rows_max) {}

    /// Stores `stanza` for everybody in `copies`; an owner may be there once (a message to oneself
    /// is one outgoing copy whose peer is the owner). Peers of the same direction have the same
    /// resource. Errors: invalid_argument for an owner that is there twice or a copy neither
    /// archived nor delivered; resource_exhausted past kMessageCopiesMax or kMessageDeliveriesMax;
    /// already_exists for a session and sequence that are taken.
    base::Result<Appended> append(base::WallTime now, std::string_view stanza,
                                  std::span<const MessageCopy> copies);

    /// The newest id given so far; 0: none.
    base::Result<MessageId> last_id();

    /// Removes rows of accounts that are gone (Users::remove leaves the mass of a large archive to
    /// this), at most `limit`; yields how many. Call again in another transaction while it yields
    /// `limit`.
    base::Result<std::int64_t> purge_removed_accounts(std::uint32_t limit = kPurgeStepMax);

    static constexpr std::uint32_t kPurgeStepMax = 1000;

private:
    Transaction& transaction_;
    OfflineQueueLimits limits_;
    std::int64_t recent_rows_max_;
};

extern const StoreSchema kMessagesSchema;

}  // namespace storage
