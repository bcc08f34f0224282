// Room: configuration (XEP-0045 §10.1, §10.2) and destruction (§10.9), which are its owners'.
#include "server/modules/muc/room.h"

#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Element;
using xmpp::Jid;
using xmpp::MucStatus;
using xmpp::Stanza;
using xmpp::StanzaError;

constexpr std::string_view kValidate = "http://jabber.org/protocol/xdata-validate";  // XEP-0122

// XEP-0500 §4.1.1: the duration is a number that is not negative.
void add_validation(Element& form) {
    for (Element& field : form.children()) {
        if (field.attribute("var") != "muc#roomconfig_slow_mode_duration") continue;
        Element& validate = field.add_child("validate", kValidate);
        validate.set_attribute("datatype", "xs:integer");
        validate.add_child("range").set_attribute("min", "0");
    }
}

}  // namespace

Element Room::owner_form() const {
    Element query("query", xmpp::ns::muc_owner);
    add_validation(query.add(
        room_form(config_, affiliations_.staff(), parts_.limits, parts_.jid.local()).to_element()));
    return query;
}

base::Result<RoomChange, StanzaError> Room::judge_owner(const Stanza& request) const {
    if (affiliations_.of(*request.from()) != MucAffiliation::owner)
        return std::unexpected(StanzaError::forbidden());
    auto wanted = TRY(xmpp::parse_muc_owner_set(*request.payload()));
    RoomChange change{.request = request};
    if (auto* destroy = std::get_if<xmpp::MucDestroy>(&wanted)) {
        change.destruction = std::move(*destroy);
        return change;
    }
    if (std::holds_alternative<xmpp::MucCancel>(wanted)) {
        // §10.1.3: a room that nobody configures is not made; §10.2: another stays as it is.
        if (locked_) change.destruction.emplace();
        return change;
    }
    return judge_form(request, std::get<xmpp::MucConfigure>(wanted).form);
}

// The lists of owners and admins are full ones (§10.5): who is missing loses the affiliation.
base::Result<RoomChange, StanzaError> Room::judge_form(const Stanza& request,
                                                       const xmpp::DataForm& form) const {
    RoomSubmission submitted = TRY(read_room_form(config_, form, parts_.limits));
    std::vector<xmpp::MucChange> changes;
    std::unordered_set<std::string> moved;
    const auto add = [&](MucAffiliation affiliation, const std::vector<Jid>& wanted) {
        for (const Jid& jid : wanted)
            if (affiliations_.of(jid) != affiliation && moved.insert(jid.text()).second)
                changes.push_back({.affiliation = affiliation, .jid = jid});
        for (const Affiliated* known : affiliations_.list(affiliation)) {
            if (std::ranges::binary_search(wanted, known->jid)) continue;
            // §10.2: who is no owner any more is an admin, unless that list says otherwise.
            const bool was_owner = affiliation == MucAffiliation::owner;
            const auto& admins = submitted.admins;
            const bool stays_admin =
                was_owner && (!admins || std::ranges::binary_search(*admins, known->jid));
            if (moved.insert(known->jid.text()).second)
                changes.push_back(
                    {.affiliation = stays_admin ? MucAffiliation::admin : MucAffiliation::member,
                     .jid = known->jid});
        }
    };
    if (submitted.owners) {
        if (submitted.owners->empty())
            return std::unexpected(StanzaError::conflict("a room must have an owner"));
        add(MucAffiliation::owner, *submitted.owners);
        // Who is in both lists is an owner.
        if (submitted.admins)
            std::erase_if(*submitted.admins, [&](const Jid& jid) {
                return std::ranges::binary_search(*submitted.owners, jid);
            });
    }
    if (submitted.admins) {
        if (!submitted.owners)
            std::erase_if(*submitted.admins, [&](const Jid& jid) {
                return affiliations_.of(jid) == MucAffiliation::owner;
            });
        add(MucAffiliation::admin, *submitted.admins);
    }
    RoomChange change = TRY(judge(request, std::move(changes)));
    if (submitted.config != config_ || locked_) change.config = std::move(submitted.config);
    change.unlocks = locked_;
    return change;
}

// §10.2.1: what bears on privacy has its own code, all else 104.
void Room::apply_config(const RoomConfig& config, Notices& notices) {
    const RoomConfig before = std::exchange(config_, config);
    history_.trim(history_max());
    if (config_.members_only && !before.members_only) {
        for (std::size_t i = occupants_.size(); i-- > 0;) {
            if (may_enter(occupants_[i].user())) continue;
            const PresenceText text{
                .codes = codes_of(Removal::members_only), .role = MucRole::none, .leaves = true};
            remove_occupant(i, text, notices.removed, notices.rest);
        }
    }
    if (!config_.moderated) kept_roles_.clear();
    if (before.moderated && !config_.moderated) {
        for (Occupant& occupant : occupants_) {
            if (occupant.role != MucRole::visitor) continue;
            occupant.role = MucRole::participant;
            tell_all(occupant, {}, notices.rest);
        }
    }
    std::vector<MucStatus> codes;
    if (config_.archived != before.archived)
        codes.push_back(config_.archived ? MucStatus::logged : MucStatus::no_longer_logged);
    if (config_.anonymous != before.anonymous)
        codes.push_back(config_.anonymous ? MucStatus::now_semi_anonymous
                                          : MucStatus::now_non_anonymous);
    RoomConfig rest = config_;
    rest.archived = before.archived;
    rest.anonymous = before.anonymous;
    if (rest != before) codes.push_back(MucStatus::configuration_changed);
    for (const MucStatus code : codes)
        tell_code(code, notices.rest);
}

void Room::tell_code(MucStatus code, Effects& effects) const {
    if (sessions_ == 0) return;
    Stanza message = Stanza::message(xmpp::MessageType::groupchat);
    message.set_from(parts_.jid);
    message.edit().add(xmpp::muc_status_element({code}));
    message.share_content();
    effects.push_back({.stanza = std::move(message), .to = everybody()});
}

// §10.9: one notice for each, of their own.
void Room::apply_destruction(const xmpp::MucDestroy& destroy, Effects& effects) {
    const PresenceText text{.role = MucRole::none, .destroy = &destroy, .leaves = true};
    for (const Occupant& occupant : occupants_)
        tell_self(occupant, text, effects);
    occupants_.clear();
    sessions_ = 0;
    listeners_.reset();
    destroyed_ = true;
}

}  // namespace server::modules::muc
