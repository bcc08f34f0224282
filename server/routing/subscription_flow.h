// SubscriptionFlow: what subscription stanzas do (RFC 6121 §3) and roster sets with them (§2.3,
// §2.5). The decisions are data (accounts/subscription_table.h); here they are saved, applied, sent
// and pushed, as edits of the account. Whoever calls runs `sent` and `received` inside an edit.
#pragma once

#include "server/accounts/subscription_table.h"
#include "server/routing/presence_broadcast.h"
#include "server/routing/roster_edits.h"
#include "server/routing/roster_xml.h"

#include <optional>

namespace server {

/// Nullopt: not a subscription stanza.
std::optional<SubscriptionEvent> outbound_event(xmpp::PresenceType type);
std::optional<SubscriptionEvent> inbound_event(xmpp::PresenceType type);

class SubscriptionFlow {
public:
    /// References outlive this object.
    SubscriptionFlow(Accounts& accounts, Router& router, RosterEdits& edits,
                     PresenceBroadcast& broadcast)
        : accounts_(accounts), router_(router), edits_(edits), broadcast_(broadcast) {}

    /// A client of `owner` sent this; `from` is its full JID.
    reactor::Deferred<void> sent(xmpp::Jid owner, xmpp::Stanza stanza);
    /// Somebody sent this to `owner`.
    reactor::Deferred<void> received(xmpp::Jid owner, xmpp::Stanza stanza);
    /// False: it would do nothing, no edit is needed.
    static bool concerns(const Account& account, const xmpp::Stanza& inbound);

    /// A roster set of the owner's client, not a removal. Saved and pushed when this settles.
    reactor::Deferred<void> set_contact(xmpp::Jid owner, RosterSet set);
    /// Removes the item and ends the subscriptions both ways (§2.5.2). Fails with not_found.
    reactor::Deferred<void> remove_contact(xmpp::Jid owner, xmpp::Jid contact);

    /// Sends the error to the client that sent `stanza`.
    void refuse(const xmpp::Stanza& stanza, const xmpp::StanzaError& error);

private:
    void send_subscription(xmpp::PresenceType type, const xmpp::Jid& from, const xmpp::Jid& to,
                           std::string_view id = {});

    Accounts& accounts_;
    Router& router_;
    RosterEdits& edits_;
    PresenceBroadcast& broadcast_;
};

}  // namespace server
