// Room: invitations that it passes on (XEP-0045 §7.8.2) and requests for voice (§7.13, §8.6).
#include "server/modules/muc/room.h"

#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Element;
using xmpp::FieldType;
using xmpp::Jid;
using xmpp::Stanza;
using xmpp::StanzaError;

constexpr std::string_view kRequest = "http://jabber.org/protocol/muc#request";

// §8.6: the form by which a moderator grants voice.
xmpp::DataForm approval_form(const Occupant& visitor, const Jid& jid) {
    xmpp::DataForm form;
    form.title = "Voice request";
    form.instructions.emplace_back(
        "To approve this request for voice, select the \"Grant voice to this person?\" checkbox "
        "and click OK. To skip this request, click the cancel button.");
    form.set_form_type(kRequest);
    form.add(FieldType::list_single, "muc#role", "participant").label = "Requested role";
    form.fields.back().options.push_back({.value = "participant", .label = "Participant"});
    form.add(FieldType::jid_single, "muc#jid", jid.text()).label = "User ID";
    form.add(FieldType::text_single, "muc#roomnick", visitor.nick).label = "Room Nickname";
    form.add(FieldType::boolean, "muc#request_allow", "false").label =
        "Grant voice to this person?";
    return form;
}

}  // namespace

Outcome Room::on_invites(const Stanza& message, xmpp::MucMediated mediated, Effects& effects) {
    const Occupant* sender = occupant_of(*message.from());
    if (sender == nullptr) {
        refuse(message, StanzaError::not_acceptable("you are not in the room"), effects);
        return {};
    }
    const MucAffiliation affiliation = affiliations_.of(sender->user());
    const bool edits_members = may(affiliation, AffiliationPrivilege::edit_member_list);
    const bool allowed = may(sender->role, RolePrivilege::invite) &&
                         (!config_.members_only || edits_members ||
                          (config_.invites_open && affiliation >= MucAffiliation::member));
    const bool invites_outcast = std::ranges::any_of(mediated.invites, [&](const auto& invite) {
        return affiliations_.of(invite.to) == MucAffiliation::outcast;
    });
    if (!allowed || invites_outcast || locked_) {
        refuse(message, StanzaError::forbidden(), effects);
        return {};
    }
    RoomChange change{.request = message};
    // §9.5: in a members-only room an invitation makes a member, in others it must not.
    if (config_.members_only)
        for (const xmpp::MucInvite& invite : mediated.invites)
            if (affiliations_.of(invite.to) == MucAffiliation::none)
                change.affiliations.push_back(
                    {.jid = invite.to.bare(), .affiliation = MucAffiliation::member});
    change.invites = std::move(mediated.invites);
    return change;
}

// In a semi-anonymous room the inviter is known by nick, even to who is invited.
void Room::send_invite(const xmpp::MucInvite& invite, const Jid& from, std::string_view id,
                       Effects& effects) const {
    Stanza message = Stanza::message(xmpp::MessageType::normal);
    message.set_from(parts_.jid);
    if (!id.empty()) message.set_id(id);
    Element x("x", xmpp::ns::muc_user);
    Element& element = x.add_child("invite");
    const Occupant* inviter = occupant_of(from);
    if (config_.anonymous && inviter != nullptr) {
        element.set_attribute("from", occupant_jid(inviter->nick).text());
    } else {
        element.set_attribute("from", from.bare_view());
    }
    if (!invite.reason.empty()) element.add_text_child("reason", invite.reason);
    if (invite.continues) {
        Element& going_on = element.add_child("continue");
        if (!invite.thread.empty()) going_on.set_attribute("thread", invite.thread);
    }
    if (!config_.password.empty()) x.add_text_child("password", config_.password);
    message.edit().add(std::move(x));
    send(std::move(message), invite.to, effects);
}

// To somebody who belongs here: nobody makes the room write to strangers.
void Room::on_decline(const Stanza& message, const xmpp::MucDecline& decline,
                      Effects& effects) const {
    std::vector<Jid> to;
    if (decline.to.same_bare(parts_.jid)) {
        if (const Occupant* inviter = find_nick(decline.to.resource())) to = clients_of(*inviter);
    } else {
        const bool belongs = affiliations_.of(decline.to) >= MucAffiliation::member ||
                             std::ranges::any_of(occupants_, [&](const Occupant& occupant) {
                                 return occupant.user().same_bare(decline.to);
                             });
        if (belongs) to = {decline.to};
    }
    if (to.empty())
        return refuse(message, StanzaError::item_not_found("nobody here has that address"),
                      effects);
    Stanza answer = Stanza::message(xmpp::MessageType::normal);
    answer.set_from(parts_.jid);
    if (!message.id().empty()) answer.set_id(message.id());
    Element x("x", xmpp::ns::muc_user);
    Element& element = x.add_child("decline");
    element.set_attribute("from", message.from()->bare_view());
    if (!decline.reason.empty()) element.add_text_child("reason", decline.reason);
    answer.edit().add(std::move(x));
    effects.push_back({.stanza = std::move(answer), .to = std::move(to)});
}

Outcome Room::on_voice_form(const Stanza& message, const base::Result<xmpp::DataForm>& form,
                            Effects& effects) {
    const Occupant* sender = occupant_of(*message.from());
    if (sender == nullptr) {
        refuse(message, StanzaError::not_acceptable("you are not in the room"), effects);
        return {};
    }
    if (!form || form->type == xmpp::FormType::form || form->type == xmpp::FormType::result ||
        (form->type == xmpp::FormType::submit && form->form_type() != kRequest)) {
        refuse(message, StanzaError::bad_request(), effects);
        return {};
    }
    if (form->type == xmpp::FormType::cancel) return {};
    const auto role = xmpp::parse_muc_role(form->value("muc#role").value_or(""));
    if (form->find("muc#request_allow") == nullptr) {
        if (role != MucRole::participant) {
            refuse(message, StanzaError::bad_request("only voice can be asked for"), effects);
        } else if (sender->role == MucRole::visitor && !moderators().empty()) {
            Stanza request = Stanza::message(xmpp::MessageType::normal);
            request.set_from(parts_.jid);
            request.edit().add(approval_form(*sender, *message.from()).to_element());
            effects.push_back({.stanza = std::move(request), .to = moderators()});
        }
        return {};
    }
    if (sender->role != MucRole::moderator) {
        refuse(message, StanzaError::forbidden(), effects);
        return {};
    }
    const bool allows =
        xmpp::parse_form_boolean(form->value("muc#request_allow").value_or("")).value_or(false);
    const Occupant* visitor = find_nick(form->value("muc#roomnick").value_or(""));
    // Meanwhile gone, or heard already.
    if (!allows || visitor == nullptr || visitor->role != MucRole::visitor) return {};
    RoomChange change{.request = message};
    keep_role(change, visitor->user(), MucRole::participant);
    change.roles.push_back({.role = MucRole::participant, .nick = visitor->nick});
    return change;
}

}  // namespace server::modules::muc
