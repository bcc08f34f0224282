// Room: roles over visits (XEP-0045 §5.1), and how fast its occupants may speak.
#include "server/modules/muc/room.h"

#include <algorithm>
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

// Those who run the room are not slowed down by it. The largest message there is may still be said
// at times.
bool Room::within_pace(const Jid& user, std::size_t bytes, bool to_all, base::MonotonicTime now) {
    constexpr std::size_t kUnitBytes = 1024;
    Occupant* occupant = find_session(user);
    if (occupant == nullptr || affiliations_.of(occupant->user()) >= MucAffiliation::admin)
        return true;
    const std::size_t weight =
        to_all ? std::max<std::size_t>(1, sessions_ / kListenersPerStanza) : 1;
    const std::uint64_t count = (1 + bytes / kUnitBytes) * weight;
    const auto takes = [&](reactor::Pace& pace, const reactor::PaceLimit& limit) {
        return pace.try_take(limit, std::min(count, limit.burst), now);
    };
    return takes(occupant->pace, parts_.limits.occupant_pace) &&
           takes(pace_, parts_.limits.room_pace);
}

}  // namespace server::modules::muc
