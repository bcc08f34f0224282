// Kicks, voice, bans, membership, moderators, admins and owners: XEP-0045 §8.2 to §8.5, §9, §10.3
// to §10.8, and registration, §7.10.
#include "tests/server/modules/muc/room_stage.h"

#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>

namespace server::modules::muc::test {
namespace {

RoomConfig quiet() {
    return {.archived = false};
}
/// crone1 owner, wiccarocks admin, hag66 nobody in particular.
void gather(RoomStage& stage) {
    stage.affiliate("wiccarocks@shakespeare.lit", "admin");
    stage.enter(kCrone, "firstwitch");
    stage.enter(kWicca, "secondwitch");
    stage.enter(kHag, "thirdwitch");
}
std::string get(std::string_view item) {
    return "<iq xmlns='jabber:client' type='get' id='g'><query "
           "xmlns='http://jabber.org/protocol/muc#admin'>" +
           std::string(item) + "</query></iq>";
}
std::vector<std::string> listed(RoomStage& stage, std::string_view who, std::string_view item) {
    stage.send(who, get(item));
    auto answers = stage.taken(who);
    std::erase_if(answers, [](const auto& stanza) { return stanza.id() != "g"; });
    if (answers.size() != 1) return {"no answer"};
    if (answers[0].is_error()) return {line_of(answers[0])};
    std::vector<std::string> items;
    for (const xmpp::Element& one : answers[0].payload()->children()) {
        std::string text(one.attribute("jid"));
        for (const auto* name : {"affiliation", "role", "nick"})
            if (one.has_attribute(name)) text += " " + std::string(one.attribute(name));
        if (!one.child_text("reason").empty()) text += " '" + one.child_text("reason") + "'";
        items.push_back(text);
    }
    return items;
}

using Items = std::vector<std::string>;

// §8.2: the one who is kicked, the moderator, the rest.
TEST(Kick, is_told_in_the_order_of_the_xep) {
    RoomStage stage(quiet());
    gather(stage);
    stage.admin(kCrone,
                "<item nick='thirdwitch' role='none'><reason>Avaunt, you "
                "cullion!</reason></item>");
    EXPECT_EQ(stage.everything(),
              (Items{"hag66 -thirdwitch none/none [hag66@shakespeare.lit/pda] by=firstwitch "
                     "'Avaunt, you cullion!' {110 307}",
                     "crone1 result a",
                     "crone1 -thirdwitch none/none [hag66@shakespeare.lit/pda] by=firstwitch "
                     "'Avaunt, you cullion!' {307}",
                     "wiccarocks -thirdwitch none/none [hag66@shakespeare.lit/pda] by=firstwitch "
                     "'Avaunt, you cullion!' {307}"}));
    EXPECT_EQ(stage.room().occupants().size(), 2U);
}

TEST(Kick, is_refused_to_participants_and_of_who_stands_higher) {
    RoomStage stage(quiet());
    gather(stage);
    stage.admin(kHag, "<item nick='firstwitch' role='none'/>");
    EXPECT_EQ(stage.heard(kHag), "! forbidden auth");
    stage.admin(kWicca, "<item nick='firstwitch' role='none'/>");
    EXPECT_EQ(stage.heard(kWicca), "! not-allowed cancel");
    stage.admin(kCrone, "<item nick='nobody' role='none'/>");
    EXPECT_EQ(stage.heard(kCrone), "! item-not-found cancel");
    EXPECT_EQ(stage.room().occupants().size(), 3U);
}

TEST(Voice, is_granted_and_revoked) {
    RoomStage stage({.moderated = true, .archived = false});
    gather(stage);
    stage.admin(kWicca,
                "<item nick='thirdwitch' role='participant'><reason>A worthy witch "
                "indeed!</reason></item>");
    EXPECT_EQ(stage.everything(),
              (Items{"wiccarocks result a",
                     "crone1 +thirdwitch none/participant [hag66@shakespeare.lit/pda] "
                     "by=secondwitch 'A worthy witch indeed!'",
                     "wiccarocks +thirdwitch none/participant [hag66@shakespeare.lit/pda] "
                     "by=secondwitch 'A worthy witch indeed!'",
                     "hag66 +thirdwitch none/participant [hag66@shakespeare.lit/pda] "
                     "by=secondwitch 'A worthy witch indeed!' {110}"}));
    stage.admin(kWicca, "<item nick='thirdwitch' role='visitor'/>");
    EXPECT_EQ(stage.room().occupants().at(2).role, MucRole::visitor);
    stage.forget();
    stage.admin(kWicca, "<item nick='firstwitch' role='visitor'/>");
    EXPECT_EQ(stage.heard(kWicca), "! not-allowed cancel");
}

TEST(VoiceList, is_for_moderators_and_changes_as_a_whole) {
    RoomStage stage({.moderated = true});
    gather(stage);
    stage.affiliate("hag66@shakespeare.lit", "member");
    EXPECT_EQ(listed(stage, kCrone, "<item role='participant'/>"),
              Items{"hag66@shakespeare.lit/pda member participant thirdwitch"});
    EXPECT_EQ(listed(stage, kHag, "<item role='participant'/>"), Items{"! forbidden auth"});
    stage.admin(kWicca,
                "<item nick='thirdwitch' role='visitor'/><item nick='firstwitch' "
                "role='visitor'/>");
    EXPECT_EQ(stage.heard(kWicca), "! not-allowed cancel");
    EXPECT_EQ(stage.room().occupants().at(2).role, MucRole::participant);
}

TEST(Ban, removes_and_lists_and_takes_the_nick) {
    RoomStage stage(quiet());
    gather(stage);
    stage.admin(kCrone,
                "<item jid='hag66@shakespeare.lit' affiliation='member' "
                "nick='thirdwitch'/>");
    stage.forget();
    stage.admin(kWicca,
                "<item jid='hag66@shakespeare.lit/pda' affiliation='outcast'>"
                "<reason>Treason</reason></item>");
    EXPECT_EQ(stage.everything(),
              (Items{"hag66 -thirdwitch outcast/none [hag66@shakespeare.lit/pda] by=secondwitch "
                     "'Treason' {110 301}",
                     "wiccarocks result a",
                     "crone1 -thirdwitch outcast/none [hag66@shakespeare.lit/pda] by=secondwitch "
                     "'Treason' {301}",
                     "wiccarocks -thirdwitch outcast/none [hag66@shakespeare.lit/pda] "
                     "by=secondwitch 'Treason' {301}"}));
    EXPECT_EQ(listed(stage, kWicca, "<item affiliation='outcast'/>"),
              Items{"hag66@shakespeare.lit outcast 'Treason'"});
    EXPECT_EQ(stage.room().affiliations().holder_of("thirdwitch"), nullptr);
    stage.admin(kWicca, "<item jid='hag66@shakespeare.lit' affiliation='none'/>");
    EXPECT_EQ(listed(stage, kWicca, "<item affiliation='outcast'/>"), Items{});
}

TEST(Ban, of_a_domain_removes_all_from_there_without_affiliation) {
    RoomStage stage(quiet());
    gather(stage);
    stage.enter("one@evil.example/x", "one");
    stage.enter("two@evil.example/x", "two");
    stage.admin(kCrone, "<item jid='evil.example' affiliation='outcast'/>");
    EXPECT_EQ(stage.room().occupants().size(), 3U);
    stage.forget();
    stage.send("three@evil.example/x",
               "<presence xmlns='jabber:client' to='/three'><x "
               "xmlns='http://jabber.org/protocol/muc'/></presence>");
    EXPECT_EQ(stage.heard("three@evil.example/x"), "! forbidden auth");
}

TEST(Ban, is_refused_as_the_xep_says) {
    RoomStage stage(quiet());
    gather(stage);
    stage.admin(kHag, "<item jid='crone1@shakespeare.lit' affiliation='outcast'/>");
    EXPECT_EQ(stage.heard(kHag), "! forbidden auth");
    stage.admin(kWicca, "<item jid='crone1@shakespeare.lit' affiliation='outcast'/>");
    EXPECT_EQ(stage.heard(kWicca), "! not-allowed cancel");
    stage.admin(kWicca, "<item jid='wiccarocks@shakespeare.lit' affiliation='outcast'/>");
    EXPECT_EQ(stage.heard(kWicca), "! conflict cancel");
    stage.admin(kCrone, "<item jid='crone1@shakespeare.lit' affiliation='outcast'/>");
    EXPECT_EQ(stage.heard(kCrone), "! conflict cancel");
    // All or nothing (§9.2).
    stage.admin(kWicca,
                "<item jid='hag66@shakespeare.lit' affiliation='outcast'/><item "
                "jid='crone1@shakespeare.lit' affiliation='outcast'/>");
    EXPECT_EQ(stage.heard(kWicca), "! not-allowed cancel");
    EXPECT_EQ(stage.room().occupants().size(), 3U);
}

TEST(Requests, that_are_malformed_are_bad_requests) {
    RoomStage stage(quiet());
    gather(stage);
    for (const auto* items :
         {"", "<item/>", "<item affiliation='member' role='none' nick='thirdwitch'/>",
          "<item affiliation='member'/>", "<item role='none'/>", "<item role='none' nick=''/>",
          "<item jid='hag66@shakespeare.lit' affiliation='king'/>",
          "<item nick='thirdwitch' role='jester'/>"}) {
        stage.admin(kCrone, items);
        EXPECT_EQ(stage.heard(kCrone), "! bad-request modify") << items;
    }
    stage.admin(kCrone, "<item jid='@' affiliation='member'/>");
    EXPECT_EQ(stage.heard(kCrone), "! jid-malformed modify");
    for (const auto* item : {"", "<item/>", "<item affiliation='none'/>", "<item role='none'/>",
                             "<item affiliation='member' role='visitor'/>"})
        EXPECT_EQ(listed(stage, kCrone, item), Items{"! bad-request modify"}) << item;
}

TEST(Membership, is_granted_with_a_nick_and_shown) {
    RoomStage stage(quiet());
    gather(stage);
    stage.admin(kWicca,
                "<item jid='hag66@shakespeare.lit' affiliation='member' "
                "nick='thirdwitch'><reason>A worthy witch indeed!</reason></item>");
    EXPECT_EQ(stage.heard(kCrone),
              "+thirdwitch member/participant [hag66@shakespeare.lit/pda] by=secondwitch 'A worthy "
              "witch indeed!'");
    EXPECT_EQ(listed(stage, kWicca, "<item affiliation='member'/>").back(),
              "hag66@shakespeare.lit member thirdwitch");
    stage.admin(kWicca, "<item jid='hag66@shakespeare.lit' affiliation='none'/>");
    EXPECT_EQ(stage.heard(kCrone),
              "+thirdwitch none/participant [hag66@shakespeare.lit/pda] by=secondwitch");
}

TEST(Membership, in_a_moderated_room_brings_voice) {
    RoomStage stage({.moderated = true});
    gather(stage);
    stage.affiliate("hag66@shakespeare.lit", "member");
    EXPECT_EQ(stage.room().occupants().at(2).role, MucRole::participant);
}

TEST(Membership, that_ends_in_a_members_only_room_removes) {
    RoomStage stage({.members_only = true, .archived = false});
    stage.affiliate("hag66@shakespeare.lit", "member");
    gather(stage);
    stage.admin(kWicca, "<item jid='hag66@shakespeare.lit' affiliation='none'/>");
    EXPECT_EQ(stage.everything(),
              (Items{"hag66 -thirdwitch none/none [hag66@shakespeare.lit/pda] by=secondwitch "
                     "{110 321}",
                     "wiccarocks result a",
                     "crone1 -thirdwitch none/none [hag66@shakespeare.lit/pda] by=secondwitch "
                     "{321}",
                     "wiccarocks -thirdwitch none/none [hag66@shakespeare.lit/pda] "
                     "by=secondwitch {321}"}));
}

TEST(Membership, of_a_members_only_room_comes_with_an_invitation) {
    RoomStage stage({.members_only = true});
    stage.enter(kCrone, "firstwitch");
    stage.admin(kCrone, "<item jid='hecate@shakespeare.lit' affiliation='member'/>");
    EXPECT_EQ(stage.heard("hecate@shakespeare.lit"), "invited by coven@chat.shakespeare.lit");
    EXPECT_EQ(stage.heard(kCrone), "result a\nabsent hecate@shakespeare.lit member");
}

TEST(MemberList, is_for_members_who_see_addresses_and_for_staff) {
    RoomStage open({.anonymous = false});
    RoomStage anonymous;
    for (RoomStage* stage : {&open, &anonymous}) {
        gather(*stage);
        stage->affiliate("macbeth@shakespeare.lit", "member");
        EXPECT_EQ(listed(*stage, kWicca, "<item affiliation='member'/>"),
                  Items{"macbeth@shakespeare.lit member"});
        EXPECT_EQ(listed(*stage, kHag, "<item affiliation='member'/>"), Items{"! forbidden auth"});
    }
    EXPECT_EQ(listed(open, "macbeth@shakespeare.lit/x", "<item affiliation='owner'/>"),
              Items{"crone1@shakespeare.lit owner"});
    EXPECT_EQ(listed(anonymous, "macbeth@shakespeare.lit/x", "<item affiliation='member'/>"),
              Items{"! forbidden auth"});
    // §10.5, §10.8.
    EXPECT_EQ(listed(anonymous, kWicca, "<item affiliation='owner'/>"), Items{"! forbidden auth"});
    EXPECT_EQ(listed(anonymous, kCrone, "<item affiliation='admin'/>"),
              Items{"wiccarocks@shakespeare.lit admin"});
}

TEST(Moderators, are_made_and_unmade_by_staff) {
    RoomStage stage(quiet());
    gather(stage);
    stage.admin(kWicca, "<item nick='thirdwitch' role='moderator'/>");
    EXPECT_EQ(stage.heard(kCrone),
              "+thirdwitch none/moderator [hag66@shakespeare.lit/pda] by=secondwitch");
    stage.forget();
    stage.enter("macbeth@shakespeare.lit/x", "macbeth");
    stage.admin(kHag, "<item nick='macbeth' role='moderator'/>");
    EXPECT_EQ(stage.heard(kHag), "! forbidden auth");
    stage.admin(kWicca, "<item nick='firstwitch' role='participant'/>");
    EXPECT_EQ(stage.heard(kWicca), "! not-allowed cancel");
    stage.admin(kWicca, "<item nick='thirdwitch' role='participant'/>");
    EXPECT_EQ(stage.room().occupants().at(2).role, MucRole::participant);
}

TEST(Admins, are_the_owners_to_make) {
    RoomStage stage(quiet());
    gather(stage);
    stage.admin(kWicca, "<item jid='hag66@shakespeare.lit' affiliation='admin'/>");
    EXPECT_EQ(stage.heard(kWicca), "! forbidden auth");
    stage.admin(kCrone, "<item jid='hag66@shakespeare.lit' affiliation='admin'/>");
    EXPECT_EQ(stage.heard(kWicca),
              "+thirdwitch admin/moderator [hag66@shakespeare.lit/pda] by=firstwitch");
    stage.admin(kCrone, "<item jid='hag66@shakespeare.lit' affiliation='member'/>");
    EXPECT_EQ(stage.heard(kWicca),
              "+thirdwitch member/participant [hag66@shakespeare.lit/pda] by=firstwitch");
}

TEST(Owners, cannot_all_leave) {
    RoomStage stage(quiet());
    gather(stage);
    stage.admin(kCrone, "<item jid='crone1@shakespeare.lit' affiliation='admin'/>");
    EXPECT_EQ(stage.heard(kCrone), "! conflict cancel");
    stage.admin(kCrone, "<item jid='wiccarocks@shakespeare.lit' affiliation='owner'/>");
    stage.forget();
    stage.admin(kCrone, "<item jid='crone1@shakespeare.lit' affiliation='admin'/>");
    EXPECT_EQ(stage.heard(kWicca),
              "+firstwitch admin/moderator [crone1@shakespeare.lit/desktop] by=firstwitch");
}

// XEP-0045 §10.3: those who are not there are named to those who may see addresses.
TEST(Absent, are_announced_to_those_who_may_know) {
    RoomStage stage(quiet());
    gather(stage);
    stage.admin(kCrone, "<item jid='hecate@shakespeare.lit' affiliation='owner'/>");
    EXPECT_EQ(stage.heard(kWicca), "absent hecate@shakespeare.lit owner");
    EXPECT_EQ(stage.heard(kHag), "");
}

TEST(Limits, hold_for_affiliations) {
    RoomStage stage(quiet());
    stage.limits.affiliations_max = 3;
    stage.affiliate("a@shakespeare.lit", "member");
    stage.affiliate("b@shakespeare.lit", "member");
    stage.admin(kCrone, "<item jid='c@shakespeare.lit' affiliation='member'/>");
    EXPECT_EQ(stage.heard(kCrone), "! resource-constraint wait");
    stage.admin(kCrone, "<item jid='b@shakespeare.lit' affiliation='outcast'/>");
    EXPECT_EQ(stage.heard(kCrone), "result a");
}

// --- registration

std::string register_as(std::string_view nick) {
    return "<iq xmlns='jabber:client' type='set' id='r'><query xmlns='jabber:iq:register'><x "
           "xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"
           "http://jabber.org/protocol/muc#register</value></field><field "
           "var='muc#register_roomnick'><value>" +
           std::string(nick) + "</value></field></x></query></iq>";
}
constexpr std::string_view kAskRegistration =
    "<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:register'/></iq>";

TEST(Registration, makes_a_member_with_a_nick) {
    RoomStage stage(quiet());
    gather(stage);
    stage.send(kHag, kAskRegistration);
    const auto asked = stage.taken(kHag);
    ASSERT_EQ(asked.size(), 1U);
    const auto form = xmpp::DataForm::parse(*asked[0].payload()->child("x", xmpp::ns::data_forms));
    ASSERT_TRUE(form);
    EXPECT_TRUE(form->find("muc#register_roomnick")->required);
    stage.send(kHag, register_as("thirdwitch"));
    EXPECT_EQ(stage.heard(kCrone),
              "+thirdwitch member/participant [hag66@shakespeare.lit/pda] by=thirdwitch");
    EXPECT_EQ(line_of(stage.taken(kHag).at(0)), "result r");
    stage.send(kHag, kAskRegistration);
    const auto known = stage.taken(kHag).at(0);
    EXPECT_NE(known.payload()->child("registered"), nullptr);
    EXPECT_EQ(known.payload()->child_text("username"), "thirdwitch");
    stage.send(kHag,
               "<iq xmlns='jabber:client' type='set' id='u'><query "
               "xmlns='jabber:iq:register'><remove/></query></iq>");
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse(kHag)), MucAffiliation::none);
}

