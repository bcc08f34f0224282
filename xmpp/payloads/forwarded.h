// Stanza forwarding (XEP-0297): a stanza inside another one, with the time it came.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "xmpp/core/element.h"
#include "xmpp/core/stanza.h"
#include "xmpp/payloads/delay.h"

#include <optional>

namespace xmpp {

/// What is in a <forwarded/>.
struct Forwarded {
    std::optional<Delay> delay;
    Stanza stanza;
};

/// <forwarded/> around a copy of `stanza`, which keeps its namespace. `received_at`: when we got
/// it, for <delay/>.
Element forwarded_element(const Stanza& stanza,
                          std::optional<base::WallTime> received_at = std::nullopt);

/// Errors: invalid_argument when it is not a <forwarded/> with exactly one stanza of jabber:client
/// in it whose addresses are valid, or has more than one <delay/> or an invalid one.
base::Result<Forwarded> parse_forwarded(const Element& element);

/// The stanza's element, without a copy or a check of its addresses; nullptr when there is none.
const Element* forwarded_stanza(const Element& forwarded) noexcept;

}  // namespace xmpp
