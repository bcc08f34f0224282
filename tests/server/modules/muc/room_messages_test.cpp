// What is said: XEP-0045 §7.4, §7.5, §7.8, §7.13, §8.1, §8.6, §14.1; XEP-0410, XEP-0421, XEP-0500.
#include "tests/server/modules/muc/room_stage.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/stanza_id.h"

#include <gtest/gtest.h>

namespace server::modules::muc::test {
namespace {

std::string say(std::string_view text) {
    return "<message xmlns='jabber:client' type='groupchat' id='hysf1v37'><body>" +
           std::string(text) + "</body></message>";
}
std::string whisper(std::string_view nick, std::string_view text, std::string_view type = "chat") {
    return "<message xmlns='jabber:client' type='" + std::string(type) + "' id='p1' to='/" +
           std::string(nick) + "'><body>" + std::string(text) + "</body></message>";
}
std::string subject(std::string_view text) {
    return "<message xmlns='jabber:client' type='groupchat'><subject>" + std::string(text) +
           "</subject></message>";
}
std::string to_room(std::string_view content) {
    return "<message xmlns='jabber:client' id='n1'>" + std::string(content) + "</message>";
}
std::string mediated(std::string_view content) {
    return to_room("<x xmlns='http://jabber.org/protocol/muc#user'>" + std::string(content) +
                   "</x>");
}
RoomConfig quiet() {
    return {.archived = false};
}
void gather(RoomStage& stage) {
    stage.enter(kCrone, "firstwitch");
    stage.enter(kWicca, "secondwitch");
    stage.enter(kHag, "thirdwitch");
}

TEST(Groupchat, goes_to_everybody_the_speaker_included_with_its_id) {
    RoomStage stage;
    gather(stage);
    stage.send(kHag, say("Harpier cries: 'tis time, 'tis time."));
    for (const std::string_view who : {kCrone, kWicca, kHag}) {
        const auto heard = stage.taken(who);
        ASSERT_EQ(heard.size(), 1U) << who;
        EXPECT_EQ(line_of(heard[0]), "thirdwitch: Harpier cries: 'tis time, 'tis time.");
        EXPECT_EQ(heard[0].id(), "hysf1v37");
        EXPECT_EQ(xmpp::find_stanza_id(heard[0], *xmpp::Jid::parse(kRoom)), "archived-1");
        EXPECT_NE(heard[0].child("occupant-id", xmpp::ns::occupant_ids), nullptr);
    }
}

// Who hears it is kept from one message to the next.
TEST(Groupchat, goes_to_those_who_are_there_by_then) {
    RoomStage stage;
    const auto hear = [&stage](std::string_view text) {
        stage.forget();
        stage.send(kCrone, say(text));
        std::string who;
        for (const std::string_view one : {kCrone, kWicca, kHag})
            if (!stage.taken(one).empty()) who += one.substr(0, 1);
        return who;
    };
    const auto leave = [&stage](std::string_view who) {
        stage.send(who, "<presence xmlns='jabber:client' type='unavailable' to='/x'/>");
    };
    stage.enter(kCrone, "firstwitch");
    EXPECT_EQ(hear("alone"), "c");
    stage.enter(kWicca, "secondwitch");
    EXPECT_EQ(hear("two"), "cw");
    stage.enter(kHag, "thirdwitch");
    EXPECT_EQ(hear("three"), "cwh");
    leave(kWicca);
    EXPECT_EQ(hear("two again"), "ch");
    constexpr std::string_view kPhone = "hag66@shakespeare.lit/phone";
    stage.enter(kPhone, "thirdwitch");  // A second client of the same occupant.
    EXPECT_EQ(hear("both clients"), "ch");
    EXPECT_EQ(stage.taken(kPhone).size(), 1U);
    leave(kHag);
    EXPECT_EQ(hear("the phone"), "c");
    EXPECT_EQ(stage.taken(kPhone).size(), 1U);
    stage.affiliate("hag66@shakespeare.lit", "outcast");
    EXPECT_EQ(hear("none but one"), "c");
    EXPECT_TRUE(stage.taken(kPhone).empty());
}

TEST(Groupchat, has_nothing_in_it_that_only_the_room_says) {
    RoomStage stage;
    gather(stage);
    stage.send(kHag,
               "<message xmlns='jabber:client' type='groupchat'><body>hail</body>"
               "<stanza-id xmlns='urn:xmpp:sid:0' by='coven@chat.shakespeare.lit' id='forged'/>"
               "<stanza-id xmlns='urn:xmpp:sid:0' by='other.example' id='kept'/>"
               "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>"
               "<x xmlns='http://jabber.org/protocol/muc#user'><item jid='forged@x.lit'/></x>"
               "<addresses xmlns='http://jabber.org/protocol/address'><address type='ofrom' "
               "jid='forged@x.lit'/></addresses>"
               "<delay xmlns='urn:xmpp:delay' from='coven@chat.shakespeare.lit' "
               "stamp='2002-10-13T23:58:37Z'/>"
               "<active xmlns='http://jabber.org/protocol/chatstates'/></message>");
    const auto heard = stage.taken(kCrone).at(0);
    EXPECT_EQ(heard.to_xml().find("forged"), std::string::npos) << heard.to_xml();
    EXPECT_EQ(heard.child("delay", xmpp::ns::delay), nullptr);
    EXPECT_NE(heard.to_xml().find("kept"), std::string::npos);
    EXPECT_NE(heard.child("active", xmpp::ns::chat_states), nullptr);
}

TEST(Groupchat, is_for_those_who_are_in) {
    RoomStage stage;
    stage.enter(kCrone, "firstwitch");
    stage.send(kHag, say("hail"));
    EXPECT_EQ(stage.heard(kHag), "! not-acceptable modify");
    EXPECT_EQ(stage.heard(kCrone), "");
}

TEST(Groupchat, is_not_for_visitors) {
    RoomStage stage({.moderated = true});
    gather(stage);
    stage.send(kHag, say("hail"));
    const auto refusal = stage.taken(kHag).at(0);
    EXPECT_EQ(line_of(refusal), "! forbidden auth");
    EXPECT_EQ(refusal.body_text(), "hail");
    EXPECT_EQ(stage.heard(kCrone), "");
}

TEST(Groupchat, of_chat_states_is_neither_archived_nor_history) {
    RoomStage stage;
    gather(stage);
    stage.send(kHag,
               "<message xmlns='jabber:client' type='groupchat'><composing "
               "xmlns='http://jabber.org/protocol/chatstates'/></message>");
    const auto heard = stage.taken(kCrone);
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_FALSE(xmpp::find_stanza_id(heard[0], *xmpp::Jid::parse(kRoom)));
    EXPECT_EQ(stage.room().history().size(), 0U);
}

TEST(Groupchat, of_another_type_is_refused) {
    RoomStage stage;
    gather(stage);
    for (const auto* type : {"chat", "normal", "headline"}) {
        stage.send(kHag, "<message xmlns='jabber:client' type='" + std::string(type) +
                             "'><body>hail</body></message>");
        EXPECT_EQ(stage.heard(kHag), "! bad-request modify") << type;
    }
}

// XEP-0500.
TEST(SlowMode, makes_people_wait_but_not_the_staff) {
    RoomStage stage({.slow_mode_seconds = 20});
    gather(stage);
    stage.send(kHag, say("one"));
    stage.now.microseconds += 19'999'999;
    stage.forget();
    stage.send(kHag, say("two"));
    EXPECT_EQ(stage.heard(kHag), "! policy-violation wait");
    stage.send(kHag,
               "<message xmlns='jabber:client' type='groupchat'><active "
               "xmlns='http://jabber.org/protocol/chatstates'/></message>");
    stage.now.microseconds += 1;
    stage.forget();
    stage.send(kHag, say("three"));
    EXPECT_EQ(stage.heard(kCrone), "thirdwitch: three");
    stage.send(kCrone, say("four"));
    stage.send(kCrone, say("five"));
    EXPECT_EQ(stage.heard(kWicca), "thirdwitch: three\nfirstwitch: four\nfirstwitch: five");
}

// --- subject

TEST(Subject, is_changed_by_moderators_and_shown_to_newcomers) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag, subject("mine"));
    EXPECT_EQ(stage.heard(kHag), "! forbidden auth");
    stage.send(kCrone, subject("Fire Burn and Cauldron Bubble!"));
    EXPECT_EQ(stage.heard(kHag), "firstwitch# Fire Burn and Cauldron Bubble!");
    EXPECT_EQ(stage.heard(kCrone), "firstwitch# Fire Burn and Cauldron Bubble!");
    stage.send(kWicca,
               "<presence xmlns='jabber:client' to='/secondwitch'><x "
               "xmlns='http://jabber.org/protocol/muc'/></presence>");
    const auto heard = stage.taken(kWicca);
    EXPECT_EQ(line_of(heard.back()), "late firstwitch# Fire Burn and Cauldron Bubble!");
}

