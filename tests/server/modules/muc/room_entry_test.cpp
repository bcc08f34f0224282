// Entering, being there and leaving: XEP-0045 §7.1, §7.2, §7.6, §7.7, §7.14, with its examples.
#include "tests/server/modules/muc/room_stage.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/stanza_id.h"

#include <gtest/gtest.h>

namespace server::modules::muc::test {
namespace {

using xmpp::MucAffiliation;

constexpr std::string_view kEnter =
    "<presence xmlns='jabber:client' to='/thirdwitch' id='n13mt3l'>"
    "<x xmlns='http://jabber.org/protocol/muc'/></presence>";

std::string enter_with(std::string_view content, std::string_view nick = "thirdwitch") {
    return "<presence xmlns='jabber:client' to='/" + std::string(nick) +
           "'><x xmlns='http://jabber.org/protocol/muc'>" + std::string(content) +
           "</x></presence>";
}

std::string say(std::string_view text) {
    return "<message xmlns='jabber:client' type='groupchat'><body>" + std::string(text) +
           "</body></message>";
}

/// Two witches are in, as in §7.2.2.
void gather(RoomStage& stage) {
    stage.affiliate("wiccarocks@shakespeare.lit", "admin");
    stage.enter(kCrone, "firstwitch");
    stage.enter(kWicca, "secondwitch");
}

RoomConfig quiet() {
    return {.archived = false};
}

// §7.1, §7.2.2: others, oneself with 110, history, subject; in that order.
TEST(Entering, brings_presence_history_and_subject_in_order) {
    RoomStage stage(quiet());
    gather(stage);
    stage.send(kCrone, say("Thrice the brinded cat hath mew'd."));
    stage.forget();
    stage.send(kHag, kEnter);
    EXPECT_EQ(stage.heard(kHag),
              "+firstwitch owner/moderator\n"
              "+secondwitch admin/moderator\n"
              "+thirdwitch none/participant [hag66@shakespeare.lit/pda] {110}\n"
              "late firstwitch: Thrice the brinded cat hath mew'd.\n"
              "# ");
    EXPECT_EQ(stage.heard(kCrone), "+thirdwitch none/participant [hag66@shakespeare.lit/pda]");
    EXPECT_EQ(stage.heard(kWicca), "+thirdwitch none/participant [hag66@shakespeare.lit/pda]");
}

TEST(Entering, gives_the_id_of_the_request_back) {
    RoomStage stage(quiet());
    stage.send(kHag, kEnter);
    EXPECT_EQ(stage.taken(kHag).at(0).id(), "n13mt3l");
}

TEST(Entering, warns_of_shown_addresses_and_of_the_archive) {
    RoomStage stage({.anonymous = false});
    stage.send(kHag, kEnter);
    EXPECT_EQ(stage.heard(kHag),
              "+thirdwitch none/participant [hag66@shakespeare.lit/pda] {100 110 170}\n# ");
}

TEST(Entering, shows_addresses_to_all_in_a_non_anonymous_room) {
    RoomStage stage({.anonymous = false, .archived = false});
    stage.enter(kHag, "thirdwitch");
    stage.send(kWicca, enter_with("", "secondwitch"));
    EXPECT_EQ(stage.heard(kHag),
              "+secondwitch none/participant [wiccarocks@shakespeare.lit/laptop]");
}

TEST(Entering, shows_addresses_to_moderators_alone_in_a_semi_anonymous_room) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.send(kWicca, enter_with("", "secondwitch"));
    EXPECT_EQ(stage.heard(kCrone),
              "+secondwitch none/participant [wiccarocks@shakespeare.lit/laptop]");
    EXPECT_EQ(stage.heard(kHag), "+secondwitch none/participant");
}

TEST(Entering, gives_every_presence_one_occupant_id_that_lasts) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.send(kHag, kEnter);
    const auto id_in = [](const xmpp::Stanza& stanza) {
        return std::string(stanza.child("occupant-id", xmpp::ns::occupant_ids)->attribute("id"));
    };
    const std::string first = id_in(stage.taken(kCrone).at(0));
    EXPECT_EQ(first.size(), 32U);
    stage.send(kHag, "<presence xmlns='jabber:client' type='unavailable' to='/thirdwitch'/>");
    stage.forget();
    stage.send("hag66@shakespeare.lit/other", enter_with("", "stranger"));
    EXPECT_EQ(id_in(stage.taken(kCrone).at(0)), first);
    stage.send(kWicca, enter_with("", "secondwitch"));
    EXPECT_NE(id_in(stage.taken(kCrone).at(0)), first);
}

