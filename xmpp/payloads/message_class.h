// What kind of message a message is: the one place that decides what goes into archives (XEP-0313),
// into the offline store (XEP-0160), to further clients (XEP-0280) and what an inactive client need
// not hear at once (XEP-0352), with the hints of the sender (XEP-0334). By content alone: whether
// the owner wants an archive, who is online or blocked is the server's to know.
#pragma once

#include "xmpp/core/stanza.h"

#include <cstdint>

namespace xmpp {

/// For the archive of an account: messages of type normal or chat that have lasting content: a body
/// or subject, encrypted content, receipts, markers, reactions, retractions, corrections, calls,
/// invitations (XEP-0313 §6.1.1; XEPs 0184, 0249, 0308, 0333, 0353, 0380, 0424, 0444), and
/// what else bears <store/>. Not for it: chat states and the like, errors, copies and archive
/// results, groupchat (the room has it), and what forbids it by <no-store/> or
/// <no-permanent-store/>.
bool is_worth_archiving(const Stanza& message);

/// For the archive of a room: the same content, of type groupchat.
bool is_worth_archiving_in_room(const Stanza& message);

/// For the offline store (XEP-0160 §3): messages of type normal or chat, unless there is nothing in
/// them that keeps its worth (chat states alone), they are copies, or they forbid it by
/// <no-store/>.
bool is_worth_keeping_offline(const Stanza& message);

/// Only chat states (XEP-0085) and what says nothing without a body: a thread, ids, hints other
/// than <store/>. A carbon copy is what it copies.
bool is_only_chat_state(const Stanza& message);

/// Whether other clients of the account get a copy (XEP-0280 §6.1, all rules).
enum class CarbonRule : std::uint8_t {
    no,
    yes,
    as_answered,  ///< An error: when the message that it answers was copied.
};
CarbonRule carbon_rule(const Stanza& message, bool inbound);

/// How soon a client that says it is inactive must have a stanza (XEP-0352).
enum class Urgency : std::uint8_t {
    now,    ///< Anything that somebody may be waiting for.
    later,  ///< Presence of others, except answers to the client; event notifications.
    never,  ///< Chat states alone.
};
Urgency urgency_of(const Stanza& stanza);

}  // namespace xmpp
