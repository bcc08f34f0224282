// Room: registrations that its admins approve of or not (XEP-0045 §9.9). A request is kept until
// somebody has decided it or it is taken back; whoever of the staff enters meanwhile is shown it
// again. An answer names user and nick: one that is late cannot mean somebody else.
#include "server/modules/muc/room.h"

#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::DataForm;
using xmpp::FieldType;
using xmpp::FormType;
using xmpp::Jid;
using xmpp::Stanza;
using xmpp::StanzaError;

constexpr std::string_view kAllowField = "muc#register_allow";
// Who it is has no registered field (XEP-0068 §3.4).
constexpr std::string_view kJidField = "{urn:parley:rooms}jid";

DataForm approval_form(const RegistrationRequest& request) {
    DataForm form;
    form.title = "Registration request";
    form.instructions.emplace_back(
        "To approve this registration request, select the \"Allow this person to register with "
        "the room?\" checkbox and click OK. To skip this request, click the cancel button.");
    form.set_form_type(kRegisterForm);
    form.add(FieldType::jid_single, kJidField, request.jid.text()).label = "User ID";
    form.fields.back().required = true;
    form.add(FieldType::text_single, kRegisterNickField, request.nick).label = "Desired Nickname";
    form.fields.back().required = true;
    form.add(FieldType::boolean, kAllowField, "0").label =
        "Allow this person to register with the room?";
    return form;
}

Stanza approval_message(const Jid& room, const RegistrationRequest& request) {
    Stanza message = Stanza::message(xmpp::MessageType::normal);
    message.set_from(room);
    message.edit().add(approval_form(request).to_element());
    return message;
}

}  // namespace

// --- asking

// Asking again for the same bothers nobody.
base::Result<RoomChange, StanzaError> Room::judge_request(const Stanza& request,
                                                          std::string nick) const {
    const Jid user = request.from()->bare();
    RoomChange change{.request = request};
    const RegistrationRequest* own = requests_.of(user);
    if (own != nullptr && own->nick == nick) return change;
    const RegistrationRequest* same = requests_.for_nick(nick);
    if (same != nullptr && same != own) return std::unexpected(StanzaError::conflict());
    if (own == nullptr && requests_.full())
        return std::unexpected(StanzaError::resource_constraint("too many requests are waiting"));
    change.requests.push_back({.jid = user, .nick = std::move(nick)});
    return change;
}

void Room::apply_request(RegistrationRequest request, Effects& effects) {
    if (!request.nick.empty()) {
        RoomStaff staff = affiliations_.staff();
        std::vector<Jid> asked = std::move(staff.owners);
        std::ranges::move(staff.admins, std::back_inserter(asked));
        if (asked.size() > kAskedMax) asked.erase(asked.begin() + kAskedMax, asked.end());
        for (const Jid& one : asked)
            send(approval_message(parts_.jid, request), one, effects);
    }
    requests_.put(std::move(request));
}

void Room::send_requests(const Jid& to, Effects& effects) const {
    for (const RegistrationRequest& request : requests_.all())
        send(approval_message(parts_.jid, request), to, effects);
}

// --- deciding

// Whoever cancels a form skips the request, and says only that it was a form.
bool Room::is_approval(const Stanza& message, const DataForm& form) const {
    return form.form_type() == kRegisterForm ||
           (form.type == FormType::cancel &&
            affiliations_.of(*message.from()) >= MucAffiliation::admin);
}

// Admins need not be in the room.
Outcome Room::on_approval(const Stanza& message, const DataForm& form, Effects& effects) {
    if (affiliations_.of(*message.from()) < MucAffiliation::admin) {
        refuse(message, StanzaError::forbidden(), effects);
        return {};
    }
    if (form.type == FormType::cancel) return {};
    auto change = judge_approval(message, form);
    if (change) return *std::move(change);
    refuse(message, change.error(), effects);
    return {};
}

base::Result<RoomChange, StanzaError> Room::judge_approval(const Stanza& message,
                                                           const DataForm& form) const {
    const auto user = Jid::parse(form.value(kJidField).value_or(""));
    const auto nick = parts_.jid.with_resource(form.value(kRegisterNickField).value_or(""));
    const auto allows = xmpp::parse_form_boolean(form.value(kAllowField).value_or(""));
    if (form.type != FormType::submit || !user || !nick || !nick->is_full() || !allows)
        return std::unexpected(StanzaError::bad_request("user, nick or decision is missing"));
    const RegistrationRequest* request = requests_.of(*user);
    if (request == nullptr || request->nick != nick->resource())
        return std::unexpected(StanzaError::item_not_found("there is no such request any more"));
    RoomChange change{.request = message};
    change.requests.push_back({.jid = request->jid});
    if (!*allows) return change;
    if (!may(affiliations_.of(request->jid), AffiliationPrivilege::register_with_room))
        return std::unexpected(StanzaError::not_allowed("that user is banned"));
    if (auto refusal = refuse_nick(request->jid, request->nick))
        return std::unexpected(*std::move(refusal));
    add_affiliation(
        change,
        {.jid = request->jid, .affiliation = MucAffiliation::member, .nick = request->nick});
    if (auto refusal = finish_lists(change)) return std::unexpected(*std::move(refusal));
    return change;
}

}  // namespace server::modules::muc
