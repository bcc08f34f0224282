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
std::string photo_hash(const Element& photo) {
    std::string text = photo.child_text("BINVAL");
    std::erase_if(text, [](char letter) {
        return letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t';
    });
    const auto bytes = base::base64_decode(text);
    if (!bytes || bytes->empty()) return {};
    return base::hex_encode(xmpp::sasl::digest(xmpp::sasl::ScramHash::sha1, *bytes));
}

// XEP-0486 §5.1: the same image in several formats has as many hashes.
std::string photo_hashes(const Element& vcard) {
    std::string hashes;
    std::size_t count = 0;
    for (const Element& photo : vcard.children()) {
        const std::string hash = photo.name() == "PHOTO" ? photo_hash(photo) : "";
        if (hash.empty()) continue;
        if (++count > Room::kPhotosMax) break;
        if (!hashes.empty()) hashes += ' ';
        hashes += hash;
    }
    return hashes;
}

}  // namespace

// XEP-0486 §5.2: for clients that wait for what XEP-0153 has, where the operator wants it. The
// first of several formats; an empty <photo/> when there is none any more.
void Room::send_avatar(std::vector<xmpp::Jid> to, Effects& effects) const {
    if (!parts_.service.shows_avatars || to.empty()) return;
    Stanza presence = Stanza::presence(xmpp::PresenceType::available);
    presence.set_from(parts_.jid);
    Element& x = presence.edit().add_child("x", xmpp::ns::vcard_update);
    x.add_text_child("photo", avatar_hashes_.substr(0, avatar_hashes_.find(' ')));
    effects.push_back({.stanza = std::move(presence), .to = std::move(to)});
}

base::Result<RoomChange, StanzaError> Room::judge_vcard(const Stanza& request) const {
    if (affiliations_.of(*request.from()) != MucAffiliation::owner)
        return std::unexpected(StanzaError::forbidden("Only owners are allowed to set avatars."));
    // Until it is configured there is nothing that could keep it.
    if (locked_) return std::unexpected(StanzaError::not_allowed());
    const Element& vcard = *request.payload();
    RoomChange change{.request = request};
    change.vcard.emplace();
    change.vcard->xml = xmpp::to_xml(vcard);
    change.vcard->hashes = photo_hashes(vcard);
    return change;
}

}  // namespace server::modules::muc
