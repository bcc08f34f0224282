#include "server/modules/muc/privileges.h"

#include <array>

namespace server::modules::muc {
namespace {

using xmpp::StanzaError;

constexpr bool No = false;
constexpr bool Yes = true;

// §5.1.1. Columns: none, visitor, participant, moderator.
constexpr std::array<std::array<bool, xmpp::kMucRoleCount>, kRolePrivilegeCount> kByRole = {{
    {No, Yes, Yes, Yes},  // Present in room.
    {No, Yes, Yes, Yes},  // Receive messages.
    {No, Yes, Yes, Yes},  // Receive occupant presence.
    {No, Yes, Yes, Yes},  // Broadcast presence to all occupants.
    {No, Yes, Yes, Yes},  // Change availability status.
    {No, Yes, Yes, Yes},  // Change room nickname.
    {No, Yes, Yes, Yes},  // Send private messages.
    {No, Yes, Yes, Yes},  // Invite other users.
    {No, No, Yes, Yes},   // Send messages to all.
    {No, No, No, Yes},    // Modify subject.
    {No, No, No, Yes},    // Kick participants and visitors.
    {No, No, No, Yes},    // Grant voice.
    {No, No, No, Yes},    // Revoke voice.
}};

// §5.2.1. Columns: outcast, none, member, admin, owner.
constexpr std::array<std::array<bool, xmpp::kMucAffiliationCount>, kAffiliationPrivilegeCount>
    kByAffiliation = {{
        {No, Yes, Yes, Yes, Yes},  // Enter open room.
        {No, Yes, No, No, No},     // Register with open room; the others need not.
        {No, No, Yes, Yes, Yes},   // Retrieve member list.
        {No, No, Yes, Yes, Yes},   // Enter members-only room.
        {No, No, No, Yes, Yes},    // Ban members and unaffiliated users.
        {No, No, No, Yes, Yes},    // Edit member list.
        {No, No, No, Yes, Yes},    // Assign and remove moderator role.
        {No, No, No, No, Yes},     // Edit admin list.
        {No, No, No, No, Yes},     // Edit owner list.
        {No, No, No, No, Yes},     // Change room configuration.
        {No, No, No, No, Yes},     // Destroy room.
    }};

bool edits_lists_of_owners(MucAffiliation affiliation) {
    return affiliation >= MucAffiliation::admin;
}

}  // namespace

bool may(MucRole role, RolePrivilege privilege) noexcept {
    return kByRole[static_cast<std::size_t>(privilege)][static_cast<std::size_t>(role)];
}

bool may(MucAffiliation affiliation, AffiliationPrivilege privilege) noexcept {
    return kByAffiliation[static_cast<std::size_t>(privilege)]
                         [static_cast<std::size_t>(affiliation)];
}

MucRole initial_role(MucAffiliation affiliation, bool moderated, bool members_only) noexcept {
    const auto entry = members_only ? AffiliationPrivilege::enter_members_only_room
                                    : AffiliationPrivilege::enter_open_room;
    if (!may(affiliation, entry)) return MucRole::none;
    if (affiliation >= MucAffiliation::admin) return MucRole::moderator;
    if (affiliation == MucAffiliation::none && moderated) return MucRole::visitor;
    return MucRole::participant;
}

std::optional<StanzaError> refuse_role_change(const Standing& actor, const Standing& target,
                                              MucRole to) {
    // Kicks and voice are moderators', whatever their affiliation; moderators are made and unmade
    // by admins and owners.
    if (actor.role != MucRole::moderator) return StanzaError::forbidden();
    const bool takes = to != MucRole::none && to < target.role;
    // §8.4, §9.7: an admin's or owner's role is never taken, by nobody.
    if (takes && target.affiliation >= MucAffiliation::admin) return StanzaError::not_allowed();
    const bool about_moderators = to == MucRole::moderator || target.role == MucRole::moderator;
    if (about_moderators && to != MucRole::none &&
        !may(actor.affiliation, AffiliationPrivilege::assign_moderators))
        return StanzaError::forbidden();
    if (to == MucRole::none) {
        // §8.2: not somebody with a higher affiliation; §5.1.3: moderators by admins and owners.
        if (target.affiliation > actor.affiliation) return StanzaError::not_allowed();
        if (target.role == MucRole::moderator &&
            !may(actor.affiliation, AffiliationPrivilege::assign_moderators))
            return StanzaError::not_allowed();
        return std::nullopt;
    }
    if (!takes) return std::nullopt;
    // §8.4: voice is not taken from who has the moderator's own level or a higher one. Having none
    // at all is no level.
    const bool takes_voice = to == MucRole::visitor;
    if (takes_voice && target.affiliation >= actor.affiliation &&
        target.affiliation != MucAffiliation::none)
        return StanzaError::not_allowed();
    return std::nullopt;
}

std::optional<StanzaError> refuse_affiliation_change(MucAffiliation actor, bool self,
                                                     MucAffiliation from, MucAffiliation to) {
    if (!may(actor, AffiliationPrivilege::edit_member_list)) return StanzaError::forbidden();
    // §9.1: nobody bans themselves.
    if (self && to == MucAffiliation::outcast) return StanzaError::conflict();
    if (may(actor, AffiliationPrivilege::edit_owner_list)) return std::nullopt;
    // An admin: bans and members are theirs, the lists of admins and owners are not.
    if (edits_lists_of_owners(to)) return StanzaError::forbidden();
    if (!edits_lists_of_owners(from)) return std::nullopt;
    // §9.1: to ban somebody with one's own or a higher affiliation is not allowed; to take one from
    // the lists of admins and owners is to edit them (§10.5, §10.8).
    return to == MucAffiliation::outcast ? StanzaError::not_allowed() : StanzaError::forbidden();
}

}  // namespace server::modules::muc
