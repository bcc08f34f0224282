// Carbon copies (XEP-0280): the message that carries a copy of another one to a further client of
// the same account. Which messages are copied says message_class.h; to whom, the server.
#pragma once

#include "xmpp/core/element.h"
#include "xmpp/core/jid.h"
#include "xmpp/core/stanza.h"

#include <cstdint>

namespace xmpp {

/// From the point of view of the account that gets the copy.
enum class CarbonDirection : std::uint8_t { sent, received };

/// The copy of `message` for clients of `account` (a bare JID), without 'to': one copy for each
/// client is cheap, set_to does the rest. No id, so that nobody takes it for the message's own.
Stanza carbon_copy(CarbonDirection direction, const Stanza& message, const Jid& account);

/// The message that `stanza` is a copy of; nullptr when it is none. A copy is genuine only when it
/// comes from the bare JID of the account that gets it, which the caller knows.
const Element* copied_message(const Stanza& stanza) noexcept;

}  // namespace xmpp