TEST(Subject, may_be_open_to_participants) {
    RoomStage stage({.subject_open = true});
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag, subject("ours"));
    EXPECT_EQ(stage.heard(kHag), "thirdwitch# ours");
}

TEST(Subject, can_be_taken_away) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.send(kCrone, subject("something"));
    stage.send(kCrone, subject(""));
    stage.forget();
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag,
               "<presence xmlns='jabber:client' to='/thirdwitch'><x "
               "xmlns='http://jabber.org/protocol/muc'/></presence>");
    EXPECT_EQ(line_of(stage.taken(kHag).back()), "late firstwitch# ");
}

TEST(Subject, is_none_with_a_body_or_a_thread) {
    RoomStage stage(quiet());
    gather(stage);
    stage.send(kHag,
               "<message xmlns='jabber:client' type='groupchat'><subject>s</subject>"
               "<body>b</body></message>");
    EXPECT_EQ(stage.heard(kCrone), "thirdwitch: b");
    stage.send(kHag,
               "<message xmlns='jabber:client' type='groupchat'><subject>s</subject>"
               "<thread>t</thread></message>");
    EXPECT_TRUE(stage.room().subject().xml.empty());
}

TEST(Subject, that_cannot_be_saved_is_not_changed) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.saves = false;
    stage.send(kCrone, subject("lost"));
    EXPECT_TRUE(stage.room().subject().xml.empty());
    EXPECT_EQ(stage.heard(kCrone), "");
}

