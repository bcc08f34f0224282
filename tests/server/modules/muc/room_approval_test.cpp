// Registrations that a room's admins approve of (XEP-0045 §7.10, §9.9).
#include "tests/server/modules/muc/room_stage.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/data_form.h"

#include <gtest/gtest.h>

namespace server::modules::muc::test {
namespace {

using xmpp::DataForm;
using xmpp::Jid;
using xmpp::MucAffiliation;
using xmpp::Stanza;

constexpr std::string_view kHagBare = "hag66@shakespeare.lit";
constexpr std::string_view kCroneBare = "crone1@shakespeare.lit";
constexpr std::string_view kWiccaBare = "wiccarocks@shakespeare.lit";

std::string ask_for(std::string_view nick) {
    return "<iq xmlns='jabber:client' type='set' id='r'><query xmlns='jabber:iq:register'><x "
           "xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"
           "http://jabber.org/protocol/muc#register</value></field><field "
           "var='muc#register_roomnick'><value>" +
           std::string(nick) + "</value></field></x></query></iq>";
}

std::string field(std::string_view var, std::string_view value) {
    return "<field var='" + std::string(var) + "'><value>" + std::string(value) +
           "</value></field>";
}

std::string form(std::string_view fields, std::string_view type = "submit") {
    return "<message xmlns='jabber:client' id='m'><x xmlns='jabber:x:data' type='" +
           std::string(type) +
           "'><field var='FORM_TYPE' type='hidden'><value>"
           "http://jabber.org/protocol/muc#register</value></field>" +
           std::string(fields) + "</x></message>";
}

std::string decide(std::string_view user, std::string_view nick, std::string_view allow) {
    return form(field("{urn:parley:rooms}jid", user) + field("muc#register_roomnick", nick) +
                field("muc#register_allow", allow));
}

class Approval : public testing::Test {
protected:
    Approval() : stage({.members_only = true, .registration_approved = true}) {
        stage.affiliate(kWiccaBare, "admin");
    }
    MucAffiliation of(std::string_view jid) {
        return stage.room().affiliations().of(*Jid::parse(jid));
    }
    void ask(std::string_view from = kHag, std::string_view nick = "thirdwitch") {
        stage.send(from, ask_for(nick));
        EXPECT_EQ(stage.heard(from), "result r");
        stage.forget();
    }
    std::string told(std::string_view from, std::string_view xml) {
        stage.send(from, xml);
        return stage.heard(from);
    }
    std::size_t waiting() { return stage.room().requests().all().size(); }

