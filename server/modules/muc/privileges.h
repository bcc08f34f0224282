// Who may do what in a room: the tables of XEP-0045 §5, as tables. Values in, verdicts out; the
// room's configuration comes in as the facts that matter.
#pragma once

#include "xmpp/core/error.h"
#include "xmpp/payloads/muc.h"

#include <cstdint>
#include <optional>

namespace server::modules::muc {

using xmpp::MucAffiliation;
using xmpp::MucRole;

/// The rows of §5.1.1.
enum class RolePrivilege : std::uint8_t {
    present_in_room,
    receive_messages,
    receive_presence,
    broadcast_presence,
    change_availability,
    change_nick,
    send_private_messages,  ///< Where the configuration (allowpm) says so as well.
    invite,                 ///< Likewise (allowinvites).
    send_messages,
    modify_subject,  ///< Moderators; participants where the configuration lets them.
    kick,
    grant_voice,
    revoke_voice,
};
inline constexpr std::size_t kRolePrivilegeCount = 13;

/// The rows of §5.2.1.
enum class AffiliationPrivilege : std::uint8_t {
    enter_open_room,
    register_with_room,
    retrieve_member_list,
    enter_members_only_room,
    ban,
    edit_member_list,
    assign_moderators,
    edit_admin_list,
    edit_owner_list,
    change_configuration,
    destroy_room,
};
inline constexpr std::size_t kAffiliationPrivilegeCount = 11;

bool may(MucRole role, RolePrivilege privilege) noexcept;
bool may(MucAffiliation affiliation, AffiliationPrivilege privilege) noexcept;

/// §5.1.2: the role that an affiliation enters with; none: it may not enter.
MucRole initial_role(MucAffiliation affiliation, bool moderated, bool members_only) noexcept;

/// Somebody in a room, or about to be changed in it.
struct Standing {
    MucAffiliation affiliation = MucAffiliation::none;
    MucRole role = MucRole::none;
};

/// Whether `actor` may give `target`, an occupant, the role `to` (§5.1.3, §8.2 to §8.4, §9.6,
/// §9.7): nullopt when so. MucRole::none is a kick. Nobody's business here: changing oneself.
std::optional<xmpp::StanzaError> refuse_role_change(const Standing& actor, const Standing& target,
                                                    MucRole to);

/// Whether `actor` may give somebody who has the affiliation `from` the affiliation `to` (§5.2.2,
/// §9.1 to §9.5, §10.3 to §10.8). `self`: the actor changes their own.
std::optional<xmpp::StanzaError> refuse_affiliation_change(MucAffiliation actor, bool self,
                                                           MucAffiliation from, MucAffiliation to);

}  // namespace server::modules::muc
