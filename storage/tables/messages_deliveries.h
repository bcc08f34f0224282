// Deliveries: messages that a session was given and has not acknowledged (XEP-0198), and messages
// that wait for any resource of their owner: the offline queue (XEP-0160). Rows come in with
// Messages::append; the bytes are those of the owner's archive, so a retracted message waits as its
// tombstone.
#pragma once

#include "storage/tables/messages.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace storage {

struct Delivery {
    MessageId id = 0;
    std::int64_t sequence = 0;  ///< Of the session; 0 in the offline queue.
    bool shared = false;        ///< Other sessions of the owner were given it as well.
    bool archived = false;      ///< The owner's archive has it under the same id.
    std::string stanza;
};

struct OfflineQueueTotals {
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
};

/// A message and its number in a session.
struct HandOver {
    MessageId id = 0;
    std::int64_t sequence = 0;
};

inline constexpr std::uint32_t kDeliveryPageMax = 1000;
/// Bytes of stanzas in one page, unless its first alone has more.
inline constexpr std::int64_t kDeliveryPageBytesMax =
    static_cast<std::int64_t>(base::operator""_MiB(8));

/// What becomes of shared messages that other sessions of the owner have not acknowledged either
/// when one session is over.
enum class SharedDeliveries : std::uint8_t {
    left,   ///< To the others: they have them, or will resume to get them.
    taken,  ///< From the others, who lost them as well, to the offline queue; unless one of them
            ///< acknowledges them there yet.
};

/// `owner` is a bare JID everywhere (a resource is ignored).
class Deliveries {
public:
    explicit Deliveries(Transaction& transaction, OfflineQueueLimits limits = {})
        : transaction_(transaction), limits_(limits) {}

    /// The session has acknowledged everything up to and including `through`. What it shared with
    /// others of its owner they need not acknowledge any more. Yields how many of its rows went.
    base::Result<std::int64_t> acknowledge(SmSessionKey session, std::int64_t through);
    /// What the session has not acknowledged after `after` (0: from the start), in order, at most
    /// `limit` (at most kDeliveryPageMax), fewer when they are big (kDeliveryPageBytesMax); only an
    /// empty answer is the end.
    base::Result<std::vector<Delivery>> unacknowledged(SmSessionKey session, std::int64_t after,
                                                       std::uint32_t limit);
    /// The same without the stanzas, from the start.
    base::Result<std::vector<HandOver>> given(SmSessionKey session, std::uint32_t limit);
    /// The session is over: moves what it has not acknowledged to its owner's offline queue, where
    /// it takes its place by id and expires `keep` after it was taken. What was not to be kept, is
    /// in that queue already, or has no room in it (oldest first), is dropped. Yields how many were
    /// moved.
    base::Result<std::int64_t> move_to_offline(SmSessionKey session,
                                               std::optional<base::Duration> keep,
                                               SharedDeliveries shared = SharedDeliveries::left);
    /// Drops what the session has not acknowledged. Yields how many rows went.
    base::Result<std::int64_t> drop(SmSessionKey session);

    /// The oldest of the offline queue after `after` (0: from the start) that have not expired at
    /// `now`; sizes as above.
    base::Result<std::vector<Delivery>> offline_page(const xmpp::Jid& owner, MessageId after,
                                                     std::uint32_t limit, base::WallTime now);
    /// The session was given these messages of the offline queue and will acknowledge them. Those
    /// that are not in the queue are passed over; those that other sessions have not acknowledged
    /// either are shared with them, and those that only waited for one client (NewDelivery::shared)
    /// do so after a crash as well. Yields how many were moved.
    base::Result<std::int64_t> hand_over(const xmpp::Jid& owner, SmSessionKey session,
                                         std::span<const HandOver> messages);
    /// Removes those of `ids` from the offline queue that are in it: they were delivered, or
    /// fetched from the archive. Sessions that share them need not acknowledge them any more,
    /// unless they are `left` to those. Yields how many were in the queue.
    base::Result<std::int64_t> remove_delivered(const xmpp::Jid& owner,
                                                std::span<const MessageId> ids,
                                                SharedDeliveries shared = SharedDeliveries::taken);
    /// After a crash: removes from the offline queue what waited there for a client of the owner
    /// that was here (NewDelivery::shared), if another of the owner's has acknowledged it. Yields
    /// how many.
    base::Result<std::int64_t> remove_had(const xmpp::Jid& owner);
    /// Removes all of the offline queue up to and including `through`. Yields how many.
    base::Result<std::int64_t> remove_delivered_through(const xmpp::Jid& owner, MessageId through);
    /// Removes at most `limit` messages of any offline queue whose time has come; yields how many.
    /// Call again in another transaction while it yields `limit`.
    base::Result<std::int64_t> expire_offline(base::WallTime now,
                                              std::uint32_t limit = kDeliveryPageMax);
    base::Result<OfflineQueueTotals> offline_totals(const xmpp::Jid& owner);

private:
    Transaction& transaction_;
    OfflineQueueLimits limits_;
};

}  // namespace storage
