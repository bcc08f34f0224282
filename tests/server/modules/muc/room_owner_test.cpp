// Creating, configuring and destroying a room: XEP-0045 §10.1, §10.2, §10.9.
#include "tests/server/modules/muc/room_stage.h"

#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>

namespace server::modules::muc::test {
namespace {

using Items = std::vector<std::string>;

RoomConfig quiet() {
    return {.archived = false};
}
void gather(RoomStage& stage) {
    stage.affiliate("wiccarocks@shakespeare.lit", "admin");
    stage.enter(kCrone, "firstwitch");
    stage.enter(kWicca, "secondwitch");
    stage.enter(kHag, "thirdwitch");
}
std::string field(std::string_view var, std::string_view value) {
    return "<field var='" + std::string(var) + "'><value>" + std::string(value) +
           "</value></field>";
}
std::string owner(std::string_view type, std::string_view content) {
    return "<iq xmlns='jabber:client' type='" + std::string(type) +
           "' id='o'><query xmlns='http://jabber.org/protocol/muc#owner'>" + std::string(content) +
           "</query></iq>";
}

TEST(Creation, instant_unlocks_with_an_empty_form) {
    RoomStage stage(quiet(), false);
    stage.enter(kCrone, "firstwitch");
    stage.send(kCrone, owner("set", "<x xmlns='jabber:x:data' type='submit'/>"));
    EXPECT_EQ(stage.heard(kCrone), "result o");
    EXPECT_FALSE(stage.room().locked());
    stage.enter(kHag, "thirdwitch");
    EXPECT_EQ(stage.room().occupants().size(), 2U);
}

TEST(Creation, reserved_takes_a_configuration) {
    RoomStage stage(quiet(), false);
    stage.enter(kCrone, "firstwitch");
    stage.send(kCrone, owner("get", ""));
    const auto answer = stage.taken(kCrone).at(0);
    const auto form = xmpp::DataForm::parse(*answer.payload()->child("x", xmpp::ns::data_forms));
    ASSERT_TRUE(form);
    EXPECT_EQ(form->form_type(), "http://jabber.org/protocol/muc#roomconfig");
    stage.configure(field("muc#roomconfig_roomname", "A Dark Cave") +
                    field("muc#roomconfig_persistentroom", "1"));
    EXPECT_FALSE(stage.room().locked());
    EXPECT_EQ(stage.room().config().name, "A Dark Cave");
}

TEST(Creation, that_is_canceled_destroys_the_room) {
    RoomStage stage(quiet(), false);
    stage.enter(kCrone, "firstwitch");
    stage.send(kCrone, owner("set", "<x xmlns='jabber:x:data' type='cancel'/>"));
    EXPECT_EQ(stage.everything(),
              (Items{"crone1 -firstwitch owner/none [crone1@shakespeare.lit/desktop] destroyed  "
                     "{110}",
                     "crone1 result o"}));
    EXPECT_TRUE(stage.room().destroyed());
}

TEST(Creation, that_is_unacceptable_leaves_the_room_locked) {
    RoomStage stage(quiet(), false);
    stage.enter(kCrone, "firstwitch");
    stage.configure(field("muc#roomconfig_passwordprotectedroom", "1") +
                    field("muc#roomconfig_roomsecret", ""));
    EXPECT_EQ(stage.heard(kCrone), "! not-acceptable modify");
    EXPECT_TRUE(stage.room().locked());
}

TEST(Configuration, is_the_owners) {
    RoomStage stage(quiet());
    gather(stage);
    stage.send(kWicca, owner("get", ""));
    EXPECT_EQ(stage.heard(kWicca), "! forbidden auth");
    stage.send(kWicca, owner("set", "<x xmlns='jabber:x:data' type='submit'/>"));
    EXPECT_EQ(stage.heard(kWicca), "! forbidden auth");
    stage.send("crone1@shakespeare.lit/elsewhere", owner("get", ""));
    EXPECT_EQ(stage.heard("crone1@shakespeare.lit/elsewhere"), "result o");
}

TEST(Configuration, that_is_canceled_changes_nothing) {
    RoomStage stage(quiet());
    gather(stage);
    stage.send(kCrone, owner("set", "<x xmlns='jabber:x:data' type='cancel'/>"));
    EXPECT_EQ(stage.everything(), Items{"crone1 result o"});
}

TEST(Configuration, that_is_malformed_is_refused) {
    RoomStage stage(quiet());
    gather(stage);
    for (const auto* content :
         {"", "<x xmlns='jabber:x:data'/>", "<y/>", "<x xmlns='jabber:x:data' type='form'/>",
          "<x xmlns='jabber:x:data' type='submit'/><destroy/>"}) {
        stage.send(kCrone, owner("set", content));
        EXPECT_EQ(stage.heard(kCrone), "! bad-request modify") << content;
    }
    for (const auto& fields :
         {field("muc#roomconfig_persistentroom", "maybe"),
          field("muc#roomconfig_whois", "everybody"), field("muc#roomconfig_maxusers", "-1"),
          field("muc#roomconfig_roomadmins", "@"), field("FORM_TYPE", "jabber:iq:register")}) {
        stage.configure(fields);
        EXPECT_EQ(stage.heard(kCrone), "! not-acceptable modify") << fields;
    }
}

// §10.2.1.
TEST(Configuration, changes_are_told_with_their_codes) {
    const std::pair<std::string, std::string> cases[] = {
        {field("muc#roomconfig_enablelogging", "1"), "{170}"},
        {field("muc#roomconfig_whois", "anyone"), "{172}"},
        {field("muc#roomconfig_roomname", "A Dark Cave"), "{104}"},
        {field("muc#roomconfig_enablelogging", "1") + field("muc#roomconfig_roomdesc", "x"),
         "{170}\n{104}"},
        {field("muc#roomconfig_whois", "moderators"), ""},
    };
    for (const auto& [fields, codes] : cases) {
        RoomStage stage(quiet());
        gather(stage);
        stage.configure(fields);
        EXPECT_EQ(stage.heard(kHag), codes) << fields;
        stage.forget();
    }
    RoomStage stage({.anonymous = false, .archived = true});
    gather(stage);
    stage.configure(field("muc#roomconfig_whois", "moderators") +
                    field("muc#roomconfig_enablelogging", "0"));
    EXPECT_EQ(stage.heard(kHag), "{171}\n{173}");
}

TEST(Configuration, to_members_only_removes_who_is_no_member) {
    RoomStage stage(quiet());
    gather(stage);
    stage.configure(field("muc#roomconfig_membersonly", "1"));
    EXPECT_EQ(stage.heard(kHag), "-thirdwitch none/none [hag66@shakespeare.lit/pda] {110 322}");
    EXPECT_EQ(stage.heard(kWicca),
              "-thirdwitch none/none [hag66@shakespeare.lit/pda] {322}\n{104}");
}

TEST(Configuration, lists_of_admins_and_owners_are_full_ones) {
    RoomStage stage(quiet());
    gather(stage);
    stage.configure(field("muc#roomconfig_roomadmins", "hag66@shakespeare.lit"));
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse(kHag)), MucAffiliation::admin);
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse(kWicca)), MucAffiliation::member);
    stage.configure("<field var='muc#roomconfig_roomowners'/>");
    EXPECT_EQ(line_of(stage.taken(kCrone).back()), "! conflict cancel");
    stage.configure(field("muc#roomconfig_roomowners", "wiccarocks@shakespeare.lit") +
                    "<field var='muc#roomconfig_roomadmins'><value>crone1@shakespeare.lit</value>"
                    "<value>wiccarocks@shakespeare.lit</value></field>");
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse(kWicca)), MucAffiliation::owner);
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse(kCrone)), MucAffiliation::admin);
    EXPECT_EQ(stage.room().affiliations().of(*xmpp::Jid::parse(kHag)), MucAffiliation::member);
}

