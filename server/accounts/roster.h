// Roster: the contacts of an account in memory (RFC 6121 §2), with the names of those whose
// subscription requests wait (§3.1.3). Packed, one block of memory per contact: 100 usual contacts
// take 8 to 12 KB. The requests themselves stay in storage. It changes only by `apply`, after the
// change was saved (routing/roster_edits.h).
#pragma once

#include "server/accounts/subscription_table.h"
#include "storage/tables/roster.h"
#include "xmpp/core/jid.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace server {

/// One roster item, packed. Views stay valid until the contact is changed or removed.
class Contact {
public:
    explicit Contact(const storage::RosterItem& item);

    std::string_view jid_text() const;
    xmpp::Jid jid() const;
    std::string_view name() const;  ///< Empty: none.
    storage::Subscription subscription() const;
    bool ask() const;       ///< ask='subscribe'.
    bool approved() const;  ///< Pre-approved (§3.4).
    std::vector<std::string_view> groups() const;

    /// The contact gets our presence.
    bool has_from() const;
    /// We get the contact's presence.
    bool has_to() const;

    storage::RosterItem to_item() const;
    std::size_t memory_in_use() const;

private:
    struct Header;
    const Header& header() const;
    const char* text() const;

    std::unique_ptr<char[]> block_;  // Header, then JID, name, and each group with its length.
};

/// What an edit has saved and `Roster::apply` now does. Parts may be combined.
struct RosterChange {
    enum class Request : std::uint8_t { keep, add, drop };

    xmpp::Jid contact;
    std::optional<storage::RosterItem> item;  ///< Added or replaced.
    bool removed = false;                     ///< The item is removed.
    Request request = Request::keep;          ///< Of the contact's subscription request.
    storage::RosterVersion version = 0;       ///< After `item` or `removed`; 0 without them.
};

class Roster {
public:
    /// A request that waits. `serial` grows with each arrival, so that a list made earlier can be
    /// told from what came later.
    struct Request {
        std::string from;  ///< Text of a bare JID.
        std::uint32_t serial = 0;
    };

    Roster() = default;
    Roster(const storage::RosterState& state,
           const std::vector<storage::SubscriptionRequest>& requests);

    /// Null when there is no item of exactly this JID.
    const Contact* find(const xmpp::Jid& jid) const;
    /// Ordered by the text of the JID. Valid until the next `apply`.
    std::span<const Contact> items() const { return items_; }
    storage::RosterVersion version() const { return version_; }

    /// Item and waiting request together (RFC 6121 §A.1).
    SubscriptionState state_of(const xmpp::Jid& contact) const;

    /// Null when no request of `from` (bare) waits.
    const Request* request_of(const xmpp::Jid& from) const;
    bool has_requests() const { return !requests_.empty(); }
    /// Serial of the newest request so far.
    std::uint32_t request_serial() const { return serial_; }

    void apply(const RosterChange& change);

    /// Bytes of heap memory, allocator overhead estimated.
    std::size_t memory_in_use() const;

private:
    std::vector<Contact> items_;
    std::vector<Request> requests_;  // Ordered by `from`.
    storage::RosterVersion version_ = 0;
    std::uint32_t serial_ = 0;
};

/// Reads what a Roster holds. On a storage thread; the result may move to the shard.
base::Result<Roster> load_roster(storage::Transaction& transaction, const xmpp::Jid& account);

}  // namespace server
