#include "server/modules/muc/affiliations.h"

#include <gtest/gtest.h>

namespace server::modules::muc::test {
namespace {

using xmpp::MucAffiliation;

xmpp::Jid jid(std::string_view text) {
    return *xmpp::Jid::parse(text);
}

TEST(Nicks, that_look_alike_have_one_key) {
    EXPECT_EQ(nick_key("Alice"), nick_key("alice"));
    EXPECT_EQ(nick_key(" alice  smith "), nick_key("Alice Smith"));
    EXPECT_EQ(nick_key("\xEF\xBC\xA1lice"), nick_key("alice"));  // A full-width letter.
    EXPECT_EQ(nick_key("\xC3\x89milie"), nick_key("\xC3\xA9milie"));
    EXPECT_NE(nick_key("alice"), nick_key("alicia"));
    EXPECT_NE(nick_key("\xF0\x9F\x90\xB1"), nick_key("\xF0\x9F\x90\xB6"));
}

TEST(Nicks, can_be_seen) {
    EXPECT_TRUE(is_visible_nick("a"));
    EXPECT_FALSE(is_visible_nick(""));
    EXPECT_FALSE(is_visible_nick("   "));
}

TEST(Affiliations, are_those_of_the_bare_address) {
    Affiliations list;
    list.put({.jid = jid("crone1@shakespeare.lit"), .affiliation = MucAffiliation::owner});
    EXPECT_EQ(list.of(jid("crone1@shakespeare.lit/desktop")), MucAffiliation::owner);
    EXPECT_EQ(list.of(jid("hag66@shakespeare.lit")), MucAffiliation::none);
    EXPECT_EQ(list.owners(), 1U);
}

TEST(Affiliations, are_forgotten_with_none) {
    Affiliations list;
    list.put({.jid = jid("crone1@shakespeare.lit"), .affiliation = MucAffiliation::owner});
    list.put({.jid = jid("crone1@shakespeare.lit"), .affiliation = MucAffiliation::none});
    EXPECT_EQ(list.size(), 0U);
    EXPECT_EQ(list.owners(), 0U);
}

TEST(Affiliations, of_a_banned_domain_concern_all_who_have_none_of_their_own) {
    Affiliations list;
    list.put({.jid = jid("evil.example"), .affiliation = MucAffiliation::outcast});
    list.put({.jid = jid("good@evil.example"), .affiliation = MucAffiliation::member});
    EXPECT_EQ(list.of(jid("bad@evil.example/x")), MucAffiliation::outcast);
    EXPECT_EQ(list.of(jid("good@evil.example/x")), MucAffiliation::member);
    EXPECT_EQ(list.of(jid("bad@sub.evil.example")), MucAffiliation::none);
}

TEST(Affiliations, hold_one_nick_for_one_user) {
    Affiliations list;
    list.put({.jid = jid("hag66@shakespeare.lit"),
              .affiliation = MucAffiliation::member,
              .nick = "thirdwitch"});
    ASSERT_NE(list.holder_of("ThirdWitch"), nullptr);
    EXPECT_EQ(list.holder_of("ThirdWitch")->jid, jid("hag66@shakespeare.lit"));
    list.put({.jid = jid("hag66@shakespeare.lit"), .affiliation = MucAffiliation::outcast});
    EXPECT_EQ(list.holder_of("thirdwitch"), nullptr);
}

TEST(Affiliations, are_listed_by_kind_and_address) {
    Affiliations list;
    for (const auto* name : {"c@x.lit", "a@x.lit", "b@x.lit"})
        list.put({.jid = jid(name), .affiliation = MucAffiliation::member});
    list.put({.jid = jid("d@x.lit"), .affiliation = MucAffiliation::admin});
    const auto members = list.list(MucAffiliation::member);
    ASSERT_EQ(members.size(), 3U);
    EXPECT_EQ(members[0]->jid.text(), "a@x.lit");
    EXPECT_EQ(members[2]->jid.text(), "c@x.lit");
    EXPECT_EQ(list.staff().admins.size(), 1U);
}

}  // namespace
}  // namespace server::modules::muc::test