TEST(Entering, strips_what_only_the_room_says) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.send(kHag,
               "<presence xmlns='jabber:client' to='/thirdwitch'>"
               "<x xmlns='http://jabber.org/protocol/muc'><password>secret</password></x>"
               "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' "
               "role='moderator'/></x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>"
               "<show>xa</show></presence>");
    const auto seen = stage.taken(kCrone);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(line_of(seen[0]), "+thirdwitch none/participant [hag66@shakespeare.lit/pda]");
    EXPECT_EQ(seen[0].to_xml().find("secret"), std::string::npos);
    EXPECT_EQ(seen[0].to_xml().find("forged"), std::string::npos);
    EXPECT_EQ(seen[0].element().child_text("show", xmpp::ns::client), "xa");
}

// --- refusals, in the order of §7.2.5 to §7.2.10 and §7.2.16

TEST(Entering, needs_a_nick) {
    RoomStage stage;
    stage.send(kHag,
               "<presence xmlns='jabber:client'><x "
               "xmlns='http://jabber.org/protocol/muc'/></presence>");
    EXPECT_EQ(stage.heard(kHag), "! jid-malformed modify");
}

TEST(Entering, needs_a_nick_that_can_be_seen_and_is_not_too_long) {
    RoomStage stage;
    stage.send(kHag, enter_with("", std::string(kNickBytesMax + 1, 'n')));
    EXPECT_EQ(stage.heard(kHag), "! policy-violation modify");
    stage.send(kHag, enter_with("", std::string(kNickBytesMax, 'n')));
    EXPECT_EQ(stage.room().occupants().size(), 1U);
}

TEST(Entering, needs_the_password) {
    RoomStage stage({.password = "cauldronburn"});
    stage.send(kHag, kEnter);
    EXPECT_EQ(stage.heard(kHag), "! not-authorized auth");
    stage.send(kHag, enter_with("<password>wrong</password>"));
    EXPECT_EQ(stage.heard(kHag), "! not-authorized auth");
    stage.send(kHag, enter_with("<password>cauldronburn</password>"));
    EXPECT_EQ(stage.room().occupants().size(), 1U);
}

TEST(Entering, a_members_only_room_needs_membership) {
    RoomStage stage({.members_only = true});
    stage.send(kHag, kEnter);
    EXPECT_EQ(stage.heard(kHag), "! registration-required auth");
    stage.affiliate("hag66@shakespeare.lit", "member");
    stage.send(kHag, kEnter);
    EXPECT_EQ(stage.room().occupants().size(), 1U);
}

TEST(Entering, is_forbidden_to_outcasts) {
    RoomStage stage;
    stage.affiliate("hag66@shakespeare.lit", "outcast");
    stage.send(kHag, kEnter);
    const auto refusal = stage.taken(kHag).at(0);
    EXPECT_EQ(line_of(refusal), "! forbidden auth");
    // As in the example: the empty element of the request, and who refused.
    EXPECT_NE(refusal.child("x", xmpp::ns::muc), nullptr);
    EXPECT_EQ(refusal.child("error", xmpp::ns::client)->attribute("by"), kRoom);
    EXPECT_EQ(refusal.from()->resource(), "thirdwitch");
}

TEST(Entering, needs_a_nick_that_nobody_else_has) {
    RoomStage stage;
    stage.enter(kCrone, "firstwitch");
    stage.send(kHag, enter_with("", "firstwitch"));
    EXPECT_EQ(stage.heard(kHag), "! conflict cancel");
    stage.send(kHag, enter_with("", "FirstWitch "));
    EXPECT_EQ(stage.heard(kHag), "! conflict cancel");
}

