#include "storage/tables/roster.h"

#include "storage/tables/users.h"
#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace storage::test {
namespace {

using base::Errc;
using base::Result;

xmpp::Jid jid(std::string_view text) {
    return *xmpp::Jid::parse(text);
}

RosterItem item(std::string_view contact) {
    RosterItem made;
    made.jid = jid(contact);
    return made;
}

class RosterTest : public EveryEngine {
protected:
    RosterVersion put(RosterItem contact) {
        return database.must([&](Transaction& t) { return Roster(t).put(juliet, contact); });
    }
    RosterVersion remove(std::string_view contact) {
        return database.must(
            [&](Transaction& t) { return Roster(t).remove(juliet, jid(contact)); });
    }
    std::optional<RosterChanges> changes_since(RosterVersion version) {
        return database.must(
            [&](Transaction& t) { return Roster(t).changes_since(juliet, version); });
    }
    RosterState load() {
        return database.must([&](Transaction& t) { return Roster(t).load(juliet); });
    }
    Errc failure_of_put(RosterItem contact, RosterLimits limits = {}) {
        const auto result =
            database.write([&](Transaction& t) { return Roster(t, limits).put(juliet, contact); });
        return result ? Errc::internal : result.error().code();
    }

    const xmpp::Jid juliet = jid("juliet@capulet.example");
};

INSTANTIATE_TEST_SUITE_P(Engines, RosterTest, every_engine(), name_of);

TEST_P(RosterTest, is_empty_at_version_zero_before_the_first_contact) {
    const RosterState state = load();
    EXPECT_EQ(state.version, 0);
    EXPECT_TRUE(state.items.empty());
    const auto changes = changes_since(0);
    ASSERT_TRUE(changes);
    EXPECT_EQ(changes->version, 0);
    EXPECT_TRUE(changes->changes.empty());
}

TEST_P(RosterTest, returns_contacts_as_they_were_given) {
    RosterItem romeo = item("romeo@montague.example");
    romeo.name = "Roméo";
    romeo.subscription = Subscription::both;
    romeo.ask = true;
    romeo.approved = true;
    romeo.groups = {"Friends", "Lovers, etc.\nand more"};
    put(romeo);
    put(item("nurse@capulet.example"));
    const RosterState state = load();
    ASSERT_EQ(state.items.size(), 2);
    EXPECT_EQ(state.items[0], item("nurse@capulet.example"));
    EXPECT_EQ(state.items[1], romeo);
    const auto found =
        database.must([&](Transaction& t) { return Roster(t).find(juliet, romeo.jid); });
    EXPECT_EQ(found, romeo);
}

TEST_P(RosterTest, tells_a_contact_from_its_resource_and_other_accounts) {
    put(item("romeo@montague.example"));
    const auto find = [&](const xmpp::Jid& account, std::string_view contact) {
        return database.must([&](Transaction& t) { return Roster(t).find(account, jid(contact)); });
    };
    EXPECT_FALSE(find(juliet, "romeo@montague.example/orchard"));
    EXPECT_TRUE(find(jid("juliet@capulet.example/balcony"), "romeo@montague.example"));
    EXPECT_FALSE(find(jid("nurse@capulet.example"), "romeo@montague.example"));
}

TEST_P(RosterTest, replaces_a_contact_and_its_groups) {
    RosterItem romeo = item("romeo@montague.example");
    romeo.groups = {"Friends"};
    const RosterVersion first = put(romeo);
    romeo.groups = {};
    romeo.subscription = Subscription::to;
    EXPECT_EQ(put(romeo), first + 1);
    EXPECT_EQ(load().items, std::vector{romeo});
    EXPECT_EQ(load().version, first + 1);
}

TEST_P(RosterTest, reports_what_changed_since_a_version_oldest_first) {
    const RosterVersion start = put(item("a@example.net"));
    put(item("b@example.net"));
    put(item("c@example.net"));
    remove("b@example.net");
    RosterItem changed = item("a@example.net");
    changed.name = "A";
    const RosterVersion end = put(changed);
    const auto changes = changes_since(start);
    ASSERT_TRUE(changes);
    EXPECT_EQ(changes->version, end);
    ASSERT_EQ(changes->changes.size(), 3);
    EXPECT_EQ(changes->changes[0].item, item("c@example.net"));
    EXPECT_EQ(changes->changes[1].item, item("b@example.net"));
    EXPECT_TRUE(changes->changes[1].removed);
    EXPECT_EQ(changes->changes[2].item, changed);
    EXPECT_FALSE(changes->changes[2].removed);
    EXPECT_TRUE(changes_since(end)->changes.empty());
}

TEST_P(RosterTest, reports_a_contact_that_came_back_as_changed_only) {
    const RosterVersion start = put(item("a@example.net"));
    remove("a@example.net");
    put(item("a@example.net"));
    const auto changes = changes_since(start);
    ASSERT_EQ(changes->changes.size(), 1);
    EXPECT_FALSE(changes->changes[0].removed);
}

TEST_P(RosterTest, knows_no_version_of_the_future_or_before_its_beginning) {
    const RosterVersion version = put(item("a@example.net"));
    EXPECT_FALSE(changes_since(version + 1));
    EXPECT_FALSE(changes_since(0));
    EXPECT_FALSE(changes_since(-1));
    EXPECT_TRUE(changes_since(version));
}

TEST_P(RosterTest, forgets_the_oldest_removals_past_the_cap) {
    const RosterVersion start = put(item("first@example.net"));
    database.must([&](Transaction& t) -> Result<void> {
        for (std::int64_t i = 0; i < kRosterTombstonesMax; ++i) {
            const auto contact = item("c" + std::to_string(i) + "@example.net");
            TRY(Roster(t).put(juliet, contact));
            TRY(Roster(t).remove(juliet, contact.jid));
        }
        return {};
    });
    auto changes = changes_since(start);
    ASSERT_TRUE(changes);
    EXPECT_EQ(changes->changes.size(), kRosterTombstonesMax);
    remove("first@example.net");
    EXPECT_FALSE(changes_since(start));
    changes = changes_since(start + 2);  // The removal that was forgotten came with this version.
    ASSERT_TRUE(changes);
    EXPECT_EQ(changes->changes.size(), kRosterTombstonesMax);
}

TEST_P(RosterTest, never_uses_a_version_twice_even_when_the_account_is_made_anew) {
    database.must([&](Transaction& t) { return Users(t).create(juliet, {}, kNow); });
    const RosterVersion before = put(item("a@example.net"));
    database.must([&](Transaction& t) { return Users(t).remove(juliet); });
    database.must([&](Transaction& t) { return Users(t).create(juliet, {}, kNow); });
    EXPECT_FALSE(changes_since(before));
    EXPECT_GT(put(item("b@example.net")), before);
    EXPECT_FALSE(changes_since(before));
}

TEST_P(RosterTest, removes_only_a_contact_that_is_there) {
    const auto result = database.write(
        [&](Transaction& t) { return Roster(t).remove(juliet, jid("a@example.net")); });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::not_found);
    EXPECT_EQ(load().version, 0);
}

