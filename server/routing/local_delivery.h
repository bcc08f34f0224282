// LocalDelivery: what becomes of a stanza for an account of this shard. RFC 6121 §8.5 as one table:
// kind and type of the stanza, against the resources the account has.
#pragma once

#include "server/accounts/accounts.h"
#include "xmpp/core/stanza.h"

#include <cstdint>

namespace server {

/// What the table says. The names follow the wording of RFC 6121 §8.5.
enum class DeliveryRule : std::uint8_t {
    to_resource,       ///< To exactly the resource that `to` names.
    to_all_available,  ///< To each available resource whose priority is not negative.
    as_bare,           ///< Treated as if it had been sent to the bare JID (§8.5.3.2.1).
    store_or_refuse,   ///< Kept for later (XEP-0160), or service-unavailable.
    refuse,            ///< service-unavailable to the sender.
    ignore,            ///< Dropped without a word.
    presence,          ///< RFC 6121 §3 and §4: Presence::inbound.
    answer,            ///< The server answers the IQ on behalf of the account (§8.5.2.1.3).
};

/// How the resource part of `to` relates to the account.
enum class Addressed : std::uint8_t {
    bare_with_takers,     ///< Bare JID; some available resource has a priority >= 0.
    bare_without_takers,  ///< Bare JID; none has.
    full_connected,       ///< Full JID of a bound resource.
    full_unknown,         ///< Full JID of none.
    absent,               ///< The account does not exist (§8.5.1).
};

/// The table. Total: every combination has a rule.
DeliveryRule delivery_rule(const xmpp::Stanza& stanza, Addressed addressed);

Addressed addressed_in(Account& account, const xmpp::Jid& to);

}  // namespace server
