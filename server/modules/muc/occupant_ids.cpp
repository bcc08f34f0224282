#include "server/modules/muc/occupant_ids.h"

#include "reactor/base/check.h"
#include "reactor/base/text.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/sasl/crypto.h"

#include <utility>

namespace server::modules::muc {

OccupantIds::OccupantIds(std::string secret) : secret_(std::move(secret)) {
    CHECK(secret_.size() == kSecretBytes);
}

std::string OccupantIds::of(const xmpp::Jid& room, const xmpp::Jid& user) const {
    constexpr std::size_t kBytes = 16;
    std::string names(room.bare_view());
    names += '\0';
    names += user.bare_view();
    const std::string mac = xmpp::sasl::hmac(xmpp::sasl::ScramHash::sha256, secret_, names);
    return base::hex_encode(std::string_view(mac).substr(0, kBytes));
}

xmpp::Element OccupantIds::element_of(const xmpp::Jid& room, const xmpp::Jid& user) const {
    xmpp::Element element("occupant-id", xmpp::ns::occupant_ids);
    element.set_attribute("id", of(room, user));
    return element;
}

std::string_view occupant_id_of(const xmpp::Stanza& stanza) {
    const xmpp::Element* element = stanza.child("occupant-id", xmpp::ns::occupant_ids);
    return element == nullptr ? std::string_view() : element->attribute("id");
}

}  // namespace server::modules::muc
