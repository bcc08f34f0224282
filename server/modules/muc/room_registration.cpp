// Room: registering with it (XEP-0045 §7.10): an open room makes a member of who asks, with a nick
// that is theirs alone. Where membership says something, it is the admins' to give: they add
// members, or approve of those who ask (room_approval.cpp).
#include "server/modules/muc/room.h"

#include "xmpp/core/namespaces.h"

#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Element;
using xmpp::FieldType;
using xmpp::Jid;
using xmpp::Stanza;
using xmpp::StanzaError;

}  // namespace

std::optional<StanzaError> Room::refuse_registration(const Jid& user) const {
    const MucAffiliation affiliation = affiliations_.of(user);
    if (affiliation >= MucAffiliation::member) return std::nullopt;  // A nick, at most.
    const bool is_closed = config_.members_only || config_.moderated;
    if (!may(affiliation, AffiliationPrivilege::register_with_room) || locked_ ||
        (is_closed && !config_.registration_approved))
        return StanzaError::not_allowed();
    return std::nullopt;
}

base::Result<Element, StanzaError> Room::registration(const Jid& user) const {
    Element query("query", xmpp::ns::registration);
    const Affiliated* known = affiliations_.find(user);
    if (known != nullptr && known->affiliation >= MucAffiliation::member && !known->nick.empty()) {
        query.add_child("registered");
        query.add_text_child("username", known->nick);
        return query;
    }
    if (auto refusal = refuse_registration(user)) return std::unexpected(*std::move(refusal));
    // Who has asked and hears nothing sees that it was understood, and may ask for another nick.
    const RegistrationRequest* waiting = requests_.of(user);
    const std::string instructions =
        waiting != nullptr ? "Your registration waits for an admin of this room to approve it."
                           : "Choose the nick that is to be yours in this room.";
    xmpp::DataForm form;
    form.title = "Registration with " + std::string(parts_.jid.local());
    form.instructions.push_back(instructions);
    form.set_form_type(kRegisterForm);
    xmpp::FormField& nick = form.add(FieldType::text_single, kRegisterNickField);
    nick.values.clear();
    nick.label = "Desired Nickname";
    nick.required = true;
    if (waiting != nullptr) nick.values.push_back(waiting->nick);
    query.add_text_child("instructions", instructions);
    query.add(form.to_element());
    return query;
}

base::Result<RoomChange, StanzaError> Room::judge_registration(const Stanza& request) const {
    const Jid& user = *request.from();
    const Element& query = *request.payload();
    RoomChange change{.request = request};
    const Affiliated* known = affiliations_.find(user);
    if (query.child("remove") != nullptr) {
        if (requests_.of(user) != nullptr) {
            change.requests.push_back({.jid = user.bare()});
            return change;
        }
        if (known == nullptr || known->affiliation == MucAffiliation::outcast)
            return std::unexpected(StanzaError::registration_required());
        // An admin or owner stays one, without the nick.
        Affiliated entry = *known;
        entry.nick.clear();
        entry.version = 0;
        if (entry.affiliation == MucAffiliation::member) entry.affiliation = MucAffiliation::none;
        change.affiliations.push_back(std::move(entry));
        return change;
    }
    if (auto refusal = refuse_registration(user)) return std::unexpected(*std::move(refusal));
    const Element* x = query.child("x", xmpp::ns::data_forms);
    const auto form = x == nullptr
                          ? base::Result<xmpp::DataForm>(base::fail(base::Errc::invalid_argument))
                          : xmpp::DataForm::parse(*x);
    if (!form || form->type == xmpp::FormType::form || form->type == xmpp::FormType::result)
        return std::unexpected(StanzaError::bad_request("a form is missing"));
    if (form->type == xmpp::FormType::cancel) return change;
    if (form->form_type() != kRegisterForm)
        return std::unexpected(StanzaError::bad_request("that is another form"));
    const std::string_view wanted = form->value(kRegisterNickField).value_or("");
    const auto prepared = parts_.jid.with_resource(wanted);
    if (wanted.empty() || !prepared)
        return std::unexpected(StanzaError::bad_request("a nick is missing"));
    if (auto refusal = refuse_nick(user, prepared->resource()))
        return std::unexpected(*std::move(refusal));
    if (config_.registration_approved && affiliations_.of(user) < MucAffiliation::member)
        return judge_request(request, std::string(prepared->resource()));
    if (known == nullptr && affiliations_.size() >= parts_.limits.affiliations_max)
        return std::unexpected(StanzaError::resource_constraint("too many affiliations"));
    Affiliated entry = known != nullptr ? *known : Affiliated{.jid = user.bare()};
    if (entry.affiliation < MucAffiliation::member) entry.affiliation = MucAffiliation::member;
    entry.nick = prepared->resource();
    entry.version = 0;
    change.affiliations.push_back(std::move(entry));
    return change;
}

}  // namespace server::modules::muc