TEST(Entering, needs_a_nick_that_is_not_reserved_for_another) {
    RoomStage stage;
    stage.admin(kCrone,
                "<item jid='wiccarocks@shakespeare.lit' affiliation='member' "
                "nick='secondwitch'/>");
    stage.forget();
    stage.send(kHag, enter_with("", "secondwitch"));
    EXPECT_EQ(stage.heard(kHag), "! conflict cancel");
    stage.send(kWicca, enter_with("", "secondwitch"));
    EXPECT_EQ(stage.room().occupants().size(), 1U);
}

TEST(Entering, needs_room_which_staff_always_finds) {
    RoomStage stage({.occupants_max = 1});
    stage.enter(kHag, "thirdwitch");
    stage.send(kWicca, enter_with("", "secondwitch"));
    EXPECT_EQ(stage.heard(kWicca), "! service-unavailable wait");
    stage.send(kCrone, enter_with("", "firstwitch"));
    EXPECT_EQ(stage.room().occupants().size(), 2U);
}

TEST(Entering, a_locked_room_is_for_its_owner) {
    RoomStage stage({}, false);
    stage.send(kCrone, enter_with("", "firstwitch"));
    EXPECT_EQ(stage.heard(kCrone),
              "+firstwitch owner/moderator [crone1@shakespeare.lit/desktop] {110 170 201}\n# ");
    stage.send(kHag, kEnter);
    EXPECT_EQ(stage.heard(kHag), "! item-not-found cancel");
}

TEST(Entering, is_refused_with_too_much_to_say) {
    RoomStage stage;
    const std::string status(Room::kPresenceBytesMax, 's');
    stage.send(kHag, "<presence xmlns='jabber:client' to='/thirdwitch'><status>" + status +
                         "</status><x xmlns='http://jabber.org/protocol/muc'/></presence>");
    EXPECT_EQ(stage.heard(kHag), "! policy-violation modify");
}

// §7.2.17.
TEST(Entering, without_saying_so_is_answered_with_a_kick) {
    RoomStage stage;
    stage.send(kHag, "<presence xmlns='jabber:client' to='/thirdwitch'/>");
    EXPECT_EQ(stage.heard(kHag), "-thirdwitch none/none 'You are not in the room.' {110 307 333}");
}

// §14.2.
TEST(Entering, is_nothing_that_has_a_type) {
    RoomStage stage;
    for (const auto* type : {"probe", "subscribe", "unsubscribed", "unavailable", "error"})
        stage.send(kHag, "<presence xmlns='jabber:client' to='/thirdwitch' type='" +
                             std::string(type) +
                             "'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
    EXPECT_EQ(stage.heard(kHag), "! not-acceptable modify");  // To the probe.
    EXPECT_TRUE(stage.room().occupants().empty());
}

// §7.2.1.
TEST(Entering, again_brings_everything_again_and_disturbs_nobody) {
    RoomStage stage(quiet());
    gather(stage);
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag, kEnter);
    EXPECT_EQ(stage.heard(kHag),
              "+firstwitch owner/moderator\n+secondwitch admin/moderator\n"
              "+thirdwitch none/participant [hag66@shakespeare.lit/pda] {110}\n# ");
    EXPECT_EQ(stage.room().sessions(), 3U);
}

// --- several clients, one nick (§7.2.8)

constexpr std::string_view kHagPhone = "hag66@shakespeare.lit/phone";

TEST(SeveralClients, share_a_nick) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.send(kHagPhone, enter_with(""));
    EXPECT_EQ(stage.heard(kHagPhone),
              "+firstwitch owner/moderator\n"
              "+thirdwitch none/participant [hag66@shakespeare.lit/phone] {110}\n# ");
    EXPECT_EQ(stage.heard(kHag),
              "+thirdwitch none/participant [hag66@shakespeare.lit/phone] {110}");
    stage.forget();
    stage.send(kCrone, say("hail"));
    EXPECT_EQ(stage.heard(kHag), "firstwitch: hail");
    EXPECT_EQ(stage.heard(kHagPhone), "firstwitch: hail");
}

