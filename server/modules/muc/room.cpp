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
    for (RegistrationRequest& request : stored.requests)
        requests_.put(std::move(request));
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

std::optional<std::size_t> Room::place_of(std::string_view nick) const {
    const std::string key = nick_key(nick);
    const std::uint32_t hash = hash_of_nick(key);
    for (std::size_t place = 0; place < occupants_.size(); ++place)
        if (occupants_[place].nick_hashes.key == hash && nick_key(occupants_[place].nick) == key)
            return place;
    return std::nullopt;
}

Occupant* Room::find_nick(std::string_view nick) {
    const auto place = place_of(nick);
    return place ? &occupants_[*place] : nullptr;
}

const Occupant* Room::find_nick(std::string_view nick) const {
    const auto place = place_of(nick);
    return place ? &occupants_[*place] : nullptr;
}

std::size_t Room::index_of(const Occupant& occupant) const {
    return static_cast<std::size_t>(&occupant - occupants_.data());
}

// Of somebody who may be in the room with several clients; the highest role counts. Admins and
// owners have their powers from outside as well.
Standing Room::standing_of(const Jid& user) const {
    Standing standing{.affiliation = affiliations_.of(user), .role = MucRole::none};
    for (const Occupant& occupant : occupants_)
        if (occupant.user().same_bare(user)) standing.role = std::max(standing.role, occupant.role);
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
    const Occupant* other = occupant_of_user(user);
    return other == nullptr ? std::string() : other->nick;
}

const Occupant* Room::occupant_of_user(const Jid& user) const {
    const auto found = std::ranges::find_if(
        occupants_, [&](const Occupant& occupant) { return occupant.user().same_bare(user); });
    return found == occupants_.end() ? nullptr : &*found;
}

void Room::set_version(std::int64_t version) {
    affiliations_.set_versions(version, version);
    affiliations_.number_all();
}

Occupant& Room::add_occupant(const std::string& nick, MucRole role, OccupantSession session) {
    // Many rooms are small: twice the place would be much.
    constexpr std::size_t kGrowth = 4;
    if (occupants_.size() == occupants_.capacity())
        occupants_.reserve(occupants_.size() + occupants_.size() / kGrowth + 1);
    Occupant& added =
        occupants_.emplace_back(Occupant{.nick = nick,
                                         .nick_hashes = hashes_of_nick(nick),
                                         .role = role,
                                         .id = parts_.ids.of(parts_.jid, session.jid)});
    add_session(added, std::move(session));
    return added;
}

void Room::add_session(Occupant& occupant, OccupantSession session) {
    occupant.sessions.push_back(std::move(session));
    ++sessions_;
    listeners_.reset();
}

void Room::restore(const std::string& nick, MucRole role, Jid client, std::string presence) {
    if (find_session(client) != nullptr) return;
    OccupantSession session{.jid = std::move(client),
                            .presence = parts_.texts.share(std::move(presence))};
    Occupant* known = find_nick(nick);
    if (known == nullptr) {
        add_occupant(nick, role, std::move(session));
    } else if (known->user().same_bare(session.jid) && known->sessions.size() < kSessionsMax) {
        add_session(*known, std::move(session));
    }
}

}  // namespace server::modules::muc
