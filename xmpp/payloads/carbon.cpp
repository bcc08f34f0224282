#include "xmpp/payloads/carbon.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/forwarded.h"

#include <utility>

namespace xmpp {
namespace {

constexpr std::string_view name_of(CarbonDirection direction) {
    return direction == CarbonDirection::sent ? "sent" : "received";
}

}  // namespace

Stanza carbon_copy(CarbonDirection direction, const Stanza& message, const Jid& account) {
    Stanza copy = Stanza::message(message.message_type());
    copy.set_from(account);
    copy.edit().add_child(name_of(direction), ns::carbons).add(forwarded_element(message));
    copy.share_content();
    return copy;
}

const Element* copied_message(const Stanza& stanza) noexcept {
    if (!stanza.is_message()) return nullptr;
    for (const auto direction : {CarbonDirection::sent, CarbonDirection::received}) {
        const Element* wrapper = stanza.child(name_of(direction), ns::carbons);
        const Element* forwarded =
            wrapper == nullptr ? nullptr : wrapper->child("forwarded", ns::forward);
        const Element* inner = forwarded == nullptr ? nullptr : forwarded_stanza(*forwarded);
        if (inner != nullptr && inner->name() == "message") return inner;
    }
    return nullptr;
}

}  // namespace xmpp
