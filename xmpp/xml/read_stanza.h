// One stanza or element from its XML, as we wrote it into a database.
#pragma once

#include "xmpp/core/stanza.h"

#include <optional>
#include <string_view>

namespace xmpp {

/// Reads one message, presence or iq in jabber:client with nothing around it. Nullopt when it is
/// anything else; meant for text that we wrote ourselves, so the reason does not matter.
/// Costs a parser of its own: not for streams.
std::optional<Stanza> read_stanza(std::string_view xml);

/// The same for one element of any name, as `to_xml(element)` wrote it.
std::optional<Element> read_element(std::string_view xml);

}  // namespace xmpp
