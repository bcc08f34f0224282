#include "server/modules/muc/room_config.h"

#include "xmpp/core/element.h"

#include <gtest/gtest.h>

namespace server::modules::muc::test {
namespace {

using xmpp::DataForm;

RoomConfig unusual() {
    RoomConfig config{.name = "A Dark Cave",
                      .description = "The place for all good witches!",
                      .language = "en",
                      .pubsub = "xmpp:pubsub.shakespeare.lit?;node=the-coven-node",
                      .password = "cauldronburn",
                      .listed = false,
                      .persistent = true,
                      .moderated = true,
                      .members_only = true,
                      .anonymous = false,
                      .archived = false,
                      .subject_open = true,
                      .registration_approved = true,
                      .nicks_locked = true,
                      .invites_open = true,
                      .private_messages = PrivateMessages::moderators,
                      .occupants_max = 37,
                      .history_max = 7,
                      .slow_mode_seconds = 20};
    config.broadcast.visitor = false;
    config.member_list.participant = false;
    return config;
}

DataForm submitted(DataForm form) {
    form.type = xmpp::FormType::submit;
    return form;
}

TEST(RoomConfig, comes_back_from_the_store) {
    EXPECT_EQ(load_config(save_config({})), RoomConfig{});
    EXPECT_EQ(load_config(save_config(unusual())), unusual());
}

TEST(RoomConfig, of_a_store_that_makes_no_sense_is_the_default) {
    EXPECT_EQ(load_config(""), RoomConfig{});
    EXPECT_EQ(load_config("<x"), RoomConfig{});
    EXPECT_EQ(load_config("<x xmlns='jabber:x:data' type='submit'><field "
                          "var='muc#roomconfig_whois'><value>?</value></field></x>"),
              RoomConfig{});
}

TEST(RoomForm, that_is_sent_back_changes_nothing) {
    for (const RoomConfig& config : {RoomConfig{}, unusual()}) {
        const DataForm form = room_form(config, {}, {}, "coven");
        const auto read = read_room_form(config, submitted(form), {});
        ASSERT_TRUE(read);
        EXPECT_EQ(read->config, config);
        // What is offered is valid by the form's own terms.
        EXPECT_TRUE(xmpp::check_submission(form, submitted(form)));
    }
}

TEST(RoomForm, leaves_alone_what_is_not_mentioned) {
    DataForm form{.type = xmpp::FormType::submit};
    const auto read = read_room_form(unusual(), form, {});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->config, unusual());
    EXPECT_FALSE(read->owners);
}

TEST(RoomForm, takes_no_more_than_the_service_has) {
    DataForm form{.type = xmpp::FormType::submit};
    form.fields.push_back({.var = "muc#roomconfig_maxusers", .values = {"5001"}});
    EXPECT_FALSE(read_room_form({}, form, {}));
    form.fields[0].values = {"5000"};
    EXPECT_EQ(read_room_form({}, form, {})->config.occupants_max, 5000U);
    form.fields[0].values = {"none"};
    EXPECT_EQ(read_room_form(unusual(), form, {})->config.occupants_max, std::nullopt);
    form.fields = {{.var = "muc#maxhistoryfetch", .values = {"1000"}}};
    EXPECT_EQ(read_room_form({}, form, {})->config.history_max, RoomLimits{}.history_max);
}

TEST(RoomForm, takes_texts_up_to_their_length) {
    const std::pair<std::string, std::size_t> cases[] = {
        {"muc#roomconfig_roomname", kRoomNameBytesMax},
        {"muc#roomconfig_roomdesc", kRoomDescriptionBytesMax},
        {"muc#roomconfig_lang", kRoomLanguageBytesMax}};
    for (const auto& [var, most] : cases) {
        DataForm form{.type = xmpp::FormType::submit};
        form.fields.push_back({.var = var, .values = {std::string(most, 'x')}});
        EXPECT_TRUE(read_room_form({}, form, {})) << var;
        form.fields[0].values[0] += 'x';
        EXPECT_FALSE(read_room_form({}, form, {})) << var;
    }
}

TEST(RoomForm, takes_an_address_of_a_node_and_nothing_else) {
    DataForm form{.type = xmpp::FormType::submit};
    const auto is_taken = [&](std::string value) {
        form.fields = {{.var = "muc#roomconfig_pubsub", .values = {std::move(value)}}};
        return read_room_form({}, form, {}).has_value();
    };
    EXPECT_TRUE(is_taken(""));
    const std::string uri = "xmpp:pubsub.shakespeare.lit?;node=";
    EXPECT_TRUE(is_taken(uri + "the-coven-node"));
    EXPECT_TRUE(is_taken(uri + std::string(kRoomPubsubBytesMax - uri.size(), 'x')));
    EXPECT_FALSE(is_taken(uri + std::string(kRoomPubsubBytesMax - uri.size() + 1, 'x')));
    for (const char* wrong : {"xmpp:", "xmpp:?;node=x", "pubsub.shakespeare.lit", "http://x/",
                              "xmpp:a b", "xmpp:a\nb", "xmpp:a\x7f"})
        EXPECT_FALSE(is_taken(wrong)) << wrong;
}

TEST(RoomForm, takes_one_value_where_there_is_one) {
    DataForm form{.type = xmpp::FormType::submit};
    form.fields.push_back({.var = "muc#roomconfig_roomname", .values = {"a", "b"}});
    EXPECT_FALSE(read_room_form({}, form, {}));
}

TEST(RoomForm, takes_the_password_away_with_the_protection) {
    DataForm form{.type = xmpp::FormType::submit};
    form.fields.push_back({.var = "muc#roomconfig_passwordprotectedroom", .values = {"0"}});
    form.fields.push_back({.var = "muc#roomconfig_roomsecret", .values = {"cauldronburn"}});
    EXPECT_EQ(read_room_form(unusual(), form, {})->config.password, "");
}

}  // namespace
}  // namespace server::modules::muc::test