// --- private messages

TEST(PrivateMessage, goes_to_all_clients_of_one_occupant_and_shows_no_address) {
    RoomStage stage;
    gather(stage);
    stage.enter("crone1@shakespeare.lit/phone", "firstwitch");
    stage.send(kWicca, whisper("firstwitch", "I'll give thee a wind."));
    for (const std::string_view who : {kCrone, std::string_view("crone1@shakespeare.lit/phone")}) {
        const auto heard = stage.taken(who);
        ASSERT_EQ(heard.size(), 1U);
        EXPECT_EQ(line_of(heard[0]), "(secondwitch) I'll give thee a wind.");
        EXPECT_NE(heard[0].child("x", xmpp::ns::muc_user), nullptr);
        EXPECT_EQ(heard[0].to_xml().find("wiccarocks"), std::string::npos);
    }
    EXPECT_EQ(stage.heard(kHag), "");
}

TEST(PrivateMessage, is_refused_as_the_examples_say) {
    RoomStage stage;
    gather(stage);
    stage.send(kWicca, whisper("firstwitch", "x", "groupchat"));
    EXPECT_EQ(stage.heard(kWicca), "! bad-request modify");
    stage.send(kWicca, whisper("nobody", "x"));
    EXPECT_EQ(stage.heard(kWicca), "! item-not-found cancel");
    stage.send("stranger@shakespeare.lit/x", whisper("firstwitch", "x"));
    EXPECT_EQ(stage.heard("stranger@shakespeare.lit/x"), "! not-acceptable modify");
    EXPECT_EQ(stage.heard(kCrone), "");
}

TEST(PrivateMessage, is_for_whom_the_room_allows_it) {
    const std::pair<PrivateMessages, int> cases[] = {{PrivateMessages::anyone, 0},
                                                     {PrivateMessages::participants, 1},
                                                     {PrivateMessages::moderators, 2},
                                                     {PrivateMessages::none, 3}};
    for (const auto& [rule, refused] : cases) {
        RoomStage stage({.moderated = true, .private_messages = rule});
        stage.affiliate("wiccarocks@shakespeare.lit", "member");
        gather(stage);
        int refusals = 0;
        for (const std::string_view who : {kCrone, kWicca, kHag}) {
            stage.send(who, whisper("firstwitch", "x"));
            refusals += stage.heard(who) == "! forbidden auth" ? 1 : 0;
        }
        EXPECT_EQ(refusals, refused);
    }
}

