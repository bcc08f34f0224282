// Roster: contacts of an account (RFC 6121 §2), their versions (§2.6), and subscription requests
// that nobody has answered yet (§3.1.3). The state machine that decides what to store is server/'s.
//
// Versions grow with each change and are never used twice, not even by an account that is removed
// and created again. A bounded number of removals is remembered, so that `changes_since` can
// answer.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "reactor/base/units.h"
#include "storage/schema.h"
#include "storage/transaction.h"
#include "xmpp/core/jid.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

/// RFC 6121 §2.1.2.5. Stored as these numbers: append only.
enum class Subscription : std::uint8_t { none = 0, to = 1, from = 2, both = 3 };

struct RosterItem {
    xmpp::Jid jid;
    std::string name;
    Subscription subscription = Subscription::none;
    bool ask = false;       ///< Our request waits for the contact's answer (ask='subscribe').
    bool approved = false;  ///< Pre-approved (§3.4).
    std::vector<std::string> groups;

    friend bool operator==(const RosterItem&, const RosterItem&) = default;
};

/// 0: the account never had a roster.
using RosterVersion = std::int64_t;

struct RosterState {
    RosterVersion version = 0;
    std::vector<RosterItem> items;  ///< Ordered by JID text.
};

/// What happened after a version, oldest first.
struct RosterChanges {
    struct Change {
        RosterVersion version = 0;
        RosterItem item;  ///< Only `jid` is set when removed.
        bool removed = false;
    };
    RosterVersion version = 0;  ///< Now.
    std::vector<Change> changes;
};

/// A subscription request as it came in, kept until it is answered.
struct SubscriptionRequest {
    xmpp::Jid from;  ///< Bare.
    std::string stanza;
    base::WallTime received_at;
};

struct RosterLimits {
    std::uint32_t items_max = 5000;
    std::uint32_t requests_max = 1000;
};

inline constexpr std::size_t kRosterNameBytesMax = 1024;
inline constexpr std::size_t kRosterGroupsMax = 64;
inline constexpr std::size_t kRosterGroupBytesMax = 1024;
inline constexpr std::size_t kSubscriptionRequestBytesMax = base::operator""_KiB(64);
/// Removals remembered per account; a client whose version is older gets its whole roster.
inline constexpr std::int64_t kRosterTombstonesMax = 500;

/// `account` is a bare JID everywhere (a resource is ignored). Items are keyed by the JID as given,
/// so the caller takes the bare JID where it means the bare JID.
class Roster {
public:
    explicit Roster(Transaction& transaction, RosterLimits limits = {})
        : transaction_(transaction), limits_(limits) {}

    base::Result<RosterState> load(const xmpp::Jid& account);
    base::Result<std::optional<RosterItem>> find(const xmpp::Jid& account,
                                                 const xmpp::Jid& contact);
    /// Adds or replaces; yields the roster's new version. Errors: resource_exhausted (items_max,
    /// too many groups, a name or group too long), invalid_argument (a group that is empty, given
    /// twice or contains U+001F).
    base::Result<RosterVersion> put(const xmpp::Jid& account, const RosterItem& item);
    /// Yields the new version. Errors: not_found.
    base::Result<RosterVersion> remove(const xmpp::Jid& account, const xmpp::Jid& contact);

    /// Nullopt: `since` is unknown or too old; send the whole roster.
    base::Result<std::optional<RosterChanges>> changes_since(const xmpp::Jid& account,
                                                             RosterVersion since);

    /// Keeps the request; a newer one from the same contact replaces it.
    /// Errors: resource_exhausted (requests_max, or a stanza over kSubscriptionRequestBytesMax).
    base::Result<void> put_request(const xmpp::Jid& account, const SubscriptionRequest& request);
    /// In the order of arrival.
    base::Result<std::vector<SubscriptionRequest>> requests(const xmpp::Jid& account);
    /// True when there was one.
    base::Result<bool> remove_request(const xmpp::Jid& account, const xmpp::Jid& from);

private:
    base::Result<RosterVersion> next_version(const xmpp::Jid& account);
    base::Result<void> forget_old_removals(const xmpp::Jid& account);

    Transaction& transaction_;
    RosterLimits limits_;
};

extern const StoreSchema kRosterSchema;

}  // namespace storage
