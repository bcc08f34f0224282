// Roster items as XML (RFC 6121 §2.1): what clients are shown and what they ask to change. Pure.
#pragma once

#include "server/accounts/roster.h"
#include "xmpp/core/element.h"
#include "xmpp/core/error.h"
#include "xmpp/core/stanza.h"

#include <string>
#include <vector>

namespace server {

/// A roster set (§2.3, §2.5), checked. Of what a client may not decide (subscription other than
/// `remove`, ask, approved) nothing is left.
struct RosterSet {
    xmpp::Jid contact;
    bool remove = false;
    std::string name;
    std::vector<std::string> groups;
};

/// Reads the <query/> of a roster set. `owner`: the account's bare JID, which cannot be its own
/// contact. Errors (§2.3.3): bad-request (not exactly one item, no valid JID, a group twice),
/// not-acceptable (a name or group too long, an empty group, too many groups), not-allowed
/// (itself).
base::Result<RosterSet, xmpp::StanzaError> parse_roster_set(const xmpp::Element& query,
                                                            const xmpp::Jid& owner);

/// <item/>.
xmpp::Element roster_item_element(const storage::RosterItem& item);
/// <item subscription='remove'/>.
xmpp::Element removed_item_element(const xmpp::Jid& contact);
/// <query/> with a `ver`, to be filled with items.
xmpp::Element roster_query_element(storage::RosterVersion version);
/// A push (§2.1.6) of one item to one resource, without `from`: the account itself.
xmpp::Stanza roster_push(xmpp::Element item, storage::RosterVersion version, const xmpp::Jid& to);

}  // namespace server
