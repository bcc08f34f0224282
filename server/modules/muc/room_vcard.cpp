// Room: its vCard (XEP-0054), which carries its avatar (XEP-0486). Owners set it; that it changed
// is told as a change of the configuration, and clients ask for the new one.
#include "server/modules/muc/room.h"

#include "reactor/base/text.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/sasl/crypto.h"
#include "xmpp/xml/writer.h"

#include <algorithm>
#include <string>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Element;
using xmpp::Stanza;
using xmpp::StanzaError;

// XEP-0153 §3: of the bytes of the image. What is no base64 has no hash.
std::string photo_hash(const Element& vcard) {
    const Element* photo = vcard.child("PHOTO");
    if (photo == nullptr) return {};
    std::string text = photo->child_text("BINVAL");
    std::erase_if(text, [](char letter) {
        return letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t';
    });
    const auto bytes = base::base64_decode(text);
    if (!bytes || bytes->empty()) return {};
    return base::hex_encode(xmpp::sasl::digest(xmpp::sasl::ScramHash::sha1, *bytes));
}

}  // namespace

base::Result<RoomChange, StanzaError> Room::judge_vcard(const Stanza& request) const {
    if (affiliations_.of(*request.from()) != MucAffiliation::owner)
        return std::unexpected(StanzaError::forbidden("Only owners are allowed to set avatars."));
    // Until it is configured there is nothing that could keep it.
    if (locked_) return std::unexpected(StanzaError::not_allowed());
    const Element& vcard = *request.payload();
    RoomChange change{.request = request};
    change.vcard.emplace();
    if (vcard.has_no_content()) return change;
    change.vcard->xml = xmpp::to_xml(vcard);
    change.vcard->hash = photo_hash(vcard);
    return change;
}

}  // namespace server::modules::muc
