// Archive: the messages of an account in the order they were taken (XEP-0313), with their pages
// (XEP-0059), retraction (XEP-0424) and retention. Rows come in with Messages::append. Who may
// look, what is archived and how it is sent are server/'s.
#pragma once

#include "storage/tables/messages.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storage {

struct ArchivedMessage {
    MessageId id = 0;
    bool outgoing = false;
    bool groupchat = false;
    bool retracted = false;  ///< `stanza` is the tombstone.
    std::string stanza;
};

/// Bytes of stanzas in one page, unless its first message alone has more: the page ends before (and
/// is not complete).
inline constexpr std::size_t kArchivePageBytesMax = base::operator""_MiB(8);

/// What to look for, and which page of it. Ids that are not in the archive fail with not_found
/// (XEP-0313 §4.1.4 and §4.3.2: item-not-found).
struct ArchiveQuery {
    /// Bare: that address with any resource. Full: exactly that one. The owner itself: messages to
    /// oneself.
    std::optional<xmpp::Jid> with = {};
    std::optional<base::WallTime> start = {};  ///< At or after.
    std::optional<base::WallTime> end = {};    ///< At or before.
    std::optional<MessageId> after_id = {};    ///< The form's fields: they narrow the result set …
    std::optional<MessageId> before_id = {};
    /// Only these; in the archive's order whatever theirs is. nullopt: no such filter. At most
    /// kArchiveIdsMax.
    std::optional<std::vector<MessageId>> ids = {};
    bool groupchat = true;  ///< False: without groupchat messages.

    std::optional<MessageId> after = {};   ///< … RSM's choose a page of it: the oldest after this,
    std::optional<MessageId> before = {};  ///< the newest before this,
    bool last_page = false;                ///< or (an empty <before/>) the newest of all.
    std::uint32_t max = 50;                ///< 0: only `count` and `complete`.
    std::size_t bytes_max = kArchivePageBytesMax;  ///< At most that.
    bool want_count = false;
};

struct ArchivePage {
    std::vector<ArchivedMessage> messages;  ///< Oldest first, also when paging backwards.
    /// There is no more in the direction of the page.
    bool complete = false;
    /// Of the whole result set, without RSM's choice; only when it was wanted and is cheap to know:
    /// without filters always, with filters up to kArchiveCountMax, with a full JID never.
    std::optional<std::int64_t> count;
};

struct ArchiveEnds {
    MessageId first = 0;
    MessageId last = 0;

    friend bool operator==(const ArchiveEnds&, const ArchiveEnds&) = default;
};

/// What to keep in each archive; nullopt: no such limit.
struct ArchiveRetention {
    std::optional<base::WallTime> not_before = {};  ///< Older messages go.
    std::optional<std::int64_t> messages_max = {};  ///< The newest stay.
};

/// An archive with messages to remove: those up to and including `through`.
struct ArchiveExcess {
    std::int64_t archive = 0;
    MessageId through = 0;
};

/// A step of looking for such archives.
struct ArchiveExcessPage {
    std::vector<ArchiveExcess> excess;
    std::int64_t next = 0;  ///< Where the next step starts; 0: that was the last.
};

inline constexpr std::uint32_t kArchivePageMax = 1000;
inline constexpr std::size_t kArchiveIdsMax = 1000;
inline constexpr std::int64_t kArchiveCountMax = 10'000;
/// Rows in which one query looks for the resource of a full JID, which no index knows.
inline constexpr std::int64_t kArchiveResourceRowsMax = 32'768;
inline constexpr std::size_t kArchiveScanBytesMax = base::operator""_MiB(4);
inline constexpr std::uint32_t kArchiveStepMax = 1000;

/// `owner` is a bare JID everywhere (a resource is ignored).
class Archive {
public:
    explicit Archive(Transaction& transaction) : transaction_(transaction) {}

    /// At most `query.max` messages (at most kArchivePageMax). Errors: not_found for an id that is
    /// not in the archive; resource_exhausted past kArchiveIdsMax or kArchiveResourceRowsMax;
    /// invalid_argument for more than one of `after`, `before` and `last_page`.
    base::Result<ArchivePage> page(const xmpp::Jid& owner, const ArchiveQuery& query);
    base::Result<std::optional<ArchivedMessage>> find(const xmpp::Jid& owner, MessageId id);
    /// The oldest and the newest; nullopt: the archive is empty.
    base::Result<std::optional<ArchiveEnds>> ends(const xmpp::Jid& owner);

    /// The newest message with `peer` (any resource) of those `scan_max` newest, and of as many as
    /// kArchiveScanBytesMax holds, for which `match(const ArchivedMessage&)` is true: for messages
    /// that a later one refers to by the id that its sender gave it.
    template <class Match>
    base::Result<std::optional<ArchivedMessage>> find_newest(const xmpp::Jid& owner,
                                                             const xmpp::Jid& peer,
                                                             std::uint32_t scan_max, Match match) {
        auto call = [](void* context, const ArchivedMessage& message) -> bool {
            return (*static_cast<Match*>(context))(message);
        };
        return scan(owner, peer, scan_max, call, &match);
    }

    /// Puts a tombstone in the place of a message in this archive (and in this owner's deliveries);
    /// other archives keep theirs. The original bytes go with the last archive that has them.
    /// Errors: not_found.
    base::Result<void> replace(const xmpp::Jid& owner, MessageId id, std::string_view tombstone);

    /// Looks at some archives from `from` on (0: the first) for messages past `retention`. Runs in
    /// a read.
    base::Result<ArchiveExcessPage> excess(const ArchiveRetention& retention, std::int64_t from);
    /// Removes the oldest messages up to and including `through`, at most `limit` (at most
    /// kArchiveStepMax); yields how many. Call again in another transaction while it yields
    /// `limit`. Messages that still wait for their delivery leave the archive and stay for that
    /// (tombstones do not).
    base::Result<std::int64_t> remove_through(std::int64_t archive, MessageId through,
                                              std::uint32_t limit = kArchiveStepMax);

private:
    using Accepts = bool (*)(void* context, const ArchivedMessage& message);
    base::Result<std::optional<ArchivedMessage>> scan(const xmpp::Jid& owner, const xmpp::Jid& peer,
                                                      std::uint32_t scan_max, Accepts accepts,
                                                      void* context);

    Transaction& transaction_;
};

}  // namespace storage
