// Room: messages to everybody with the subject among them (XEP-0045 §7.4, §8.1), private messages
// (§7.5) and errors that come back.
#include "server/modules/muc/room.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/message_class.h"
#include "xmpp/payloads/stanza_id.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Element;
using xmpp::Jid;
using xmpp::MessageType;
using xmpp::Stanza;
using xmpp::StanzaCondition;
using xmpp::StanzaError;

constexpr std::size_t kPrivateMessagesMax = 64;
constexpr std::int64_t kMicroseconds = 1'000'000;

bool is_delay_of(const Element& child, const Jid& room) {
    return child.is("delay", xmpp::ns::delay) && child.attribute("from") == room.text();
}

// What only the room says: roles and addresses, ids, stamps in its name. An original sender
// (XEP-0033) would be believed as the room's word.
bool is_forged(const Element& child, const Jid& room) {
    return child.ns() == xmpp::ns::muc_user || child.ns() == xmpp::ns::muc ||
           child.ns() == xmpp::ns::occupant_ids || child.ns() == kHatsNamespace ||
           child.is("addresses", xmpp::ns::address) || is_delay_of(child, room);
}

void strip(Stanza& message, const Jid& room) {
    const auto forged = [&](const Element& child) { return is_forged(child, room); };
    if (std::ranges::any_of(message.element().children(), forged))
        (void)message.edit().remove_children_if(forged);
    (void)xmpp::remove_stanza_ids(message, room);
}

// §8.1: a subject, and neither body nor thread.
bool changes_subject(const Stanza& message) {
    return message.child("subject", xmpp::ns::client) != nullptr && !message.has_body() &&
           message.child("thread", xmpp::ns::client) == nullptr;
}

}  // namespace

bool Room::means_gone(const std::optional<StanzaError>& error) {
    if (!error) return true;
    switch (error->condition()) {
        case StanzaCondition::gone:
        case StanzaCondition::item_not_found:
        case StanzaCondition::recipient_unavailable:
        case StanzaCondition::redirect:
        case StanzaCondition::remote_server_not_found:
        case StanzaCondition::remote_server_timeout:
        case StanzaCondition::service_unavailable:
            return true;
        default:
            return false;
    }
}

Outcome Room::on_message(const Stanza& message, base::WallTime now, Effects& effects) {
    if (message.is_error()) {
        on_error(message, effects);
        return {};
    }
    if (message.to()->is_full()) {
        on_private_message(message, effects);
        return {};
    }
    if (message.message_type() == MessageType::groupchat)
        return on_groupchat(message, now, effects);
    return on_room_message(message, effects);
}

// --- to everybody

Outcome Room::on_groupchat(const Stanza& message, base::WallTime now, Effects& effects) {
    Occupant* speaker = find_session(*message.from());
    if (speaker == nullptr) {
        refuse(message, StanzaError::not_acceptable("you are not in the room"), effects);
        return {};
    }
    if (changes_subject(message)) {
        const bool allowed = may(speaker->role, RolePrivilege::modify_subject) ||
                             (config_.subject_open && speaker->role == MucRole::participant);
        if (!allowed) {
            refuse(message, StanzaError::forbidden(), effects);
            return {};
        }
        Reflection said = reflection_of(*speaker, message);
        RoomChange change{.request = message};
        change.subject = RoomSubject{.xml = said.stanza.to_xml(), .at = now};
        if (change.subject->xml.size() > kSubjectBytesMax) {
            refuse(message, StanzaError::policy_violation("the subject is too long"), effects);
            return {};
        }
        change.reflection = std::move(said);
        return change;
    }
    if (!may(speaker->role, RolePrivilege::send_messages)) {
        refuse(message, StanzaError::forbidden(), effects);
        return {};
    }
    // XEP-0500: only what has a body counts; admins and owners are free.
    if (config_.slow_mode_seconds > 0 && message.has_body() &&
        affiliations_.of(speaker->user()) < MucAffiliation::admin) {
        const std::int64_t pause = std::int64_t{config_.slow_mode_seconds} * kMicroseconds;
        if (now.microseconds - speaker->spoke_at.microseconds < pause) {
            refuse(message,
                   StanzaError::policy_violation("You have exceeded the limit imposed by the slow "
                                                 "mode in this room. You have to wait.")
                       .with_type(xmpp::ErrorType::wait),
                   effects);
            return {};
        }
        speaker->spoke_at = now;
    }
    return reflection_of(*speaker, message);
}

Reflection Room::reflection_of(const Occupant& speaker, const Stanza& message) const {
    Reflection said{
        .stanza = message,
        .speaker = *message.from(),
        .item = xmpp::muc_user_element({.affiliation = affiliations_.of(speaker.user()),
                                        .role = speaker.role,
                                        .jid = message.from()->text()}),
        .archived = config_.archived && !locked_ && xmpp::is_worth_archiving_in_room(message)};
    strip(said.stanza, parts_.jid);
    said.stanza.set_from(occupant_jid(speaker.nick));
    said.stanza.clear_to();
    said.stanza.append_child(OccupantIds::element_of(speaker.id));
    return said;
}