// As many as a form can hold, twice: each is looked at once, not against all others.
TEST(Configuration, takes_the_longest_lists) {
    RoomStage stage(quiet());
    gather(stage);
    const auto list = [](std::string_view var, std::string_view name, std::size_t first) {
        std::string text = "<field var='" + std::string(var) + "'>";
        if (name == "owner") text += "<value>crone1@shakespeare.lit</value>";
        for (std::size_t i = first; i < xmpp::kFormValuesMax; ++i)
            text += "<value>" + std::string(name) + std::to_string(i) + "@example.org</value>";
        return text + "</field>";
    };
    constexpr auto kOwners = "muc#roomconfig_roomowners";
    constexpr auto kAdmins = "muc#roomconfig_roomadmins";
    stage.configure(list(kOwners, "owner", 1) + list(kAdmins, "admin", 0));
    const Affiliations& there = stage.room().affiliations();
    EXPECT_EQ(there.owners(), xmpp::kFormValuesMax);
    EXPECT_EQ(there.list(MucAffiliation::admin).size(), xmpp::kFormValuesMax);
    // All change places.
    stage.configure(list(kOwners, "owner", xmpp::kFormValuesMax) + list(kAdmins, "owner", 1));
    EXPECT_EQ(there.owners(), 1U);
    EXPECT_EQ(there.list(MucAffiliation::admin).size(), xmpp::kFormValuesMax - 1);
    // And the wicca who was an admin before.
    EXPECT_EQ(there.list(MucAffiliation::member).size(), xmpp::kFormValuesMax + 1);
}

