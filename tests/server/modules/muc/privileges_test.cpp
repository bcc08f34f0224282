// The tables of XEP-0045 §5 as the specification prints them, read here from their text; every cell
// is checked, and every combination of actor, target and change against the rules in words.
#include "server/modules/muc/privileges.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace server::modules::muc::test {
namespace {

using xmpp::StanzaCondition;

constexpr MucRole kRoles[] = {MucRole::none, MucRole::visitor, MucRole::participant,
                              MucRole::moderator};
constexpr MucAffiliation kAffiliations[] = {MucAffiliation::outcast, MucAffiliation::none,
                                            MucAffiliation::member, MucAffiliation::admin,
                                            MucAffiliation::owner};

// §5.1.1; notes are left out. Columns: none, visitor, participant, moderator.
constexpr std::string_view kRoleTable = R"(
Present_in_Room                     No Yes Yes Yes
Receive_Messages                    No Yes Yes Yes
Receive_Occupant_Presence           No Yes Yes Yes
Broadcast_Presence_to_All_Occupants No Yes Yes Yes
Change_Availability_Status          No Yes Yes Yes
Change_Room_Nickname                No Yes Yes Yes
Send_Private_Messages               No Yes Yes Yes
Invite_Other_Users                  No Yes Yes Yes
Send_Messages_to_All                No No  Yes Yes
Modify_Subject                      No No  No  Yes
Kick_Participants_and_Visitors      No No  No  Yes
Grant_Voice                         No No  No  Yes
Revoke_Voice                        No No  No  Yes
)";

// §5.2.1. Columns: outcast, none, member, admin, owner. What is not applicable is No.
constexpr std::string_view kAffiliationTable = R"(
Enter_Open_Room                    No Yes Yes Yes Yes
Register_with_Open_Room            No Yes No  No  No
Retrieve_Member_List               No No  Yes Yes Yes
Enter_Members-Only_Room            No No  Yes Yes Yes
Ban_Members_and_Unaffiliated_Users No No  No  Yes Yes
Edit_Member_List                   No No  No  Yes Yes
Assign_and_Remove_Moderator_Role   No No  No  Yes Yes
Edit_Admin_List                    No No  No  No  Yes
Edit_Owner_List                    No No  No  No  Yes
Change_Room_Configuration          No No  No  No  Yes
Destroy_Room                       No No  No  No  Yes
)";

struct Row {
    std::string name;
    std::vector<bool> cells;
};

std::vector<Row> read_table(std::string_view text) {
    std::vector<Row> rows;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        Row row;
        if (!(words >> row.name)) continue;
        for (std::string word; words >> word;)
            row.cells.push_back(word == "Yes");
        rows.push_back(row);
    }
    return rows;
}

TEST(Privileges, of_roles_are_those_of_the_table) {
    const auto rows = read_table(kRoleTable);
    ASSERT_EQ(rows.size(), kRolePrivilegeCount);
    for (std::size_t row = 0; row < rows.size(); ++row)
        for (std::size_t column = 0; column < xmpp::kMucRoleCount; ++column)
            EXPECT_EQ(may(kRoles[column], static_cast<RolePrivilege>(row)),
                      rows[row].cells.at(column))
                << rows[row].name << " " << column;
}

TEST(Privileges, of_affiliations_are_those_of_the_table) {
    const auto rows = read_table(kAffiliationTable);
    ASSERT_EQ(rows.size(), kAffiliationPrivilegeCount);
    for (std::size_t row = 0; row < rows.size(); ++row)
        for (std::size_t column = 0; column < xmpp::kMucAffiliationCount; ++column)
            EXPECT_EQ(may(kAffiliations[column], static_cast<AffiliationPrivilege>(row)),
                      rows[row].cells.at(column))
                << rows[row].name << " " << column;
}

// §5.1.2.
TEST(Privileges, give_the_initial_roles_of_the_table) {
    struct Case {
        bool moderated;
        bool members_only;
        MucRole none;
        MucRole member;
    };
    const Case cases[] = {
        {true, false, MucRole::visitor, MucRole::participant},
        {false, false, MucRole::participant, MucRole::participant},
        {false, true, MucRole::none, MucRole::participant},
        {true, true, MucRole::none, MucRole::participant},
    };
    for (const Case& one : cases) {
        const auto role = [&](MucAffiliation affiliation) {
            return initial_role(affiliation, one.moderated, one.members_only);
        };
        EXPECT_EQ(role(MucAffiliation::outcast), MucRole::none);
        EXPECT_EQ(role(MucAffiliation::none), one.none);
        EXPECT_EQ(role(MucAffiliation::member), one.member);
        EXPECT_EQ(role(MucAffiliation::admin), MucRole::moderator);
        EXPECT_EQ(role(MucAffiliation::owner), MucRole::moderator);
    }
}

