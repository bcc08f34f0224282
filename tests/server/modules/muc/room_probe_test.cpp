// Presence probes to a room (XEP-0045 §17.3), and what those hear who are not in it (§18.1).
#include "tests/server/modules/muc/room_stage.h"

#include <gtest/gtest.h>

namespace server::modules::muc::test {
namespace {

std::string probe(std::string_view to) {
    return "<presence xmlns='jabber:client' type='probe' id='p' to='" + std::string(to) + "'/>";
}

TEST(Probing, shows_who_is_there_as_the_prober_may_see_them) {
    RoomStage stage;
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag, probe("/firstwitch"));
    EXPECT_EQ(stage.everything(), std::vector<std::string>{"hag66 +firstwitch owner/moderator"});
    stage.send(kCrone, probe("/ThirdWitch"));
    EXPECT_EQ(stage.heard(kCrone), "+thirdwitch none/participant [hag66@shakespeare.lit/pda]");
    stage.send(kHag, probe("/thirdwitch"));
    EXPECT_EQ(stage.heard(kHag), "+thirdwitch none/participant [hag66@shakespeare.lit/pda] {110}");
    stage.send(kHag, probe(""));
    EXPECT_EQ(stage.heard(kHag), "+thirdwitch none/participant [hag66@shakespeare.lit/pda] {110}");
    EXPECT_EQ(stage.room().sessions(), 2U);
}

TEST(Probing, does_not_show_those_whose_presence_is_not_broadcast) {
    RoomConfig config{.moderated = true};
    config.broadcast.visitor = false;
    RoomStage stage(config);
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.enter(kWicca, "secondwitch");
    stage.send(kHag, probe("/secondwitch"));
    EXPECT_EQ(stage.heard(kHag), "-secondwitch none/none");
    stage.send(kHag, probe("/nobody"));
    EXPECT_EQ(stage.heard(kHag), "-nobody none/none");
    stage.send(kHag, probe("/thirdwitch"));
    EXPECT_EQ(stage.heard(kHag), "+thirdwitch none/visitor [hag66@shakespeare.lit/pda] {110}");
}

// It comes from the bare address, for all clients of the user that are in the room.
TEST(Probing, by_somebodys_server_answers_their_clients) {
    RoomStage stage;
    stage.enter(kHag, "thirdwitch");
    stage.enter("hag66@shakespeare.lit/phone", "thirdwitch");
    stage.send("hag66@shakespeare.lit", probe("/thirdwitch"));
    EXPECT_EQ(stage.heard(kHag),
              "+thirdwitch none/participant [hag66@shakespeare.lit/phone] {110}");
    EXPECT_EQ(stage.heard("hag66@shakespeare.lit/phone"),
              "+thirdwitch none/participant [hag66@shakespeare.lit/phone] {110}");
    EXPECT_TRUE(stage.everything().empty());
}

TEST(Probing, from_outside_tells_nothing) {
    RoomStage stage;
    stage.enter(kCrone, "firstwitch");
    for (const std::string_view from : {kHag, std::string_view("hag66@shakespeare.lit")}) {
        for (const std::string_view to : {"", "/firstwitch", "/nobody"}) {
            stage.send(from, probe(to));
            EXPECT_EQ(stage.heard(from), "! not-acceptable modify") << from << " to " << to;
        }
    }
    EXPECT_TRUE(stage.everything().empty());
}

// Who enters a large room is shown themselves last, whatever they ask.
TEST(Probing, while_entering_is_left_to_the_entry) {
    RoomStage stage;
    for (std::size_t i = 0; i <= Room::kEntryAtOnceMax; ++i)
        stage.enter("witch" + std::to_string(i) + "@shakespeare.lit/x", "w" + std::to_string(i));
    stage.enter(kHag, "thirdwitch");
    ASSERT_TRUE(stage.room().is_entering(*xmpp::Jid::parse(kHag)));
    stage.send(kHag, probe("/thirdwitch"));
    EXPECT_EQ(stage.heard(kHag), "");
    while (stage.continue_entry(kHag)) {
    }
    stage.forget();
    stage.send(kHag, probe("/w3"));
    EXPECT_EQ(stage.heard(kHag), "+w3 none/participant");
}

TEST(AffiliationChange, is_told_to_whoever_is_not_there) {
    RoomStage stage;
    stage.enter(kCrone, "firstwitch");
    stage.admin(kCrone, "<item jid='hag66@shakespeare.lit' affiliation='admin'/>");
    const auto told = stage.taken("hag66@shakespeare.lit");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].to_xml(),
              "<message type='normal' from='coven@chat.shakespeare.lit' "
              "to='hag66@shakespeare.lit'><x xmlns='http://jabber.org/protocol/muc#user'><item "
              "affiliation='admin' role='none'/><status code='101'/></x></message>");
    // Not what stays as it is, and not a domain.
    stage.forget();
    stage.admin(kCrone,
                "<item jid='hag66@shakespeare.lit' affiliation='admin' nick='hag'/>"
                "<item jid='example.org' affiliation='outcast'/>");
    EXPECT_EQ(stage.heard("hag66@shakespeare.lit"), "");
    EXPECT_EQ(stage.heard("example.org"), "");
    // Not to those who are there, nor to who did it.
    stage.enter(kWicca, "secondwitch");
    stage.admin(kCrone, "<item jid='wiccarocks@shakespeare.lit' affiliation='member'/>");
    EXPECT_EQ(stage.heard("wiccarocks@shakespeare.lit"), "");
    stage.affiliate("hag66@shakespeare.lit", "owner");
    stage.admin(kHag, "<item jid='hag66@shakespeare.lit' affiliation='member'/>");
    EXPECT_EQ(stage.heard(kHag), "result a");
    EXPECT_EQ(stage.heard("hag66@shakespeare.lit"), "");
}

TEST(AffiliationChange, of_a_new_member_of_a_closed_room_is_told_by_the_invitation) {
    RoomStage stage({.members_only = true});
    stage.admin(kCrone, "<item jid='hag66@shakespeare.lit' affiliation='member'/>");
    EXPECT_EQ(stage.heard("hag66@shakespeare.lit"), "invited by coven@chat.shakespeare.lit");
    stage.admin(kCrone, "<item jid='hag66@shakespeare.lit' affiliation='none'/>");
    EXPECT_EQ(stage.taken("hag66@shakespeare.lit").size(), 1U);
}

// Somebody else may have that name by then.
TEST(AffiliationChange, is_not_told_to_an_account_that_was_removed) {
    RoomStage stage;
    stage.affiliate("wiccarocks@shakespeare.lit", "admin");
    stage.apply(stage.room().judge_departure(*xmpp::Jid::parse("crone1@shakespeare.lit")));
    EXPECT_EQ(stage.heard("crone1@shakespeare.lit"), "");
    EXPECT_EQ(stage.taken("wiccarocks@shakespeare.lit").size(), 1U);
}

}  // namespace
}  // namespace server::modules::muc::test