    RoomStage stage;
};

TEST_F(Approval, is_asked_of_owners_and_admins_wherever_they_are) {
    stage.send(kHag, ask_for("thirdwitch"));
    const std::vector<std::string> expected = {"hag66 result r", "crone1 form", "wiccarocks form"};
    EXPECT_EQ(stage.everything(), expected);
    EXPECT_EQ(of(kHag), MucAffiliation::none);
    EXPECT_FALSE(stage.room().may_enter(*Jid::parse(kHag)));
    // The same again bothers nobody; another nick takes the place of the first.
    ask();
    stage.send(kHag, ask_for("hecate"));
    EXPECT_EQ(stage.everything().size(), 3U);
    ASSERT_EQ(waiting(), 1U);
    EXPECT_EQ(stage.room().requests().all()[0].nick, "hecate");
}

// The form that comes is the form that goes back.
TEST_F(Approval, makes_a_member_with_the_nick) {
    ask();
    stage.enter(kCrone, "firstwitch");
    stage.send(kHag, ask_for("hecate"));
    const std::vector<Stanza> asked = stage.taken(kWiccaBare);
    ASSERT_EQ(asked.size(), 1U);
    auto answer = DataForm::parse(*asked[0].child("x", xmpp::ns::data_forms));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->form_type(), "http://jabber.org/protocol/muc#register");
    EXPECT_EQ(answer->value("muc#register_allow"), "0");
    stage.forget();
    std::string fields;
    for (const xmpp::FormField& one : answer->fields)
        if (one.var != xmpp::kFormTypeField)
            fields += field(one.var, one.var == "muc#register_allow" ? "1" : one.value());
    EXPECT_EQ(told(kWicca, form(fields)), "");
    EXPECT_EQ(of(kHag), MucAffiliation::member);
    EXPECT_EQ(stage.room().affiliations().find(*Jid::parse(kHagBare))->nick, "hecate");
    EXPECT_EQ(stage.heard(kCrone), "absent hag66@shakespeare.lit member");
    EXPECT_EQ(stage.heard(kHagBare), "invited by coven@chat.shakespeare.lit");
    EXPECT_EQ(waiting(), 0U);
    EXPECT_EQ(
        told(kHag, "<iq xmlns='jabber:client' type='get'><query xmlns='jabber:iq:register'/></iq>"),
        "result i");
}

TEST_F(Approval, that_is_denied_leaves_everything_as_it_was) {
    ask();
    EXPECT_EQ(told(kWicca, decide(kHagBare, "thirdwitch", "0")), "");
    EXPECT_TRUE(stage.everything().empty());
    EXPECT_EQ(of(kHag), MucAffiliation::none);
    EXPECT_EQ(waiting(), 0U);
}

TEST_F(Approval, that_is_cancelled_skips_the_request) {
    ask();
    EXPECT_EQ(told(kWicca, form("", "cancel")), "");
    EXPECT_EQ(told(kCrone,
                   "<message xmlns='jabber:client'><x xmlns='jabber:x:data' type='cancel'/>"
                   "</message>"),
              "");
    EXPECT_EQ(waiting(), 1U);
}

TEST_F(Approval, is_the_admins_alone) {
    ask();
    EXPECT_EQ(told(kHag, decide(kHagBare, "thirdwitch", "1")), "! forbidden auth");
    stage.affiliate("member@shakespeare.lit", "member");
    EXPECT_EQ(told("member@shakespeare.lit/x", decide(kHagBare, "thirdwitch", "1")),
              "! forbidden auth");
    EXPECT_EQ(of(kHag), MucAffiliation::none);
    EXPECT_EQ(waiting(), 1U);
}

TEST_F(Approval, of_what_nobody_asks_for_any_more_is_refused) {
    EXPECT_EQ(told(kWicca, decide(kHagBare, "thirdwitch", "1")), "! item-not-found cancel");
    ask();
    EXPECT_EQ(told(kWicca, decide("other@shakespeare.lit", "thirdwitch", "1")),
              "! item-not-found cancel");
    // What was decided belongs to an earlier request.
    ask(kHag, "hecate");
    EXPECT_EQ(told(kWicca, decide(kHagBare, "thirdwitch", "1")), "! item-not-found cancel");
    EXPECT_EQ(told(kWicca, decide(kHagBare, "hecate", "1")), "");
    EXPECT_EQ(told(kCrone, decide(kHagBare, "hecate", "0")), "! item-not-found cancel");
    EXPECT_EQ(of(kHag), MucAffiliation::member);
}

TEST_F(Approval, with_a_form_that_says_nothing_is_refused) {
    ask();
    const std::string user = field("{urn:parley:rooms}jid", kHagBare);
    const std::string nick = field("muc#register_roomnick", "thirdwitch");
    const std::string allow = field("muc#register_allow", "1");
    for (const std::string& fields : {std::string(), user + nick, user + allow, nick + allow,
                                      user + nick + field("muc#register_allow", "maybe"),
                                      field("{urn:parley:rooms}jid", "@") + nick + allow,
                                      user + field("muc#register_roomnick", "") + allow})
        EXPECT_EQ(told(kWicca, form(fields)), "! bad-request modify") << fields;
    EXPECT_EQ(told(kWicca, form(user + nick + allow, "result")), "! bad-request modify");
    EXPECT_EQ(waiting(), 1U);
}

TEST_F(Approval, looks_again_whether_it_may_be) {
    stage.configure(field("muc#roomconfig_membersonly", "0"));
    ask();
    stage.enter("macbeth@shakespeare.lit/x", "thirdwitch");
    EXPECT_EQ(told(kWicca, decide(kHagBare, "thirdwitch", "1")), "! conflict cancel");
    EXPECT_EQ(waiting(), 1U);
    stage.affiliate("shakespeare.lit", "outcast");
    EXPECT_EQ(told(kWicca, decide(kHagBare, "thirdwitch", "1")), "! not-allowed cancel");
    EXPECT_EQ(of(kHag), MucAffiliation::outcast);
}

TEST_F(Approval, is_not_needed_where_an_admin_acts_unasked) {
    ask();
    stage.affiliate(kHagBare, "member");
    EXPECT_EQ(waiting(), 0U);
    EXPECT_EQ(told(kWicca, decide(kHagBare, "thirdwitch", "1")), "! item-not-found cancel");
    // A member has a nick for the asking.
    stage.send(kHag, ask_for("thirdwitch"));
    EXPECT_EQ(stage.heard(kHag), "result r");
    EXPECT_EQ(stage.room().affiliations().find(*Jid::parse(kHagBare))->nick, "thirdwitch");
}

TEST_F(Approval, is_asked_again_of_staff_that_enters) {
    ask();
    ask("macbeth@shakespeare.lit/x", "macbeth");
    stage.send(kWicca,
               "<presence xmlns='jabber:client' to='/secondwitch'><x "
               "xmlns='http://jabber.org/protocol/muc'/></presence>");
    EXPECT_EQ(stage.heard(kWicca),
              "+secondwitch admin/moderator [wiccarocks@shakespeare.lit/laptop] {110 170}\n# \n"
              "form\nform");
    stage.affiliate("member@shakespeare.lit", "member");
    stage.send("member@shakespeare.lit/x",
               "<presence xmlns='jabber:client' to='/m'><x "
               "xmlns='http://jabber.org/protocol/muc'/></presence>");
    EXPECT_EQ(stage.heard("member@shakespeare.lit/x").find("form"), std::string::npos);
}

TEST_F(Approval, may_be_given_up_by_who_asked) {
    ask();
    constexpr std::string_view kRemove =
        "<iq xmlns='jabber:client' type='set'><query xmlns='jabber:iq:register'><remove/></query>"
        "</iq>";
    EXPECT_EQ(told(kHag, kRemove), "result i");
    EXPECT_EQ(waiting(), 0U);
    EXPECT_EQ(told(kHag, kRemove), "! registration-required auth");
    ask();
    stage.apply(stage.room().judge_departure(*Jid::parse(kHagBare)));
    EXPECT_EQ(waiting(), 0U);
}

TEST_F(Approval, has_one_request_for_a_nick_and_so_many_at_all) {
    ask();
    EXPECT_EQ(told("macbeth@shakespeare.lit/x", ask_for("ThirdWitch")), "! conflict cancel");
    for (std::size_t i = 1; i < RegistrationRequests::kMax; ++i)
        ask("w" + std::to_string(i) + "@shakespeare.lit/x", "w" + std::to_string(i));
    EXPECT_EQ(told("macbeth@shakespeare.lit/x", ask_for("macbeth")), "! resource-constraint wait");
    // Who waits already may still ask for another nick.
    ask(kHag, "hecate");
    EXPECT_EQ(waiting(), RegistrationRequests::kMax);
}

TEST_F(Approval, asks_no_more_of_the_staff_than_is_bounded) {
    std::string items;
    for (std::size_t i = 0; i < Room::kAskedMax; ++i)
        items += "<item affiliation='admin' jid='a" + std::to_string(i) + "@shakespeare.lit'/>";
    stage.admin(kCrone, items);
    stage.forget();
    stage.send(kHag, ask_for("thirdwitch"));
    EXPECT_EQ(stage.heard(kCroneBare), "form");
    EXPECT_EQ(stage.everything().size(), Room::kAskedMax);  // The result, and the others.
}

TEST_F(Approval, is_not_to_be_had_for_outcasts_nor_where_it_is_off) {
    stage.affiliate(kHagBare, "outcast");
    EXPECT_EQ(told(kHag, ask_for("thirdwitch")), "! not-allowed cancel");
    RoomStage closed({.members_only = true});
    closed.send(kHag, ask_for("thirdwitch"));
    EXPECT_EQ(closed.heard(kHag), "! not-allowed cancel");
    RoomStage open({.registration_approved = true});
    open.send(kHag, ask_for("thirdwitch"));
    EXPECT_EQ(open.room().affiliations().of(*Jid::parse(kHag)), MucAffiliation::none);
    EXPECT_EQ(open.heard(kCroneBare), "form");
}

}  // namespace
}  // namespace server::modules::muc::test