void Room::reflect(Reflection said, base::WallTime at, std::string_view stanza_id,
                   Effects& effects) {
    if (!stanza_id.empty())
        said.stanza.append_child(xmpp::stanza_id_element(stanza_id, parts_.jid));
    said.stanza.share_content();
    forget_retracted(said.stanza);
    // §7.2.13: the subject is no part of the history.
    if (xmpp::is_worth_archiving_in_room(said.stanza) && !changes_subject(said.stanza))
        history_.add(said.stanza, at, history_max());
    // A moderation may come from outside.
    if (sessions_ > 0)
        effects.push_back({.stanza = std::move(said.stanza), .to_all = listeners()});
}

// --- to one

void Room::on_private_message(const Stanza& message, Effects& effects) {
    const Occupant* sender = occupant_of(*message.from());
    if (message.message_type() == MessageType::groupchat)
        return refuse(message, StanzaError::bad_request("a private message is no groupchat"),
                      effects);
    if (sender == nullptr)
        return refuse(message, StanzaError::not_acceptable("you are not in the room"), effects);
    const Occupant* target = find_nick(message.to()->resource());
    if (target == nullptr)
        return refuse(message, StanzaError::item_not_found("nobody here has that nick"), effects);
    constexpr MucRole kLeast[] = {MucRole::visitor, MucRole::participant, MucRole::moderator};
    const bool allowed =
        config_.private_messages != PrivateMessages::none &&
        sender->role >= kLeast[static_cast<std::size_t>(config_.private_messages)] &&
        may(sender->role, RolePrivilege::send_private_messages);
    if (!allowed) return refuse(message, StanzaError::forbidden(), effects);
    Stanza copy = message;
    strip(copy, parts_.jid);
    copy.set_from(occupant_jid(sender->nick));
    copy.append_child(Element("x", xmpp::ns::muc_user));
    copy.append_child(OccupantIds::element_of(sender->id));
    copy.share_content();
    for (const OccupantSession& session : target->sessions)
        remember_sent({.to = session.jid,
                       .from = *message.from(),
                       .id = std::string(message.id()),
                       .nick = target->nick});
    effects.push_back({.stanza = std::move(copy), .to = clients_of(*target), .passes_on = true});
}

void Room::remember_sent(PrivateMessage sent) {
    private_messages_.push_back(std::move(sent));
    if (private_messages_.size() > kPrivateMessagesMax) private_messages_.pop_front();
}

// A private message or an invitation that was refused goes back to who sent it; that tells nothing
// of the room. Whoever cannot take a message of the room is not there any more (§16.2).
void Room::on_error(const Stanza& message, Effects& effects) {
    const Jid& user = *message.from();
    const auto what = message.error();
    if (!what) return;
    const auto sent = std::ranges::find_if(private_messages_, [&](const PrivateMessage& one) {
        return one.to == user && one.id == message.id();
    });
    if (sent == private_messages_.end()) {
        if (find_session(user) != nullptr && means_gone(what))
            leave(message, nullptr, Removal::error, effects);
        return;
    }
    const bool was_invitation = sent->nick.empty();
    Stanza error = Stanza::message(MessageType::error);
    error.set_from(was_invitation ? parts_.jid : occupant_jid(sent->nick));
    if (!sent->id.empty()) error.set_id(sent->id);
    // §7.8.2: there is nobody of that address.
    const bool is_nobody =
        was_invitation && what->condition() == StanzaCondition::service_unavailable;
    error.edit().add(
        (is_nobody ? StanzaError::item_not_found() : StanzaError(what->type(), what->condition()))
            .to_element());
    send(std::move(error), sent->from, effects);
    private_messages_.erase(sent);
}

// --- to the room itself

Outcome Room::on_room_message(const Stanza& message, Effects& effects) {
    auto mediated = xmpp::parse_muc_mediated(message);
    if (!mediated) {
        refuse(message, mediated.error(), effects);
        return {};
    }
    if (*mediated) {
        if ((*mediated)->decline) {
            on_decline(message, *(*mediated)->decline, effects);
            return {};
        }
        return on_invites(message, **std::move(mediated), effects);
    }
    if (const Element* x = message.child("x", xmpp::ns::data_forms)) {
        const auto form = xmpp::DataForm::parse(*x);
        return form && is_approval(message, *form) ? on_approval(message, *form, effects)
                                                   : on_voice_form(message, form, effects);
    }
    refuse(message, StanzaError::bad_request("messages to everybody are of type groupchat"),
           effects);
    return {};
}

}  // namespace server::modules::muc
