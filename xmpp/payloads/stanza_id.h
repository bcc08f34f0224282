// Unique and stable stanza ids (XEP-0359): <stanza-id/>, which a server gives, and <origin-id/>,
// which the sender gives. Whoever gives ids removes those that claim to be its own already.
#pragma once

#include "reactor/base/result.h"
#include "xmpp/core/element.h"
#include "xmpp/core/jid.h"
#include "xmpp/core/stanza.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace xmpp {

struct StanzaId {
    std::string id;
    Jid by;  ///< Who gave it: for a chat, the account whose archive it is.

    friend bool operator==(const StanzaId&, const StanzaId&) = default;
};

Element stanza_id_element(std::string_view id, const Jid& by);
Element origin_id_element(std::string_view id);

/// Errors: invalid_argument when it is not a <stanza-id/> with both attributes, or has content
/// (§3, rules 5 and 6).
base::Result<StanzaId> parse_stanza_id(const Element& element);

/// The id that `by` gave; nullopt when there is none. Trust it only from whom `by` is bound to: our
/// own server's are those that `remove_stanza_ids` ran before.
std::optional<std::string> find_stanza_id(const Stanza& stanza, const Jid& by);
/// The content of <origin-id/>; nullopt when there is none.
std::optional<std::string> find_origin_id(const Stanza& stanza);

/// Removes every <stanza-id/> directly in the stanza whose 'by' is that address, in whatever
/// spelling (§3, rule 2); says how many. Without any, the stanza is not touched: its bytes as
/// received stay.
std::size_t remove_stanza_ids(Stanza& stanza, const Jid& by);

}  // namespace xmpp
