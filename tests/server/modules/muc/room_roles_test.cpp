// Roles over visits of moderated rooms (XEP-0045 §5.1), the pace of occupants, and what the service
// wants of a room by itself: letting go of accounts that are gone, ends, orders of the operator.
#include "tests/server/modules/muc/room_stage.h"

#include <gtest/gtest.h>

#include <chrono>

namespace server::modules::muc::test {
namespace {

using namespace std::chrono_literals;

RoomConfig moderated() {
    return {.moderated = true, .archived = false};
}
void leave(RoomStage& stage, std::string_view who) {
    stage.send(who, "<presence xmlns='jabber:client' type='unavailable' to='/x'/>");
    stage.forget();
}
MucRole role_of(RoomStage& stage, std::string_view who) {
    const Occupant* occupant = stage.room().occupant_of(*xmpp::Jid::parse(who));
    return occupant == nullptr ? MucRole::none : occupant->role;
}
MucRole role_on_return(RoomStage& stage, std::string_view who, std::string_view nick) {
    leave(stage, who);
    stage.enter(who, nick);
    return role_of(stage, who);
}

TEST(KeptRoles, outlast_a_visit_of_a_moderated_room) {
    RoomStage stage(moderated());
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    EXPECT_EQ(role_of(stage, kHag), MucRole::visitor);
    stage.admin(kCrone, "<item nick='thirdwitch' role='participant'/>");
    EXPECT_EQ(role_on_return(stage, kHag, "other"), MucRole::participant);
    stage.admin(kCrone, "<item nick='other' role='moderator'/>");
    EXPECT_EQ(role_on_return(stage, kHag, "other"), MucRole::moderator);
    stage.admin(kCrone, "<item nick='other' role='visitor'/>");
    EXPECT_EQ(role_on_return(stage, kHag, "other"), MucRole::visitor);
}

TEST(KeptRoles, keep_who_has_lost_their_voice_silent) {
    RoomStage stage(moderated());
    stage.affiliate("hag66@shakespeare.lit", "member");
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    EXPECT_EQ(role_of(stage, kHag), MucRole::participant);
    stage.admin(kCrone, "<item nick='thirdwitch' role='visitor'/>");
    EXPECT_EQ(role_on_return(stage, kHag, "thirdwitch"), MucRole::visitor);
}

TEST(KeptRoles, end_with_a_kick_with_another_affiliation_and_with_moderation) {
    RoomStage stage(moderated());
    stage.enter(kCrone, "firstwitch");
    const auto give_voice = [&] {
        stage.enter(kHag, "thirdwitch");
        stage.admin(kCrone, "<item nick='thirdwitch' role='participant'/>");
        ASSERT_EQ(role_on_return(stage, kHag, "thirdwitch"), MucRole::participant);
    };
    give_voice();
    stage.admin(kCrone, "<item nick='thirdwitch' role='none'/>");
    EXPECT_EQ(role_on_return(stage, kHag, "thirdwitch"), MucRole::visitor);
    give_voice();
    stage.affiliate("hag66@shakespeare.lit", "member");
    stage.affiliate("hag66@shakespeare.lit", "none");
    EXPECT_EQ(role_on_return(stage, kHag, "thirdwitch"), MucRole::visitor);
    give_voice();
    stage.configure("<field var='muc#roomconfig_moderatedroom'><value>0</value></field>");
    stage.configure("<field var='muc#roomconfig_moderatedroom'><value>1</value></field>");
    EXPECT_EQ(role_on_return(stage, kHag, "thirdwitch"), MucRole::visitor);
}

TEST(KeptRoles, are_none_of_a_room_that_is_not_moderated) {
    RoomStage stage({.archived = false});
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.admin(kCrone, "<item nick='thirdwitch' role='moderator'/>");
    EXPECT_EQ(role_on_return(stage, kHag, "thirdwitch"), MucRole::participant);
}

TEST(KeptRoles, forget_the_oldest_with_one_more_than_there_is_room_for) {
    KeptRoles roles;
    const auto jid = [](std::size_t i) {
        return *xmpp::Jid::parse("w" + std::to_string(i) + "@shakespeare.lit");
    };
    for (std::size_t i = 0; i < KeptRoles::kMax; ++i)
        roles.put({.jid = jid(i), .role = MucRole::participant});
    EXPECT_EQ(roles.of(jid(0)), MucRole::participant);
    roles.put({.jid = jid(KeptRoles::kMax), .role = MucRole::visitor});
    EXPECT_EQ(roles.of(jid(0)), std::nullopt);
    EXPECT_EQ(roles.of(jid(1)), MucRole::participant);
    EXPECT_EQ(roles.size(), KeptRoles::kMax);
}

TEST(RoomPace, lets_an_occupant_and_all_of_them_say_so_much) {
    RoomStage stage({.archived = false});
    stage.limits.occupant_pace = {.per_second = 1, .burst = 2};
    stage.limits.room_pace = {.per_second = 1, .burst = 3};
    for (const auto& [who, nick] : {std::pair(kCrone, "a"), {kWicca, "b"}, {kHag, "c"}})
        stage.enter(who, nick);
    const auto speaks = [&](std::string_view who, base::Duration after) {
        return stage.room().within_pace(*xmpp::Jid::parse(who), 0, true,
                                        base::MonotonicTime{} + after);
    };
    EXPECT_TRUE(speaks(kHag, 0s));
    EXPECT_TRUE(speaks(kHag, 0s));
    EXPECT_FALSE(speaks(kHag, 0s));
    EXPECT_TRUE(speaks(kWicca, 0s));
    EXPECT_FALSE(speaks(kWicca, 0s)) << "the room has heard enough";
    for (int i = 0; i < 10; ++i)
        EXPECT_TRUE(speaks(kCrone, 0s)) << "owners are not limited";
    EXPECT_TRUE(speaks(kWicca, 2s));
    EXPECT_TRUE(speaks("stranger@shakespeare.lit/x", 0s)) << "refused for not being there";
}

// What is said goes to everybody.
TEST(RoomPace, counts_large_messages_by_their_size) {
    RoomStage stage({.archived = false});
    stage.limits.occupant_pace = {.per_second = 1, .burst = 10};
    stage.enter(kHag, "c");
    const auto speaks = [&](std::size_t bytes, base::Duration after) {
        return stage.room().within_pace(*xmpp::Jid::parse(kHag), bytes, true,
                                        base::MonotonicTime{} + after);
    };
    EXPECT_TRUE(speaks(1023, 0s));
    EXPECT_TRUE(speaks(5 * 1024, 0s));
    EXPECT_FALSE(speaks(3 * 1024, 0s));
    EXPECT_TRUE(speaks(2 * 1024, 0s));
    // The largest there is, once all is level.
    EXPECT_FALSE(speaks(262'144, 9s));
    EXPECT_TRUE(speaks(262'144, 10s));
    EXPECT_FALSE(speaks(0, 10s));
}

// What is said to two thousand costs a hundred times as much as what is said to twenty.
TEST(RoomPace, counts_what_goes_to_very_many_by_their_number) {
    RoomStage stage({.archived = false});
    stage.limits.occupant_pace = {.per_second = 1, .burst = 8};
    stage.enter(kHag, "c");
    const auto listeners = [&](std::size_t count) {
        for (std::size_t i = stage.room().sessions(); i < count; ++i) {
            const std::string name = "l" + std::to_string(i);
            stage.room().restore(name, MucRole::participant,
                                 *xmpp::Jid::parse(name + "@shakespeare.lit/x"), "");
        }
    };
    base::MonotonicTime time;
    const auto said_at_once = [&](bool to_all) {
        time = time + 100s;
        int count = 0;
        while (stage.room().within_pace(*xmpp::Jid::parse(kHag), 0, to_all, time))
            ++count;
        return count;
    };
    listeners(2 * Room::kListenersPerStanza - 1);
    EXPECT_EQ(said_at_once(true), 8);
    listeners(2 * Room::kListenersPerStanza);
    EXPECT_EQ(said_at_once(true), 4);
    listeners(4 * Room::kListenersPerStanza);
    EXPECT_EQ(said_at_once(true), 2);
    EXPECT_EQ(said_at_once(false), 8) << "to one of them";
}

TEST(Departure, takes_back_what_the_room_gave) {
    RoomStage stage(moderated());
    stage.affiliate("hag66@shakespeare.lit", "member");
    stage.enter(kCrone, "firstwitch");
    stage.apply(stage.room().judge_departure(*xmpp::Jid::parse("hag66@shakespeare.lit")));
    EXPECT_EQ(stage.heard(kCrone), "absent hag66@shakespeare.lit none");
    EXPECT_EQ(stage.room().affiliations().size(), 1U);
    stage.enter(kHag, "thirdwitch");
    stage.admin(kCrone, "<item nick='thirdwitch' role='participant'/>");
    stage.apply(stage.room().judge_departure(*xmpp::Jid::parse("hag66@shakespeare.lit")));
    EXPECT_EQ(role_on_return(stage, kHag, "thirdwitch"), MucRole::visitor);
}

TEST(Departure, leaves_bans_and_lost_voices) {
    RoomStage stage(moderated());
    stage.affiliate("hag66@shakespeare.lit", "outcast");
    EXPECT_FALSE(
        stage.room().judge_departure(*xmpp::Jid::parse("hag66@shakespeare.lit")).durable());
    stage.affiliate("hag66@shakespeare.lit", "none");
    stage.enter(kCrone, "firstwitch");
    stage.affiliate("hag66@shakespeare.lit", "member");
    stage.enter(kHag, "thirdwitch");
    stage.admin(kCrone, "<item nick='thirdwitch' role='visitor'/>");
    const RoomChange change =
        stage.room().judge_departure(*xmpp::Jid::parse("hag66@shakespeare.lit"));
    EXPECT_EQ(change.affiliations.size(), 1U);
    EXPECT_TRUE(change.kept_roles.empty());
}

TEST(Departure, of_the_last_owner_makes_owners_of_the_admins) {
    RoomStage stage;
    stage.affiliate("wiccarocks@shakespeare.lit", "admin");
    stage.affiliate("hag66@shakespeare.lit", "member");
    stage.enter(kWicca, "secondwitch");
    stage.apply(stage.room().judge_departure(*xmpp::Jid::parse("crone1@shakespeare.lit")));
    const Affiliations& affiliations = stage.room().affiliations();
    EXPECT_EQ(affiliations.of(*xmpp::Jid::parse(kCrone)), MucAffiliation::none);
    EXPECT_EQ(affiliations.of(*xmpp::Jid::parse(kWicca)), MucAffiliation::owner);
    EXPECT_EQ(affiliations.owners(), 1U);
    EXPECT_FALSE(stage.room().destroyed());
}

TEST(Departure, of_one_of_two_owners_makes_nobody_more_than_they_were) {
    RoomStage stage;
    stage.affiliate("wiccarocks@shakespeare.lit", "owner");
    stage.affiliate("hag66@shakespeare.lit", "admin");
    stage.apply(stage.room().judge_departure(*xmpp::Jid::parse("crone1@shakespeare.lit")));
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse(kHag)), MucAffiliation::admin);
}

TEST(Departure, of_the_last_who_could_enter_ends_the_room_and_of_others_does_not) {
    RoomStage open({.persistent = true});
    open.apply(open.room().judge_departure(*xmpp::Jid::parse("crone1@shakespeare.lit")));
    EXPECT_FALSE(open.room().destroyed());
    EXPECT_EQ(open.room().affiliations().owners(), 0U);
    RoomStage closed({.persistent = true, .members_only = true});
    closed.affiliate("hag66@shakespeare.lit", "member");
    closed.apply(closed.room().judge_departure(*xmpp::Jid::parse("crone1@shakespeare.lit")));
    EXPECT_FALSE(closed.room().destroyed()) << "it has a member";
    closed.apply(closed.room().judge_departure(*xmpp::Jid::parse("hag66@shakespeare.lit")));
    EXPECT_TRUE(closed.room().destroyed());
}

TEST(Orders, end_a_room_that_was_never_configured_and_no_other) {
    RoomStage made({}, false);
    made.enter(kCrone, "firstwitch");
    made.apply(made.room().judge_expiry());
    EXPECT_EQ(made.heard(kCrone),
              "-firstwitch owner/none [" + std::string(kCrone) + "] destroyed  {110}");
    EXPECT_TRUE(made.room().is_over());
    RoomStage configured;
    configured.apply(configured.room().judge_expiry());
    EXPECT_FALSE(configured.room().destroyed());
}

TEST(Orders, give_affiliations_but_take_no_last_owner_and_no_domain_in) {
    RoomStage stage;
    const auto ordered = [&](std::string_view who, MucAffiliation affiliation) -> std::string {
        auto change =
            stage.room().judge_order({{.affiliation = affiliation, .jid = *xmpp::Jid::parse(who)}});
        if (!change) return std::string(name_of(change.error().condition()));
        stage.apply(*std::move(change));
        return "";
    };
    EXPECT_EQ(ordered("hag66@shakespeare.lit", MucAffiliation::owner), "");
    EXPECT_EQ(stage.room().affiliations().owners(), 2U);
    EXPECT_EQ(ordered("crone1@shakespeare.lit", MucAffiliation::outcast), "");
    EXPECT_EQ(ordered("hag66@shakespeare.lit", MucAffiliation::none), "conflict");
    EXPECT_EQ(ordered("evil.example", MucAffiliation::member), "jid-malformed");
    EXPECT_EQ(ordered(kRoom, MucAffiliation::member), "not-allowed");
    stage.limits.affiliations_max = 2;
    EXPECT_EQ(ordered("wiccarocks@shakespeare.lit", MucAffiliation::member), "resource-constraint");
}

}  // namespace
}  // namespace server::modules::muc::test