TEST(PrivateMessage, that_is_refused_by_its_recipient_is_no_reason_to_go) {
    RoomStage stage(quiet());
    gather(stage);
    stage.send(kWicca, whisper("firstwitch", "x"));
    stage.forget();
    stage.send(kCrone,
               "<message xmlns='jabber:client' type='error' id='p1' to='/secondwitch'>"
               "<error type='cancel'><service-unavailable "
               "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
    EXPECT_EQ(stage.heard(kWicca), "! service-unavailable cancel");
    EXPECT_EQ(stage.heard(kHag), "");
    EXPECT_EQ(stage.room().occupants().size(), 3U);
}

// --- invitations

TEST(Invitation, is_passed_on_with_the_password) {
    RoomStage stage({.password = "cauldronburn", .anonymous = false});
    stage.send(kCrone,
               "<presence xmlns='jabber:client' to='/firstwitch'><x "
               "xmlns='http://jabber.org/protocol/muc'><password>cauldronburn</password>"
               "</x></presence>");
    stage.forget();
    stage.send(kCrone, mediated("<invite to='hecate@shakespeare.lit'><reason>Hey Hecate, this is "
                                "the place for all good witches!</reason><continue "
                                "thread='e0ffe42b'/></invite>"));
    const auto invited = stage.taken("hecate@shakespeare.lit");
    ASSERT_EQ(invited.size(), 1U);
    EXPECT_EQ(line_of(invited[0]), "invited by crone1@shakespeare.lit");
    EXPECT_EQ(invited[0].from()->text(), kRoom);
    EXPECT_EQ(invited[0].id(), "n1");
    const xmpp::Element& x = *invited[0].child("x", xmpp::ns::muc_user);
    EXPECT_EQ(x.child_text("password"), "cauldronburn");
    EXPECT_EQ(x.child("invite")->child("continue")->attribute("thread"), "e0ffe42b");
    EXPECT_EQ(stage.heard(kCrone), "");
}

TEST(Invitation, shows_no_address_of_a_semi_anonymous_room) {
    RoomStage stage;
    gather(stage);
    stage.send(kHag, mediated("<invite to='hecate@shakespeare.lit'/>"));
    EXPECT_EQ(stage.heard("hecate@shakespeare.lit"),
              "invited by coven@chat.shakespeare.lit/thirdwitch");
}

TEST(Invitation, to_a_members_only_room_is_the_staffs_and_makes_a_member) {
    RoomStage stage({.members_only = true});
    stage.affiliate("hag66@shakespeare.lit", "member");
    stage.enter(kCrone, "firstwitch");
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag, mediated("<invite to='hecate@shakespeare.lit'/>"));
    EXPECT_EQ(stage.heard(kHag), "! forbidden auth");
    stage.send(kCrone, mediated("<invite to='hecate@shakespeare.lit/broom'/>"));
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse("hecate@shakespeare.lit")),
              MucAffiliation::member);
    // Once, to the client that was named.
    EXPECT_EQ(stage.heard("hecate@shakespeare.lit/broom"),
              "invited by coven@chat.shakespeare.lit/firstwitch");
}

TEST(Invitation, by_a_member_may_be_allowed) {
    RoomStage stage({.members_only = true, .invites_open = true});
    stage.affiliate("hag66@shakespeare.lit", "member");
    stage.enter(kHag, "thirdwitch");
    stage.send(kHag, mediated("<invite to='hecate@shakespeare.lit'/>"));
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse("hecate@shakespeare.lit")),
              MucAffiliation::member);
}

TEST(Invitation, to_an_open_room_makes_no_member) {
    RoomStage stage;
    gather(stage);
    stage.send(kCrone, mediated("<invite to='hecate@shakespeare.lit'/>"));
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse("hecate@shakespeare.lit")),
              MucAffiliation::none);
}

