// Room: taking back what was said, by a moderator (XEP-0425) or by who said it (XEP-0424). What is
// in the archive gives way to a tombstone when the change is saved; the history forgets it here.
#include "server/modules/muc/room.h"

#include "xmpp/core/namespaces.h"

#include <string>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Element;
using xmpp::Stanza;
using xmpp::StanzaError;

}  // namespace

base::Result<RoomChange, StanzaError> Room::judge_moderation(const Stanza& request) const {
    const Element& payload = *request.payload();
    const xmpp::Jid& user = *request.from();
    if (standing_of(user).role != MucRole::moderator)
        return std::unexpected(StanzaError::forbidden("moderators take back what others said"));
    const std::string id(payload.attribute("id"));
    if (id.empty()) return std::unexpected(StanzaError::bad_request("no message is named"));
    if (payload.child("retract", xmpp::ns::retraction) == nullptr)
        return std::unexpected(StanzaError::feature_not_implemented("only <retract/> is"));
    if (!config_.archived || locked_) return std::unexpected(StanzaError::item_not_found());

    Element moderated("moderated", xmpp::ns::moderation);
    const std::string nick = nick_of(user);
    moderated.set_attribute("by", nick.empty() ? parts_.jid.text() : occupant_jid(nick).text());
    moderated.add(parts_.ids.element_of(parts_.jid, user));
    const std::string reason = xmpp::muc_reason(payload.child_text("reason"));
    const auto fill = [&](Element& element) {
        element.add(moderated);
        if (!reason.empty()) element.add_text_child("reason", reason);
    };
    RoomChange change{.request = request};
    change.moderation.emplace();
    change.moderation->stanza_id = id;
    change.moderation->tombstone = Element("retracted", xmpp::ns::retraction);
    fill(change.moderation->tombstone);

    Stanza told = Stanza::message(xmpp::MessageType::groupchat);
    told.set_from(parts_.jid);
    told.set_id("moderated-" + id);
    Element& retract = told.edit().add_child("retract", xmpp::ns::retraction);
    retract.set_attribute("id", id);
    fill(retract);
    change.reflection =
        Reflection{.stanza = std::move(told),
                   .speaker = user,
                   .item = xmpp::muc_user_element({.affiliation = affiliations_.of(user),
                                                   .role = MucRole::moderator,
                                                   .jid = user.text()}),
                   .archived = true};
    return change;
}

// Only what the same occupant said.
void Room::forget_retracted(const Stanza& retraction) {
    const Element* retract = retraction.child("retract", xmpp::ns::retraction);
    const std::string_view occupant = occupant_id_of(retraction);
    if (retract != nullptr && !occupant.empty())
        history_.remove(parts_.jid, retract->attribute("id"), occupant);
}

}  // namespace server::modules::muc