TEST_P(RosterTest, is_full_one_past_the_cap_but_still_takes_changes) {
    const RosterLimits limits{.items_max = 2, .requests_max = 1};
    put(item("a@example.net"));
    put(item("b@example.net"));
    EXPECT_EQ(failure_of_put(item("c@example.net"), limits), Errc::resource_exhausted);
    RosterItem changed = item("b@example.net");
    changed.name = "B";
    EXPECT_TRUE(
        database.write([&](Transaction& t) { return Roster(t, limits).put(juliet, changed); }));
    EXPECT_EQ(load().items.size(), 2);
}

TEST_P(RosterTest, refuses_names_and_groups_past_their_caps_and_groups_that_cannot_be) {
    RosterItem at_cap = item("a@example.net");
    at_cap.name.assign(kRosterNameBytesMax, 'n');
    for (std::size_t i = 0; i < kRosterGroupsMax; ++i)
        at_cap.groups.push_back(std::to_string(i));
    at_cap.groups[0].assign(kRosterGroupBytesMax, 'g');
    put(at_cap);
    EXPECT_EQ(load().items[0], at_cap);

    RosterItem past = at_cap;
    past.name += 'n';
    EXPECT_EQ(failure_of_put(past), Errc::resource_exhausted);
    past = at_cap;
    past.groups.emplace_back("one more");
    EXPECT_EQ(failure_of_put(past), Errc::resource_exhausted);
    past = at_cap;
    past.groups[0] += 'g';
    EXPECT_EQ(failure_of_put(past), Errc::resource_exhausted);
    for (const std::vector<std::string>& groups :
         {std::vector<std::string>{""}, {"a", "a"}, {"a\x1f"}}) {
        past.groups = groups;
        EXPECT_EQ(failure_of_put(past), Errc::invalid_argument);
    }
    EXPECT_EQ(failure_of_put(RosterItem{}), Errc::invalid_argument);
}