// XEP-0486 §5.1: of as many formats as anybody has; what tells of a room stays small.
TEST(Avatar, has_the_hashes_of_the_first_formats) {
    RoomStage stage(quiet());
    gather(stage);
    std::string photos;
    for (std::size_t i = 0; i <= Room::kPhotosMax; ++i)
        photos +=
            "<PHOTO><BINVAL>AAA" + std::string(1, static_cast<char>('A' + i)) + "</BINVAL></PHOTO>";
    stage.send(kCrone, "<iq xmlns='jabber:client' type='set' id='v'><vCard xmlns='vcard-temp'>" +
                           photos + "</vCard></iq>");
    constexpr std::size_t kHashBytes = 40;
    EXPECT_EQ(stage.room().avatar_hashes().size(), Room::kPhotosMax * (kHashBytes + 1) - 1);
}

TEST(Configuration, that_cannot_be_saved_is_not_applied) {
    RoomStage stage(quiet());
    gather(stage);
    stage.saves = false;
    stage.configure(field("muc#roomconfig_roomname", "A Dark Cave"));
    EXPECT_EQ(stage.room().config().name, "");
    EXPECT_TRUE(stage.everything().empty());
}

// §10.9.
TEST(Destruction, tells_each_once_and_then_the_owner) {
    RoomStage stage(quiet());
    gather(stage);
    stage.send(kCrone, owner("set",
                             "<destroy jid='heath@chat.shakespeare.lit'><reason>Macbeth "
                             "doth come.</reason></destroy>"));
    EXPECT_EQ(stage.everything(),
              (Items{"crone1 -firstwitch owner/none [crone1@shakespeare.lit/desktop] destroyed "
                     "heath@chat.shakespeare.lit {110}",
                     "wiccarocks -secondwitch admin/none [wiccarocks@shakespeare.lit/laptop] "
                     "destroyed heath@chat.shakespeare.lit {110}",
                     "hag66 -thirdwitch none/none [hag66@shakespeare.lit/pda] destroyed "
                     "heath@chat.shakespeare.lit {110}",
                     "crone1 result o"}));
    EXPECT_TRUE(stage.room().destroyed());
}

TEST(Destruction, is_the_owners) {
    RoomStage stage(quiet());
    gather(stage);
    stage.send(kWicca, owner("set", "<destroy/>"));
    EXPECT_EQ(stage.heard(kWicca), "! forbidden auth");
    stage.send(kCrone, owner("set", "<destroy jid='@'/>"));
    EXPECT_EQ(stage.heard(kCrone), "! jid-malformed modify");
    EXPECT_FALSE(stage.room().destroyed());
}

}  // namespace
}  // namespace server::modules::muc::test