TEST(Registration, is_refused_as_the_xep_says) {
    RoomStage stage(quiet());
    gather(stage);
    stage.send(kHag, register_as("firstwitch"));
    EXPECT_EQ(stage.heard(kHag), "! conflict cancel");
    stage.send(kHag, register_as(""));
    EXPECT_EQ(stage.heard(kHag), "! bad-request modify");
    stage.send(kHag,
               "<iq xmlns='jabber:client' type='set' id='r'><query "
               "xmlns='jabber:iq:register'/></iq>");
    EXPECT_EQ(stage.heard(kHag), "! bad-request modify");
    stage.affiliate("hag66@shakespeare.lit", "outcast");
    stage.send(kHag, kAskRegistration);
    EXPECT_EQ(stage.heard(kHag), "! not-allowed cancel");
    RoomStage closed({.members_only = true});
    closed.send(kHag, kAskRegistration);
    EXPECT_EQ(closed.heard(kHag), "! not-allowed cancel");
}

// §10.3: everybody in the room is told of each; not a thousand times for one request.
TEST(Affiliation, of_many_who_are_not_here_is_told_together) {
    const auto members = [](std::size_t count) {
        std::string items;
        for (std::size_t i = 0; i < count; ++i)
            items += "<item affiliation='member' jid='w" + std::to_string(i) + "@example.org'/>";
        return items;
    };
    const auto told = [&](std::size_t count) {
        RoomStage stage(quiet());
        gather(stage);
        stage.forget();
        stage.admin(kCrone, members(count));
        std::vector<std::size_t> items;
        for (const xmpp::Stanza& stanza : stage.taken(kWicca))
            items.push_back(stanza.child("x", xmpp::ns::muc_user)->child_count());
        return items;
    };
    EXPECT_EQ(told(20), std::vector<std::size_t>(20, 1));
    EXPECT_EQ(told(21), std::vector<std::size_t>{21});
    EXPECT_EQ(told(250), (std::vector<std::size_t>{100, 100, 50}));
}

TEST(Affiliation, of_one_who_is_named_twice_is_the_later_one) {
    RoomStage stage(quiet());
    gather(stage);
    stage.admin(kCrone,
                "<item affiliation='member' jid='hag66@shakespeare.lit'/>"
                "<item affiliation='admin' jid='x@example.org'/>"
                "<item affiliation='admin' jid='hag66@shakespeare.lit'/>"
                "<item affiliation='none' jid='x@example.org'/>");
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse(kHag)), MucAffiliation::admin);
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse("x@example.org")),
              MucAffiliation::none);
}

}  // namespace
}  // namespace server::modules::muc::test
