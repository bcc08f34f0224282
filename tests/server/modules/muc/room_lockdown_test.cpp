// Rooms in which whoever has a reserved nick has no other one (XEP-0045 §7.6, §7.10, §18.1).
#include "tests/server/modules/muc/room_stage.h"

#include <gtest/gtest.h>

namespace server::modules::muc::test {
namespace {

constexpr std::string_view kReserve =
    "<item jid='hag66@shakespeare.lit' affiliation='member' nick='thirdwitch'/>";

std::string enter_as(std::string_view nick) {
    return "<presence xmlns='jabber:client' to='/" + std::string(nick) +
           "'><x xmlns='http://jabber.org/protocol/muc'/></presence>";
}

class Lockdown : public testing::Test {
protected:
    Lockdown() {
        stage.enter(kCrone, "firstwitch");
        stage.admin(kCrone, kReserve);
        stage.forget();
    }
    std::string entering(std::string_view jid, std::string_view nick) {
        stage.send(jid, enter_as(nick));
        return stage.heard(jid);
    }

    RoomStage stage{{.archived = false, .nicks_locked = true}};
};

TEST_F(Lockdown, gives_who_enters_their_own_nick) {
    EXPECT_EQ(entering(kHag, "hecate"),
              "+firstwitch owner/moderator\n"
              "+thirdwitch member/participant [hag66@shakespeare.lit/pda] {110 210}\n# ");
    EXPECT_EQ(stage.heard(kCrone), "+thirdwitch member/participant [hag66@shakespeare.lit/pda]");
    // Again, and from another client: it stays one occupant.
    EXPECT_NE(entering(kHag, "hecate")
                  .find("+thirdwitch member/participant "
                        "[hag66@shakespeare.lit/pda] {110 210}"),
              std::string::npos);
    EXPECT_NE(entering("hag66@shakespeare.lit/phone", "hag").find("{110 210}"), std::string::npos);
    EXPECT_EQ(stage.room().occupants().size(), 2U);
    EXPECT_EQ(stage.room().sessions(), 3U);
}

TEST_F(Lockdown, says_nothing_to_who_enters_with_their_nick_or_has_none) {
    EXPECT_NE(entering(kHag, "thirdwitch").find("{110}"), std::string::npos);
    EXPECT_NE(entering(kWicca, "secondwitch").find("{110}"), std::string::npos);
    // The nick is nobody else's, as ever.
    EXPECT_EQ(entering("macbeth@shakespeare.lit/x", "thirdwitch"), "! conflict cancel");
}

TEST_F(Lockdown, does_not_let_the_nick_be_changed) {
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag, "<presence xmlns='jabber:client' to='/oldhag'/>");
    EXPECT_EQ(stage.heard(kHag), "! not-acceptable cancel");
    stage.enter(kWicca, "secondwitch");
    stage.send(kWicca, "<presence xmlns='jabber:client' to='/other'/>");
    EXPECT_NE(stage.heard(kWicca).find("nick=other"), std::string::npos);
}

TEST_F(Lockdown, lets_those_who_were_there_before_change_to_their_nick) {
    RoomStage open({.archived = false});
    open.enter(kCrone, "firstwitch");
    open.enter(kHag, "hecate");
    open.admin(kCrone, kReserve);
    open.configure("<field var='{urn:parley:rooms}nick_lockdown'><value>1</value></field>");
    open.forget();
    open.send(kHag, "<presence xmlns='jabber:client' to='/oldhag'/>");
    EXPECT_EQ(open.heard(kHag), "! not-acceptable cancel");
    open.send(kHag, enter_as("oldhag"));
    EXPECT_EQ(open.room().occupants().back().nick, "thirdwitch");
}

// §7.10: "210 in the updated presence notification that it sends to all users".
TEST_F(Lockdown, gives_who_registers_the_nick_at_once) {
    stage.enter(kWicca, "wicca");
    stage.send(kWicca,
               "<iq xmlns='jabber:client' type='set' id='r'><query xmlns='jabber:iq:register'><x "
               "xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"
               "http://jabber.org/protocol/muc#register</value></field><field "
               "var='muc#register_roomnick'><value>secondwitch</value></field></x></query></iq>");
    EXPECT_EQ(stage.heard(kCrone),
              "+wicca member/participant [wiccarocks@shakespeare.lit/laptop] by=wicca\n"
              "-wicca member/participant [wiccarocks@shakespeare.lit/laptop] nick=secondwitch "
              "{303}\n"
              "+secondwitch member/participant [wiccarocks@shakespeare.lit/laptop] {210}");
    EXPECT_NE(stage.heard(kWicca).find("{110 210}"), std::string::npos);
}

TEST_F(Lockdown, takes_no_nick_away_from_who_has_it_now) {
    stage.enter(kWicca, "wicca");
    stage.enter("macbeth@shakespeare.lit/x", "secondwitch");
    stage.admin(kCrone,
                "<item jid='wiccarocks@shakespeare.lit' affiliation='member' nick='secondwitch'/>");
    EXPECT_EQ(stage.heard("macbeth@shakespeare.lit/x"), "+wicca member/participant by=firstwitch");
    EXPECT_EQ(entering("wiccarocks@shakespeare.lit/phone", "any"), "! conflict cancel");
}

TEST(Nicks, are_free_where_they_are_not_locked) {
    RoomStage stage({.archived = false});
    stage.enter(kCrone, "firstwitch");
    stage.admin(kCrone, kReserve);
    stage.send(kHag, enter_as("hecate"));
    EXPECT_EQ(stage.heard(kHag),
              "+firstwitch owner/moderator\n"
              "+hecate member/participant [hag66@shakespeare.lit/pda] {110}\n# ");
    stage.send(kHag, "<presence xmlns='jabber:client' to='/oldhag'/>");
    EXPECT_NE(stage.heard(kHag).find("nick=oldhag"), std::string::npos);
}

}  // namespace
}  // namespace server::modules::muc::test
