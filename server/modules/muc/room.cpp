#include "server/modules/muc/room.h"

#include "reactor/base/check.h"
#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Jid;

bool has_session(const Occupant& occupant, const Jid& full) {
    return std::ranges::find(occupant.sessions, full, &OccupantSession::jid) !=
           occupant.sessions.end();
}

}  // namespace

Room::Room(Parts parts, Stored stored)
    : parts_(std::move(parts)),
      config_(std::move(stored.config)),
      subject_(std::move(stored.subject)),
      avatar_hashes_(std::move(stored.avatar_hashes)) {
    for (Affiliated& entry : stored.affiliations)
        affiliations_.put(std::move(entry));
    affiliations_.set_versions(stored.version, stored.forgotten);
    for (const KeptRole& kept : stored.roles)
        kept_roles_.put(kept);
    hats_ = std::move(stored.hats);
}

Room Room::make_new(Parts parts, const RoomConfig& config, const Jid& owner) {
    Room room(std::move(parts), {.config = config, .subject = {}, .affiliations = {}});
    room.affiliations_.put({.jid = owner.bare(), .affiliation = MucAffiliation::owner});
    room.locked_ = true;
    return room;
}

Jid Room::occupant_jid(std::string_view nick) const {
    auto jid = parts_.jid.with_resource(nick);
    CHECK(jid.has_value());  // Nicks are resources that were prepared.
    return *std::move(jid);
}

Occupant* Room::find_session(const Jid& full) {
    const auto found = std::ranges::find_if(
        occupants_, [&](const Occupant& occupant) { return has_session(occupant, full); });
    return found == occupants_.end() ? nullptr : &*found;
}

const Occupant* Room::occupant_of(const Jid& full) const {
    const auto found = std::ranges::find_if(
        occupants_, [&](const Occupant& occupant) { return has_session(occupant, full); });
    return found == occupants_.end() ? nullptr : &*found;
}

Occupant* Room::find_nick(std::string_view nick) {
    const auto found = std::ranges::find(occupants_, nick_key(nick), &Occupant::key);
    return found == occupants_.end() ? nullptr : &*found;
}

const Occupant* Room::find_nick(std::string_view nick) const {
    const auto found = std::ranges::find(occupants_, nick_key(nick), &Occupant::key);
    return found == occupants_.end() ? nullptr : &*found;
}

std::size_t Room::index_of(const Occupant& occupant) const {
    return static_cast<std::size_t>(&occupant - occupants_.data());
}

// Of somebody who may be in the room with several clients; the highest role counts. Admins and
// owners have their powers from outside as well.
Standing Room::standing_of(const Jid& user) const {
    Standing standing{.affiliation = affiliations_.of(user), .role = MucRole::none};
    for (const Occupant& occupant : occupants_)
        if (occupant.jid.same_bare(user)) standing.role = std::max(standing.role, occupant.role);
    if (standing.affiliation >= MucAffiliation::admin) standing.role = MucRole::moderator;
    return standing;
}

bool Room::may_enter(const Jid& user) const {
    if (locked_) return affiliations_.of(user) == MucAffiliation::owner;
    return initial_role(affiliations_.of(user), config_.moderated, config_.members_only) !=
           MucRole::none;
}

bool Room::sees_addresses(const Jid& user) const {
    return !config_.anonymous || standing_of(user).role == MucRole::moderator;
}

std::string Room::nick_of(const Jid& user) const {
    if (const Occupant* exact = occupant_of(user)) return exact->nick;
    for (const Occupant& occupant : occupants_)
        if (occupant.jid.same_bare(user)) return occupant.nick;
    return {};
}

void Room::set_version(std::int64_t version) {
    affiliations_.set_versions(version, version);
    affiliations_.number_all();
}

void Room::restore(Occupant occupant) {
    if (find_nick(occupant.nick) != nullptr || occupant.sessions.empty()) return;
    sessions_ += occupant.sessions.size();
    occupants_.push_back(std::move(occupant));
}

}  // namespace server::modules::muc
