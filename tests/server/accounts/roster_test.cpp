#include "server/accounts/roster.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace server {
namespace {

xmpp::Jid jid(std::string_view text) {
    return *xmpp::Jid::parse(text);
}

storage::RosterItem item(std::string_view address, std::string name = {},
                         std::vector<std::string> groups = {}) {
    storage::RosterItem made;
    made.jid = jid(address);
    made.name = std::move(name);
    made.groups = std::move(groups);
    return made;
}

RosterChange put(storage::RosterItem item, storage::RosterVersion version) {
    RosterChange change;
    change.contact = item.jid;
    change.item = std::move(item);
    change.version = version;
    return change;
}

RosterChange request(std::string_view from, RosterChange::Request what) {
    RosterChange change;
    change.contact = jid(from);
    change.request = what;
    return change;
}

TEST(Contact, gives_back_what_was_packed) {
    storage::RosterItem packed =
        item("jülich@exämple.org", "Jül \"ich\"", {"Friends", "Ärzte & co"});
    packed.subscription = storage::Subscription::both;
    packed.approved = true;
    const Contact contact(packed);
    EXPECT_EQ(contact.to_item(), packed);
    EXPECT_EQ(contact.jid(), packed.jid);
    EXPECT_EQ(contact.name(), packed.name);
    EXPECT_TRUE(contact.has_from());
    EXPECT_TRUE(contact.has_to());
    EXPECT_FALSE(contact.ask());
}

TEST(Contact, holds_the_largest_item_that_storage_takes) {
    const std::string part(xmpp::kJidPartBytesMax, 'a');
    storage::RosterItem large;
    large.jid = *xmpp::Jid::make(part, "example.org", part);
    large.name = std::string(storage::kRosterNameBytesMax, 'n');
    large.ask = true;
    for (std::size_t i = 0; i < storage::kRosterGroupsMax; ++i)
        large.groups.push_back(std::to_string(i) +
                               std::string(storage::kRosterGroupBytesMax - 2, 'g'));
    EXPECT_EQ(Contact(large).to_item(), large);
}

TEST(Roster, is_empty_at_first) {
    const Roster roster;
    EXPECT_TRUE(roster.items().empty());
    EXPECT_EQ(roster.version(), 0);
    EXPECT_EQ(roster.find(jid("a@b")), nullptr);
    EXPECT_EQ(roster.state_of(jid("a@b")), SubscriptionState::none);
}

TEST(Roster, finds_items_by_their_exact_address) {
    const Roster roster({.version = 7, .items = {item("z@b"), item("a@b"), item("m@b/phone")}}, {});
    EXPECT_EQ(roster.version(), 7);
    ASSERT_EQ(roster.items().size(), 3U);
    EXPECT_EQ(roster.items()[0].jid_text(), "a@b");
    EXPECT_EQ(roster.items()[2].jid_text(), "z@b");
    EXPECT_NE(roster.find(jid("m@b/phone")), nullptr);
    EXPECT_EQ(roster.find(jid("m@b")), nullptr);
}

TEST(Roster, adds_replaces_and_removes_items) {
    Roster roster;
    roster.apply(put(item("b@x", "first"), 1));
    roster.apply(put(item("a@x"), 2));
    roster.apply(put(item("b@x", "second"), 3));
    ASSERT_EQ(roster.items().size(), 2U);
    EXPECT_EQ(roster.find(jid("b@x"))->name(), "second");
    EXPECT_EQ(roster.version(), 3);

    RosterChange removal;
    removal.contact = jid("b@x");
    removal.removed = true;
    removal.version = 4;
    roster.apply(removal);
    EXPECT_EQ(roster.find(jid("b@x")), nullptr);
    EXPECT_EQ(roster.items().size(), 1U);
    EXPECT_EQ(roster.version(), 4);
}

TEST(Roster, sees_item_and_request_as_one_state) {
    Roster roster({.version = 1, .items = {}},
                  {{.from = jid("a@x"), .stanza = "<presence/>", .received_at = {}}});
    EXPECT_EQ(roster.state_of(jid("a@x")), SubscriptionState::none_pending_in);
    storage::RosterItem asked = item("a@x");
    asked.ask = true;
    roster.apply(put(asked, 2));
    EXPECT_EQ(roster.state_of(jid("a@x")), SubscriptionState::none_pending_out_in);
    storage::RosterItem to = item("a@x");
    to.subscription = storage::Subscription::to;
    roster.apply(put(to, 3));
    EXPECT_EQ(roster.state_of(jid("a@x")), SubscriptionState::to_pending_in);
    roster.apply(request("a@x", RosterChange::Request::drop));
    EXPECT_EQ(roster.state_of(jid("a@x")), SubscriptionState::to);
    EXPECT_FALSE(roster.has_requests());
}

TEST(Roster, gives_a_request_that_comes_again_a_new_serial) {
    Roster roster;
    roster.apply(request("b@x", RosterChange::Request::add));
    roster.apply(request("a@x", RosterChange::Request::add));
    EXPECT_EQ(roster.request_of(jid("b@x"))->serial, 1U);
    EXPECT_EQ(roster.request_of(jid("a@x"))->serial, 2U);
    roster.apply(request("b@x", RosterChange::Request::drop));
    roster.apply(request("b@x", RosterChange::Request::add));
    EXPECT_EQ(roster.request_of(jid("b@x"))->serial, 3U);
    EXPECT_EQ(roster.request_serial(), 3U);
    EXPECT_EQ(roster.version(), 0);  // Requests are not part of it.
}

TEST(Roster, takes_at_most_12_kilobytes_for_100_usual_contacts) {
    storage::RosterState state;
    state.version = 100;
    for (int i = 0; i < 100; ++i) {
        storage::RosterItem contact =
            item("firstname.lastname" + std::to_string(i) + "@example.org",
                 "Firstname Lastname " + std::to_string(i), {"Colleagues"});
        contact.subscription = storage::Subscription::both;
        state.items.push_back(std::move(contact));
    }
    const Roster roster(state, {});
    RecordProperty("bytes", static_cast<int>(roster.memory_in_use()));
    EXPECT_LE(roster.memory_in_use(), 12'288U);
    EXPECT_GE(roster.memory_in_use(), 4'000U);  // The estimate counts what it should.
}

}  // namespace
}  // namespace server
