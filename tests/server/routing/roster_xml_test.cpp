#include "server/routing/roster_xml.h"

#include <gtest/gtest.h>

#include <string>

namespace server {
namespace {

using xmpp::Element;
using xmpp::StanzaCondition;

const xmpp::Jid kOwner = *xmpp::Jid::parse("juliet@example.com");

Element query() {
    return Element("query", xmpp::ns::roster);
}

Element& add_item(Element& parent, std::string_view jid) {
    Element& item = parent.add_child("item");
    item.set_attribute("jid", jid);
    return item;
}

StanzaCondition condition_for(const Element& set) {
    const auto parsed = parse_roster_set(set, kOwner);
    EXPECT_FALSE(parsed.has_value());
    return parsed ? StanzaCondition::undefined_condition : parsed.error().condition();
}

TEST(RosterSetSyntax, reads_name_and_groups) {
    Element set = query();
    Element& item = add_item(set, "Nurse@Example.com");
    item.set_attribute("name", "Nurse");
    item.add_text_child("group", "Servants");
    item.add_text_child("group", "Friends");
    const auto parsed = parse_roster_set(set, kOwner);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->contact.text(), "nurse@example.com");
    EXPECT_EQ(parsed->name, "Nurse");
    EXPECT_EQ(parsed->groups, (std::vector<std::string>{"Servants", "Friends"}));
    EXPECT_FALSE(parsed->remove);
}

TEST(RosterSetSyntax, ignores_what_only_the_server_decides) {
    Element set = query();
    Element& item = add_item(set, "nurse@example.com");
    item.set_attribute("subscription", "both");
    item.set_attribute("ask", "subscribe");
    item.set_attribute("approved", "true");
    const auto parsed = parse_roster_set(set, kOwner);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_FALSE(parsed->remove);
}

TEST(RosterSetSyntax, reads_a_removal_whatever_else_it_says) {
    Element set = query();
    Element& item = add_item(set, "nurse@example.com");
    item.set_attribute("subscription", "remove");
    item.add_text_child("group", "");
    const auto parsed = parse_roster_set(set, kOwner);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(parsed->remove);
}

TEST(RosterSetSyntax, refuses_anything_but_one_item) {
    EXPECT_EQ(condition_for(query()), StanzaCondition::bad_request);
    Element two = query();
    add_item(two, "a@example.com");
    add_item(two, "b@example.com");
    EXPECT_EQ(condition_for(two), StanzaCondition::bad_request);
    Element other = query();
    other.add_child("thing").set_attribute("jid", "a@example.com");
    EXPECT_EQ(condition_for(other), StanzaCondition::bad_request);
    Element foreign = query();
    foreign.add_child("item", "urn:example:other").set_attribute("jid", "a@example.com");
    EXPECT_EQ(condition_for(foreign), StanzaCondition::bad_request);
}

TEST(RosterSetSyntax, refuses_an_item_without_a_valid_jid) {
    Element none = query();
    none.add_child("item");
    EXPECT_EQ(condition_for(none), StanzaCondition::bad_request);
    Element malformed = query();
    add_item(malformed, "@example.com");
    EXPECT_EQ(condition_for(malformed), StanzaCondition::bad_request);
}

TEST(RosterSetSyntax, refuses_the_owner_as_contact) {
    Element set = query();
    add_item(set, "juliet@example.com");
    EXPECT_EQ(condition_for(set), StanzaCondition::not_allowed);
}

TEST(RosterSetSyntax, refuses_a_group_that_is_named_twice) {
    Element set = query();
    Element& item = add_item(set, "a@example.com");
    item.add_text_child("group", "Friends");
    item.add_text_child("group", "Friends");
    EXPECT_EQ(condition_for(set), StanzaCondition::bad_request);
    // The same once prepared: U+00A0 is a space to the profile.
    Element prepared = query();
    Element& same = add_item(prepared, "a@example.com");
    same.add_text_child("group", "Old friends");
    same.add_text_child("group", "Old\u00a0friends");
    EXPECT_EQ(condition_for(prepared), StanzaCondition::bad_request);
}

TEST(RosterSetSyntax, refuses_an_empty_group) {
    Element set = query();
    add_item(set, "a@example.com").add_text_child("group", "");
    EXPECT_EQ(condition_for(set), StanzaCondition::not_acceptable);
}

TEST(RosterSetSyntax, limits_the_length_of_a_name) {
    Element fits = query();
    add_item(fits, "a@example.com")
        .set_attribute("name", std::string(storage::kRosterNameBytesMax, 'x'));
    EXPECT_TRUE(parse_roster_set(fits, kOwner).has_value());
    Element over = query();
    add_item(over, "a@example.com")
        .set_attribute("name", std::string(storage::kRosterNameBytesMax + 1, 'x'));
    EXPECT_EQ(condition_for(over), StanzaCondition::not_acceptable);
}

TEST(RosterSetSyntax, limits_the_length_and_number_of_groups) {
    Element fits = query();
    add_item(fits, "a@example.com")
        .add_text_child("group", std::string(storage::kRosterGroupBytesMax, 'x'));
    EXPECT_TRUE(parse_roster_set(fits, kOwner).has_value());
    Element over = query();
    add_item(over, "a@example.com")
        .add_text_child("group", std::string(storage::kRosterGroupBytesMax + 1, 'x'));
    EXPECT_EQ(condition_for(over), StanzaCondition::not_acceptable);

    Element many = query();
    Element& item = add_item(many, "a@example.com");
    for (std::size_t i = 0; i < storage::kRosterGroupsMax; ++i)
        item.add_text_child("group", std::to_string(i));
    EXPECT_TRUE(parse_roster_set(many, kOwner).has_value());
    item.add_text_child("group", "one more");
    EXPECT_EQ(condition_for(many), StanzaCondition::not_acceptable);
}

TEST(RosterItemXml, shows_only_what_is_set) {
    storage::RosterItem item;
    item.jid = *xmpp::Jid::parse("a@example.com");
    const Element bare = roster_item_element(item);
    EXPECT_EQ(bare.attribute("subscription"), "none");
    EXPECT_FALSE(bare.has_attribute("name"));
    EXPECT_FALSE(bare.has_attribute("ask"));
    EXPECT_FALSE(bare.has_attribute("approved"));

    item.name = "A";
    item.ask = true;
    item.approved = true;
    item.subscription = storage::Subscription::from;
    item.groups = {"G"};
    const Element full = roster_item_element(item);
    EXPECT_EQ(full.attribute("subscription"), "from");
    EXPECT_EQ(full.attribute("ask"), "subscribe");
    EXPECT_EQ(full.attribute("approved"), "true");
    EXPECT_EQ(full.child_text("group"), "G");
}

TEST(RosterPush, comes_from_the_account_itself_and_carries_the_version) {
    const xmpp::Stanza push = roster_push(removed_item_element(*xmpp::Jid::parse("a@example.com")),
                                          42, *xmpp::Jid::parse("juliet@example.com/balcony"));
    EXPECT_FALSE(push.from().has_value());
    EXPECT_EQ(push.to()->text(), "juliet@example.com/balcony");
    EXPECT_EQ(push.iq_type(), xmpp::IqType::set);
    EXPECT_FALSE(push.id().empty());
    EXPECT_EQ(push.payload()->attribute("ver"), "42");
    EXPECT_EQ(push.payload()->first_child()->attribute("subscription"), "remove");
}

}  // namespace
}  // namespace server
