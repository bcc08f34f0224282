// Room: what it does by itself or by the operator's order, for nobody in it: letting go of an
// account that was removed, affiliations that the operator gives, the end of a room that its maker
// never configured (XEP-0045 §10.1.1).
#include "server/modules/muc/room.h"

#include <utility>

namespace server::modules::muc {

using xmpp::Jid;
using xmpp::StanzaError;

// As if the room had asked for it itself: nobody is answered, and no actor is named.
RoomChange Room::order() const {
    RoomChange change{.request = xmpp::Stanza::presence(xmpp::PresenceType::unavailable)};
    change.request.set_from(parts_.jid);
    return change;
}

// What was given goes; a ban or a voice that was taken stays, for whoever has that name next. With
// the last owner ownership goes to the admins. Without them the room goes on without an owner, as
// long as anybody could still enter.
RoomChange Room::judge_departure(const Jid& account) const {
    RoomChange change = order();
    change.departed = account.bare();
    if (kept_roles_.of(account) >= MucRole::participant)
        change.kept_roles.push_back({.jid = account.bare(), .role = MucRole::none});
    if (hats_.worn().contains(std::string(account.bare_view()))) {
        change.hats = hats_;
        change.hats->take_all_off(account);
    }
    if (requests_.of(account) != nullptr) change.requests.push_back({.jid = account.bare()});
    const Affiliated* known = affiliations_.find(account.bare());
    if (known == nullptr || known->affiliation < MucAffiliation::member) return change;
    change.affiliations.push_back({.jid = known->jid, .affiliation = MucAffiliation::none});
    if (known->affiliation == MucAffiliation::owner && affiliations_.owners() == 1) {
        for (const Affiliated* admin : affiliations_.list(MucAffiliation::admin)) {
            Affiliated heir = *admin;
            heir.affiliation = MucAffiliation::owner;
            heir.version = 0;
            change.affiliations.push_back(std::move(heir));
        }
    }
    const std::size_t members = affiliations_.list(MucAffiliation::member).size() +
                                affiliations_.list(MucAffiliation::admin).size() +
                                affiliations_.owners();
    if (config_.members_only && members == 1) {
        change = order();
        change.destruction.emplace();
        change.destruction->reason = "Its last member has gone.";
    }
    return change;
}

RoomChange Room::judge_expiry() const {
    RoomChange change = order();
    if (!locked_) return change;
    change.destruction.emplace();
    change.destruction->reason = "The room was not configured.";
    return change;
}

base::Result<RoomChange, StanzaError> Room::judge_order(
    std::vector<xmpp::MucChange> changes) const {
    if (locked_) return std::unexpected(StanzaError::item_not_found("there is no such room"));
    RoomChange change = order();
    for (const xmpp::MucChange& one : changes) {
        Affiliated entry = TRY(entry_of(one));
        add_affiliation(change, std::move(entry));
    }
    if (auto refusal = finish_lists(change)) return std::unexpected(*std::move(refusal));
    return change;
}

RoomChange Room::order_destruction(xmpp::MucDestroy destroy) const {
    RoomChange change = order();
    change.destruction = std::move(destroy);
    return change;
}

RoomChange Room::order_configuration(RoomConfig config) const {
    RoomChange change = order();
    change.config = std::move(config);
    change.unlocks = locked_;
    return change;
}

}  // namespace server::modules::muc
