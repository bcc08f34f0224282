// Delayed delivery (XEP-0203): the stamp that a stored or replayed stanza carries.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"

#include <string>
#include <string_view>

namespace xmpp {

class Element;

struct Delay {
    std::string from{};  ///< Who delayed it: a JID as sent, not validated; empty when absent.
    base::WallTime stamp;
    std::string reason{};  ///< Natural language; may be empty.
};

/// <delay/> with its stamp in UTC to the millisecond. An empty `from` or `reason` is left out.
Element delay_element(std::string_view from, base::WallTime stamp, std::string_view reason = {});

/// Errors: invalid_argument when it is not a <delay/> of that namespace or has no valid stamp.
base::Result<Delay> parse_delay(const Element& element);

}  // namespace xmpp