TEST(Invitation, is_refused_when_it_is_none) {
    RoomStage stage;
    gather(stage);
    stage.affiliate("banquo@shakespeare.lit", "outcast");
    stage.send("stranger@shakespeare.lit/x", mediated("<invite to='hecate@shakespeare.lit'/>"));
    EXPECT_EQ(stage.heard("stranger@shakespeare.lit/x"), "! not-acceptable modify");
    stage.send(kHag, mediated("<invite/>"));
    EXPECT_EQ(stage.heard(kHag), "! bad-request modify");
    stage.send(kHag, mediated("<invite to='@'/>"));
    EXPECT_EQ(stage.heard(kHag), "! jid-malformed modify");
    stage.send(kHag, mediated("<invite to='banquo@shakespeare.lit'/>"));
    EXPECT_EQ(stage.heard(kHag), "! forbidden auth");
    std::string many;
    for (std::size_t i = 0; i <= xmpp::kMucInvitesMax; ++i)
        many += "<invite to='w" + std::to_string(i) + "@shakespeare.lit'/>";
    stage.send(kHag, mediated(many));
    EXPECT_EQ(stage.heard(kHag), "! policy-violation modify");
}

TEST(Invitation, of_nobody_comes_back_as_not_found) {
    RoomStage stage(quiet());
    gather(stage);
    stage.send(kHag, mediated("<invite to='nobody@shakespeare.lit'/>"));
    stage.forget();
    const std::string refusal =
        "<message xmlns='jabber:client' type='error' id='n1'><error type='cancel'>"
        "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>";
    stage.send("other@shakespeare.lit", refusal);
    EXPECT_EQ(stage.heard(kHag), "");
    stage.send("nobody@shakespeare.lit", refusal);
    EXPECT_EQ(stage.heard(kHag), "! item-not-found cancel");
    stage.send("nobody@shakespeare.lit", refusal);
    EXPECT_EQ(stage.heard(kHag), "");
}

TEST(Decline, reaches_the_inviter_by_nick_or_address_and_nobody_else) {
    RoomStage stage;
    gather(stage);
    const std::string_view hecate = "hecate@shakespeare.lit/broom";
    stage.send(hecate, mediated("<decline to='crone1@shakespeare.lit'><reason>Sorry, I'm too busy "
                                "right now.</reason></decline>"));
    EXPECT_EQ(stage.heard("crone1@shakespeare.lit"), "declined by hecate@shakespeare.lit");
    stage.send(hecate, mediated("<decline to='coven@chat.shakespeare.lit/thirdwitch'/>"));
    EXPECT_EQ(stage.heard(kHag), "declined by hecate@shakespeare.lit");
    stage.send(hecate, mediated("<decline to='victim@shakespeare.lit'/>"));
    EXPECT_EQ(stage.heard("victim@shakespeare.lit"), "");
    EXPECT_EQ(stage.heard(hecate), "! item-not-found cancel");
}

// --- voice

std::string form(std::string_view fields) {
    return to_room(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"
        "http://jabber.org/protocol/muc#request</value></field><field "
        "var='muc#role'><value>participant</value></field>" +
        std::string(fields) + "</x>");
}

TEST(Voice, is_asked_of_the_moderators_and_granted_by_one) {
    RoomStage stage({.moderated = true, .archived = false});
    gather(stage);
    stage.send(kHag, form(""));
    const auto request = stage.taken(kCrone);
    ASSERT_EQ(request.size(), 1U);
    const auto asked = xmpp::DataForm::parse(*request[0].child("x", xmpp::ns::data_forms));
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->form_type(), "http://jabber.org/protocol/muc#request");
    EXPECT_EQ(asked->value("muc#roomnick"), "thirdwitch");
    EXPECT_EQ(asked->value("muc#jid"), kHag);
    EXPECT_EQ(asked->value("muc#request_allow"), "false");
    EXPECT_EQ(stage.heard(kWicca), "");
    const std::string approval =
        "<field var='muc#roomnick'><value>thirdwitch</value></field>"
        "<field var='muc#request_allow'><value>true</value></field>";
    stage.send(kWicca, form(approval));
    EXPECT_EQ(stage.heard(kWicca), "! forbidden auth");
    stage.send(kCrone, form(approval));
    EXPECT_EQ(stage.heard(kWicca), "+thirdwitch none/participant by=firstwitch");
    stage.send(kCrone, form(approval));
    EXPECT_EQ(stage.heard(kWicca), "");
}

// --- requests from occupant to occupant