// What §5.1.3, §8.2 to §8.4, §9.6 and §9.7 say, for every actor, target and new role.
TEST(RoleChanges, follow_the_rules_for_every_combination) {
    for (const MucAffiliation actor_affiliation : kAffiliations)
        for (const MucRole actor_role : kRoles)
            for (const MucAffiliation target_affiliation : kAffiliations)
                for (const MucRole from : kRoles)
                    for (const MucRole to : kRoles) {
                        const auto refusal = refuse_role_change({actor_affiliation, actor_role},
                                                                {target_affiliation, from}, to);
                        const bool allowed = !refusal;
                        const bool actor_is_staff = actor_affiliation >= MucAffiliation::admin;
                        SCOPED_TRACE(std::string(name_of(actor_affiliation)) + " " +
                                     std::string(name_of(actor_role)) + " changes " +
                                     std::string(name_of(target_affiliation)) + " " +
                                     std::string(name_of(from)) + " to " +
                                     std::string(name_of(to)));
                        if (actor_role != MucRole::moderator) {
                            EXPECT_FALSE(allowed);
                        }
                        if (to == MucRole::moderator && !actor_is_staff) {
                            EXPECT_FALSE(allowed);
                        }
                        if (allowed && to == MucRole::none) {
                            EXPECT_LE(target_affiliation, actor_affiliation);
                        }
                        if (allowed && to != MucRole::none && to < from) {
                            EXPECT_LT(target_affiliation, MucAffiliation::admin);
                        }
                        const bool is_plain = actor_role == MucRole::moderator && actor_is_staff &&
                                              target_affiliation <= MucAffiliation::none;
                        if (is_plain) {
                            EXPECT_TRUE(allowed);
                        }
                    }
}

TEST(RoleChanges, let_a_moderator_without_affiliation_kick_and_silence_those_who_have_none) {
    const Standing moderator{MucAffiliation::none, MucRole::moderator};
    const Standing participant{MucAffiliation::none, MucRole::participant};
    EXPECT_FALSE(refuse_role_change(moderator, participant, MucRole::none));
    EXPECT_FALSE(refuse_role_change(moderator, participant, MucRole::visitor));
    const Standing member{MucAffiliation::member, MucRole::participant};
    EXPECT_EQ(refuse_role_change(moderator, member, MucRole::none)->condition(),
              StanzaCondition::not_allowed);
    EXPECT_EQ(refuse_role_change(moderator, member, MucRole::visitor)->condition(),
              StanzaCondition::not_allowed);
    // §8.4, §5.1.3: said as what nobody may, whoever asks.
    for (const MucRole to : {MucRole::visitor, MucRole::participant})
        EXPECT_EQ(refuse_role_change(moderator, {MucAffiliation::owner, MucRole::moderator}, to)
                      ->condition(),
                  StanzaCondition::not_allowed);
}

// §9.1 to §9.5, §10.3 to §10.8, and the table of §5.2.2.
TEST(AffiliationChanges, follow_the_rules_for_every_combination) {
    for (const MucAffiliation actor : kAffiliations)
        for (const MucAffiliation from : kAffiliations)
            for (const MucAffiliation to : kAffiliations)
                for (const bool self : {false, true}) {
                    if (self && from != actor) continue;
                    const auto refusal = refuse_affiliation_change(actor, self, from, to);
                    SCOPED_TRACE(std::string(name_of(actor)) + (self ? " (self) " : " ") +
                                 std::string(name_of(from)) + " to " + std::string(name_of(to)));
                    if (actor < MucAffiliation::admin) {
                        ASSERT_TRUE(refusal);
                        EXPECT_EQ(refusal->condition(), StanzaCondition::forbidden);
                    } else if (self && to == MucAffiliation::outcast) {
                        ASSERT_TRUE(refusal);
                        EXPECT_EQ(refusal->condition(), StanzaCondition::conflict);
                    } else if (actor == MucAffiliation::owner) {
                        EXPECT_FALSE(refusal);
                    } else if (to >= MucAffiliation::admin) {
                        ASSERT_TRUE(refusal);
                        EXPECT_EQ(refusal->condition(), StanzaCondition::forbidden);
                    } else if (from >= MucAffiliation::admin) {
                        ASSERT_TRUE(refusal);
                        EXPECT_EQ(refusal->condition(), to == MucAffiliation::outcast
                                                            ? StanzaCondition::not_allowed
                                                            : StanzaCondition::forbidden);
                    } else {
                        EXPECT_FALSE(refusal);
                    }
                }
}

}  // namespace
}  // namespace server::modules::muc::test