TEST(SeveralClients, leave_one_by_one) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.enter(kHagPhone, "thirdwitch");
    stage.send(kHagPhone, "<presence xmlns='jabber:client' type='unavailable' to='/thirdwitch'/>");
    EXPECT_EQ(stage.heard(kHagPhone), "-thirdwitch none/none [hag66@shakespeare.lit/phone] {110}");
    EXPECT_EQ(stage.heard(kCrone), "+thirdwitch none/participant [hag66@shakespeare.lit/pda]");
    stage.forget();
    stage.send(kHag, "<presence xmlns='jabber:client' type='unavailable' to='/thirdwitch'/>");
    EXPECT_EQ(stage.heard(kCrone), "-thirdwitch none/none [hag66@shakespeare.lit/pda]");
}

TEST(SeveralClients, are_so_many_and_no_more) {
    RoomStage stage(quiet());
    for (std::size_t i = 0; i < Room::kSessionsMax; ++i)
        stage.enter("hag66@shakespeare.lit/" + std::to_string(i), "thirdwitch");
    EXPECT_EQ(stage.room().sessions(), Room::kSessionsMax);
    stage.send("hag66@shakespeare.lit/more", kEnter);
    EXPECT_EQ(stage.heard("hag66@shakespeare.lit/more"), "! service-unavailable wait");
}

// --- nicks (§7.6)

TEST(Nick, changes_for_everybody) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.enter(kWicca, "secondwitch");
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag, "<presence xmlns='jabber:client' to='/oldhag'/>");
    EXPECT_EQ(stage.heard(kCrone),
              "-thirdwitch none/participant [hag66@shakespeare.lit/pda] nick=oldhag {303}\n"
              "+oldhag none/participant [hag66@shakespeare.lit/pda]");
    EXPECT_EQ(stage.heard(kWicca),
              "-thirdwitch none/participant nick=oldhag {303}\n"
              "+oldhag none/participant");
    EXPECT_EQ(stage.heard(kHag),
              "-thirdwitch none/participant [hag66@shakespeare.lit/pda] nick=oldhag {110 303}\n"
              "+oldhag none/participant [hag66@shakespeare.lit/pda] {110}");
}

TEST(Nick, of_another_is_refused_and_the_old_one_kept) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag, "<presence xmlns='jabber:client' to='/firstwitch'/>");
    const auto refusal = stage.taken(kHag).at(0);
    EXPECT_EQ(line_of(refusal), "! conflict cancel");
    // RFC 6120 §8.3.1: from whom it was sent to. Clients wait for an answer from there.
    EXPECT_EQ(refusal.from()->resource(), "firstwitch");
    EXPECT_EQ(stage.room().occupants().at(1).nick, "thirdwitch");
    EXPECT_EQ(stage.heard(kCrone), "");
}

TEST(Nick, may_change_in_its_letters_case) {
    RoomStage stage(quiet());
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag, "<presence xmlns='jabber:client' to='/ThirdWitch'/>");
    EXPECT_EQ(stage.room().occupants().at(0).nick, "ThirdWitch");
}

// --- availability (§7.7) and leaving (§7.14)

TEST(Availability, is_shown_to_all_with_role_and_affiliation) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag,
               "<presence xmlns='jabber:client' to='/thirdwitch'><show>xa</show><status>gone "
               "where the goblins go</status></presence>");
    const auto seen = stage.taken(kCrone);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(line_of(seen[0]), "+thirdwitch none/participant [hag66@shakespeare.lit/pda]");
    EXPECT_EQ(seen[0].element().child_text("status", xmpp::ns::client),
              "gone where the goblins go");
    EXPECT_EQ(stage.heard(kHag), "+thirdwitch none/participant [hag66@shakespeare.lit/pda] {110}");
}

