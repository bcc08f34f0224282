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

// XEP-0463.
std::string changed(const Affiliations& list, std::int64_t since) {
    const auto entries = list.since(since);
    if (!entries) return "unknown";
    std::string all;
    for (const Affiliated* entry : *entries)
        all += std::string(entry->jid.local()) + " " + std::string(name_of(entry->affiliation)) +
               " " + std::to_string(entry->version) + ", ";
    return all;
}

TEST(AffiliationVersions, begin_when_they_are_stored) {
    Affiliations list;
    list.put({.jid = jid("a@x.lit"), .affiliation = MucAffiliation::owner});
    EXPECT_EQ(list.version(), 0);
    list.set_versions(100, 100);
    list.number_all();
    EXPECT_EQ(changed(list, 100), "");
    EXPECT_EQ(changed(list, 99), "unknown");
    EXPECT_EQ(changed(list, 101), "unknown");
}

TEST(AffiliationVersions, number_every_change_and_tell_what_came_since) {
    Affiliations list;
    list.set_versions(100, 100);
    list.put({.jid = jid("a@x.lit"), .affiliation = MucAffiliation::owner});
    list.put({.jid = jid("b@x.lit"), .affiliation = MucAffiliation::member});
    list.put({.jid = jid("c@x.lit"), .affiliation = MucAffiliation::member});
    list.put({.jid = jid("b@x.lit"), .affiliation = MucAffiliation::none});
    EXPECT_EQ(list.version(), 104);
    EXPECT_EQ(changed(list, 100), "a owner 101, c member 103, b none 104, ");
    EXPECT_EQ(changed(list, 103), "b none 104, ");
    list.put({.jid = jid("b@x.lit"), .affiliation = MucAffiliation::admin});
    EXPECT_EQ(changed(list, 103), "b admin 105, ");
    EXPECT_EQ(changed(list, 105), "");
}

TEST(AffiliationVersions, come_back_from_the_store) {
    Affiliations list;
    list.put({.jid = jid("a@x.lit"), .affiliation = MucAffiliation::owner, .version = 7});
    list.put({.jid = jid("b@x.lit"), .affiliation = MucAffiliation::none, .version = 9});
    list.set_versions(9, 5);
    EXPECT_EQ(changed(list, 5), "a owner 7, b none 9, ");
    EXPECT_EQ(changed(list, 4), "unknown");
    EXPECT_EQ(list.size(), 1U);
}

TEST(AffiliationVersions, remember_so_many_who_are_gone) {
    Affiliations list;
    list.set_versions(100, 100);
    for (std::size_t i = 0; i <= Affiliations::kTombstonesMax; ++i)
        list.put(
            {.jid = jid("w" + std::to_string(i) + "@x.lit"), .affiliation = MucAffiliation::none});
    EXPECT_EQ(changed(list, 100), "unknown");
    ASSERT_TRUE(list.since(101));
    EXPECT_EQ(list.since(101)->size(), Affiliations::kTombstonesMax);
}

}  // namespace
}  // namespace server::modules::muc::test