TEST(Relay, answers_a_ping_of_oneself_for_those_who_are_in) {
    RoomStage stage;
    gather(stage);
    const std::string ping =
        "<iq xmlns='jabber:client' type='get' id='s2c1' to='/thirdwitch'><ping "
        "xmlns='urn:xmpp:ping'/></iq>";
    stage.send(kHag, ping);
    EXPECT_EQ(stage.heard(kHag), "result s2c1");
    stage.send("stranger@shakespeare.lit/x", ping);
    EXPECT_EQ(stage.heard("stranger@shakespeare.lit/x"), "! not-acceptable modify");
    stage.send("hag66@shakespeare.lit/phone", ping);
    EXPECT_EQ(stage.heard("hag66@shakespeare.lit/phone"), "! not-acceptable modify");
}

TEST(Relay, passes_requests_and_answers_without_addresses) {
    RoomStage stage;
    gather(stage);
    stage.send(kWicca,
               "<iq xmlns='jabber:client' type='get' id='v1' to='/thirdwitch'><query "
               "xmlns='jabber:iq:version'/></iq>");
    const auto asked = stage.taken(kHag);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].from()->text(), "coven@chat.shakespeare.lit/secondwitch");
    EXPECT_EQ(asked[0].to_xml().find("wiccarocks"), std::string::npos);
    const std::string answer = "<iq xmlns='jabber:client' type='result' id='" +
                               std::string(asked[0].id()) +
                               "' to='/secondwitch'><query xmlns='jabber:iq:version'/></iq>";
    stage.send(kCrone, answer);  // Nobody asked her.
    EXPECT_EQ(stage.heard(kWicca), "");
    stage.send(kHag, answer);
    const auto answered = stage.taken(kWicca);
    ASSERT_EQ(answered.size(), 1U);
    EXPECT_EQ(line_of(answered[0]), "result v1");
    EXPECT_EQ(answered[0].from()->text(), "coven@chat.shakespeare.lit/thirdwitch");
    EXPECT_EQ(answered[0].to_xml().find("hag66"), std::string::npos);
    stage.send(kHag, answer);
    EXPECT_EQ(stage.heard(kWicca), "");
}

TEST(Relay, asks_the_account_for_a_vcard) {
    RoomStage stage;
    gather(stage);
    stage.send(kWicca,
               "<iq xmlns='jabber:client' type='get' id='v1' to='/thirdwitch'><vCard "
               "xmlns='vcard-temp'/></iq>");
    EXPECT_EQ(stage.taken("hag66@shakespeare.lit").size(), 1U);
}

// --- nobody's address

// Whatever happens in a semi-anonymous room, nobody but moderators is sent an address of another.
TEST(Anonymity, holds_on_every_byte) {
    RoomStage stage(quiet());
    stage.enter(kCrone, "firstwitch");
    stage.send(kHag,
               "<presence xmlns='jabber:client' to='/thirdwitch'><x "
               "xmlns='http://jabber.org/protocol/muc'/></presence>");
    const auto steps = [&] {
        stage.send(kWicca,
                   "<presence xmlns='jabber:client' to='/secondwitch'><x "
                   "xmlns='http://jabber.org/protocol/muc'/></presence>");
        stage.send(kWicca, say("hail"));
        stage.send(kWicca, whisper("thirdwitch", "psst"));
        stage.send(kWicca, "<presence xmlns='jabber:client' to='/second'/>");
        stage.send(kWicca, mediated("<invite to='hag66@shakespeare.lit/pda'/>"));
        stage.admin(kCrone, "<item nick='second' role='visitor'/>");
        stage.send(kWicca, form(""));
        stage.admin(kCrone, "<item jid='wiccarocks@shakespeare.lit' affiliation='member'/>");
        stage.admin(kCrone, "<item jid='wiccarocks@shakespeare.lit' affiliation='none'/>");
        stage.admin(kCrone, "<item nick='second' role='none'/>");
        stage.admin(kCrone, "<item jid='wiccarocks@shakespeare.lit' affiliation='outcast'/>");
    };
    steps();
    std::size_t seen = 0;
    for (const auto& stanza : stage.taken(kHag)) {
        ++seen;
        EXPECT_EQ(stanza.to_xml().find("wiccarocks"), std::string::npos) << stanza.to_xml();
        EXPECT_EQ(stanza.to_xml().find("crone1"), std::string::npos) << stanza.to_xml();
    }
    EXPECT_GT(seen, 10U);
}

}  // namespace
}  // namespace server::modules::muc::test