TEST(Availability, that_was_shown_is_what_a_newcomer_sees) {
    RoomStage stage(quiet());
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag,
               "<presence xmlns='jabber:client' to='/thirdwitch'><show>dnd</show></presence>");
    stage.forget();
    stage.send(kCrone, enter_with("", "firstwitch"));
    EXPECT_EQ(stage.taken(kCrone).at(0).element().child_text("show", xmpp::ns::client), "dnd");
}

TEST(Leaving, is_told_to_oneself_first_and_with_last_words) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag,
               "<presence xmlns='jabber:client' type='unavailable' to='/thirdwitch'>"
               "<status>gone</status></presence>");
    const auto lines = stage.everything();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0], "hag66 -thirdwitch none/none [hag66@shakespeare.lit/pda] {110}");
    EXPECT_EQ(lines[1], "crone1 -thirdwitch none/none [hag66@shakespeare.lit/pda]");
    stage.send(kHag, "<presence xmlns='jabber:client' type='unavailable' to='/thirdwitch'/>");
    EXPECT_TRUE(stage.everything().empty());
}

TEST(Leaving, the_last_one_ends_a_temporary_room_and_not_a_persistent_one) {
    RoomStage temporary(quiet());
    RoomStage persistent({.persistent = true});
    for (RoomStage* stage : {&temporary, &persistent}) {
        stage->enter(kHag, "thirdwitch");
        EXPECT_FALSE(stage->room().is_over());
        stage->send(kHag, "<presence xmlns='jabber:client' type='unavailable' to='/thirdwitch'/>");
    }
    EXPECT_TRUE(temporary.room().is_over());
    EXPECT_FALSE(persistent.room().is_over());
}

// §10.1.3.
TEST(Leaving, a_room_before_it_is_configured_destroys_it) {
    RoomStage stage({.persistent = true}, false);
    stage.enter(kCrone, "firstwitch");
    stage.send(kCrone, "<presence xmlns='jabber:client' type='unavailable' to='/firstwitch'/>");
    EXPECT_EQ(stage.heard(kCrone), "-firstwitch owner/none [crone1@shakespeare.lit/desktop] {110}");
    EXPECT_TRUE(stage.room().is_over());
}

// §11.1, §16.2.
TEST(Leaving, is_what_an_error_of_delivery_means) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag,
               "<message xmlns='jabber:client' type='error' to='/firstwitch'><error "
               "type='modify'><not-acceptable "
               "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
    EXPECT_EQ(stage.heard(kCrone), "");
    stage.send(kHag,
               "<message xmlns='jabber:client' type='error' to='/firstwitch'><error "
               "type='cancel'><recipient-unavailable "
               "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
    EXPECT_EQ(stage.heard(kCrone), "-thirdwitch none/none [hag66@shakespeare.lit/pda] {333}");
}

// muc#roomconfig_presencebroadcast.
TEST(Broadcast, leaves_out_roles_that_are_not_shown) {
    RoomConfig config{.moderated = true, .archived = false};
    config.broadcast.visitor = false;
    RoomStage stage(config);
    stage.enter(kCrone, "firstwitch");
    stage.send(kHag, kEnter);
    EXPECT_EQ(stage.heard(kCrone), "");
    EXPECT_EQ(stage.heard(kHag),
              "+firstwitch owner/moderator\n"
              "+thirdwitch none/visitor [hag66@shakespeare.lit/pda] {110}\n# ");
    stage.send(kWicca, enter_with("", "secondwitch"));
    EXPECT_EQ(stage.heard(kHag), "");
    stage.forget();
    stage.admin(kCrone, "<item nick='thirdwitch' role='participant'/>");
    EXPECT_EQ(stage.heard(kWicca), "+thirdwitch none/participant by=firstwitch");
    stage.admin(kCrone, "<item nick='thirdwitch' role='visitor'/>");
    EXPECT_EQ(stage.heard(kWicca), "-thirdwitch none/visitor by=firstwitch");
}

}  // namespace
}  // namespace server::modules::muc::test
