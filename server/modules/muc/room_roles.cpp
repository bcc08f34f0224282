// Room: roles over visits (XEP-0045 §5.1), and how fast its occupants may speak.
#include "server/modules/muc/room.h"

#include <utility>

namespace server::modules::muc {

using xmpp::Jid;

MucRole Room::role_on_entry(const Jid& user) const {
    const MucAffiliation affiliation = affiliations_.of(user);
    const MucRole usual = initial_role(affiliation, config_.moderated, config_.members_only);
    // §5.1.2: admins and owners are moderators, always.
    if (usual == MucRole::none || !config_.moderated || affiliation >= MucAffiliation::admin)
        return usual;
    return kept_roles_.of(user).value_or(usual);
}

// A kick is no role: who comes back begins anew.
void Room::keep_role(RoomChange& change, const Jid& user, MucRole role) const {
    if (!config_.moderated) return;
    const bool is_usual = role == MucRole::none ||
                          role == initial_role(affiliations_.of(user), true, config_.members_only);
    if (is_usual && !kept_roles_.of(user)) return;
    change.kept_roles.push_back({.jid = user.bare(), .role = is_usual ? MucRole::none : role});
}

// Those who run the room are not slowed down by it.
bool Room::within_pace(const Jid& user, base::MonotonicTime now) {
    Occupant* occupant = find_session(user);
    if (occupant == nullptr || affiliations_.of(occupant->user()) >= MucAffiliation::admin)
        return true;
    return occupant->pace.try_take(parts_.limits.occupant_pace, 1, now) &&
           pace_.try_take(parts_.limits.room_pace, 1, now);
}

}  // namespace server::modules::muc
