#include "server/modules/muc/occupant_ids.h"

#include "reactor/base/bytes.h"
#include "reactor/base/check.h"
#include "reactor/base/text.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/sasl/crypto.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

namespace server::modules::muc {

OccupantIds::OccupantIds(std::string secret) : secret_(std::move(secret)) {
    CHECK(secret_.size() == kSecretBytes);
}

OccupantId OccupantIds::of(const xmpp::Jid& room, const xmpp::Jid& user) const {
    std::string names(room.bare_view());
    names += '\0';
    names += user.bare_view();
    const std::string mac = xmpp::sasl::hmac(xmpp::sasl::ScramHash::sha256, secret_, names);
    OccupantId id{};
    std::copy_n(mac.begin(), id.size(), id.begin());
    return id;
}

xmpp::Element OccupantIds::element_of(const OccupantId& id) {
    xmpp::Element element("occupant-id", xmpp::ns::occupant_ids);
    element.set_attribute("id", base::hex_encode(base::as_text(std::as_bytes(std::span(id)))));
    return element;
}

xmpp::Element OccupantIds::element_of(const xmpp::Jid& room, const xmpp::Jid& user) const {
    return element_of(of(room, user));
}

std::string_view occupant_id_of(const xmpp::Stanza& stanza) {
    const xmpp::Element* element = stanza.child("occupant-id", xmpp::ns::occupant_ids);
    return element == nullptr ? std::string_view() : element->attribute("id");
}

}  // namespace server::modules::muc