TEST_P(RosterTest, keeps_subscription_requests_in_order_until_they_are_answered) {
    const auto request = [](std::string_view from, std::string_view stanza, std::int64_t at) {
        return SubscriptionRequest{
            .from = jid(from), .stanza = std::string(stanza), .received_at = {at}};
    };
    database.must([&](Transaction& t) -> Result<void> {
        TRY(Roster(t).put_request(juliet, request("b@example.net/x", "<first/>", 1)));
        TRY(Roster(t).put_request(juliet, request("a@example.net", "<second/>", 2)));
        TRY(Roster(t).put_request(juliet, request("b@example.net", "<third/>", 3)));
        return {};
    });
    const auto waiting = database.must([&](Transaction& t) { return Roster(t).requests(juliet); });
    ASSERT_EQ(waiting.size(), 2);
    EXPECT_EQ(waiting[0].stanza, "<second/>");
    EXPECT_EQ(waiting[1].from, jid("b@example.net"));
    EXPECT_EQ(waiting[1].stanza, "<third/>");
    EXPECT_EQ(waiting[1].received_at, base::WallTime{3});
    const auto answer = [&] {
        return database.must(
            [&](Transaction& t) { return Roster(t).remove_request(juliet, jid("a@example.net")); });
    };
    EXPECT_TRUE(answer());
    EXPECT_FALSE(answer());
}

TEST_P(RosterTest, refuses_a_request_past_the_caps) {
    const RosterLimits limits{.items_max = 1, .requests_max = 1};
    const auto put_request = [&](std::string_view from, std::size_t bytes) {
        return database.write([&](Transaction& t) {
            return Roster(t, limits).put_request(
                juliet,
                {.from = jid(from), .stanza = std::string(bytes, 'x'), .received_at = kNow});
        });
    };
    EXPECT_TRUE(put_request("a@example.net", kSubscriptionRequestBytesMax));
    EXPECT_EQ(put_request("b@example.net", 1).error().code(), Errc::resource_exhausted);
    EXPECT_TRUE(put_request("a@example.net", 1));
    EXPECT_EQ(put_request("a@example.net", kSubscriptionRequestBytesMax + 1).error().code(),
              Errc::resource_exhausted);
}

TEST_P(RosterTest, reports_a_stored_contact_that_makes_no_sense_as_corrupt) {
    put(item("a@example.net"));
    for (const char* damage : {"jid = '@@'", "subscription = 9"}) {
        const auto result = database.write([&](Transaction& t) -> Result<void> {
            TRY(t.execute(std::string("UPDATE roster_items SET ") + damage));
            TRY(Roster(t).load(juliet));
            return {};
        });
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code(), Errc::corrupt);
    }
    EXPECT_EQ(load().items.size(), 1);
}

}  // namespace
}  // namespace storage::test
