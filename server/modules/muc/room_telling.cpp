// Room: what its occupants are told (XEP-0045 §7.2.2 to §7.2.4, §14.2): presence with role and
// affiliation, with the real address for those who may see it, with code 110 for oneself.
#include "server/modules/muc/room.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/writer.h"

#include <utility>

namespace server::modules::muc {

using xmpp::Jid;
using xmpp::MucStatus;
using xmpp::Stanza;

std::vector<Jid> Room::clients_of(const Occupant& occupant) {
    std::vector<Jid> jids;
    for (const OccupantSession& session : occupant.sessions)
        jids.push_back(session.jid);
    return jids;
}

std::vector<Jid> Room::everybody() const {
    std::vector<Jid> jids;
    jids.reserve(sessions_);
    for (const Occupant& occupant : occupants_)
        for (const OccupantSession& session : occupant.sessions)
            if (!is_entering(session.jid)) jids.push_back(session.jid);
    return jids;
}

std::shared_ptr<const std::vector<Jid>> Room::listeners() {
    if (listeners_ == nullptr) listeners_ = std::make_shared<const std::vector<Jid>>(everybody());
    return listeners_;
}

std::vector<Jid> Room::moderators() const {
    std::vector<Jid> jids;
    for (const Occupant& occupant : occupants_) {
        if (occupant.role != MucRole::moderator) continue;
        for (const OccupantSession& session : occupant.sessions)
            jids.push_back(session.jid);
    }
    return jids;
}

void Room::send(Stanza stanza, const Jid& to, Effects& effects) const {
    effects.push_back({.stanza = std::move(stanza), .to = {to}});
}

void Room::refuse(const Stanza& request, const xmpp::StanzaError& error, Effects& effects) const {
    if (!request.may_answer_with_error()) return;
    xmpp::StanzaError by_room = error;
    // What the examples of §7 show: which room it was, and what was refused; §8.4 wants the
    // offending items.
    const bool shows = request.is_message() || request.payload()->ns() == xmpp::ns::muc_admin;
    Stanza reply = request.reply_error(std::move(by_room).with_by(parts_.jid), shows);
    const Jid to = *request.from();
    send(std::move(reply), to, effects);
}

// The content is bytes: what the client said, and ours behind it. The tree has ours alone.
Stanza Room::presence_of(const Occupant& occupant, const OccupantSession& session,
                         bool with_address, const PresenceText& text, bool to_self) const {
    xmpp::MucItem item{.affiliation = affiliations_.of(occupant.user()),
                       .role = text.role.value_or(occupant.role),
                       .jid = with_address ? session.jid.text() : std::string(),
                       .nick = text.new_nick,
                       .reason = text.reason,
                       .actor_nick = text.actor_nick};
    std::vector<MucStatus> codes = text.codes;
    if (to_self) codes.push_back(MucStatus::self);
    xmpp::Element x = xmpp::muc_user_element(item, std::move(codes));
    if (text.destroy != nullptr) x.add(text.destroy->to_element());
    if (text.until != 0)
        x.add(xmpp::muc_versions_element(text.since == 0 ? "" : std::to_string(text.since),
                                         std::to_string(text.until)));

    xmpp::Element presence("presence", xmpp::ns::client);
    presence.set_attribute("from", occupant_jid(occupant.nick).text());
    if (text.leaves) presence.set_attribute("type", "unavailable");
    if (to_self && !text.id.empty()) presence.set_attribute("id", text.id);
    if (!session.lang.empty()) presence.set_lang(session.lang.view());
    std::string inner;
    if (text.last_words != nullptr) {
        inner = *text.last_words;
    } else if (!text.leaves) {
        inner = session.presence.view();
    }
    presence.add(std::move(x));
    presence.add(OccupantIds::element_of(occupant.id));
    if (auto hats = text.leaves ? std::nullopt : hats_.element_of(occupant.user()))
        presence.add(*std::move(hats));
    for (const xmpp::Element& child : presence.children())
        append_xml(inner, child, xmpp::ns::client);
    return *Stanza::from_element(std::move(presence), base::SharedBytes(std::move(inner)));
}

// §7.1: whoever is still entering is told how it stands behind everybody else.
void Room::tell_self(const Occupant& occupant, const PresenceText& text, Effects& effects) const {
    std::vector<Jid> to = clients_of(occupant);
    if (!text.leaves) std::erase_if(to, [&](const Jid& client) { return is_entering(client); });
    if (to.empty()) return;
    effects.push_back({.stanza = presence_of(occupant, occupant.sessions.back(), true, text, true),
                       .to = std::move(to)});
}

// §7.2.4: the address only to moderators, unless everybody may see it.
void Room::tell_others(const Occupant& occupant, const PresenceText& text, Effects& effects) {
    note_missed(occupant);
    std::vector<Jid> seeing;
    std::vector<Jid> others;
    for (const Occupant& other : occupants_) {
        if (&other == &occupant) continue;
        const bool sees = !config_.anonymous || other.role == MucRole::moderator;
        for (const OccupantSession& session : other.sessions)
            if (!is_entering(session.jid)) (sees ? seeing : others).push_back(session.jid);
    }
    const OccupantSession& shown = occupant.sessions.back();
    if (!seeing.empty())
        effects.push_back(
            {.stanza = presence_of(occupant, shown, true, text, false), .to = std::move(seeing)});
    if (!others.empty())
        effects.push_back(
            {.stanza = presence_of(occupant, shown, false, text, false), .to = std::move(others)});
}

void Room::tell_all(const Occupant& occupant, const PresenceText& text, Effects& effects) {
    if (is_shown(occupant)) tell_others(occupant, text, effects);
    tell_self(occupant, text, effects);
}

}  // namespace server::modules::muc
