#include "storage/tables/users.h"

#include "storage/shapes.h"
#include "storage/tables/last_activity.h"
#include "storage/tables/messages.h"
#include "storage/tables/private_xml.h"
#include "storage/tables/roster.h"
#include "storage/tables/sm_sessions.h"
#include "storage/tables/vcards.h"
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

ScramKeys keys(std::string_view seed) {
    return {.salt = std::string("\0salt", 5) + std::string(seed),
            .iterations = 10'000,
            .stored_key = std::string(seed) + "\xff stored",
            .server_key = std::string(seed) + " server"};
}

class UsersTest : public EveryEngine {
protected:
    void create(std::string_view account) {
        database.must([account = jid(account)](Transaction& t) {
            return Users(t).create(account, {keys("1"), keys("256"), keys("512")}, kNow);
        });
    }
    std::optional<User> find(std::string_view account) {
        return database.must(
            [account = jid(account)](Transaction& t) { return Users(t).find(account); });
    }
};

INSTANTIATE_TEST_SUITE_P(Engines, UsersTest, every_engine(), name_of);

TEST_P(UsersTest, returns_an_account_with_its_keys_as_they_were_given) {
    create("juliet@capulet.example");
    const auto user = find("juliet@capulet.example/balcony");
    ASSERT_TRUE(user);
    EXPECT_EQ(user->account, jid("juliet@capulet.example"));
    EXPECT_TRUE(user->enabled);
    EXPECT_EQ(user->created_at, kNow);
    EXPECT_EQ(user->last_login_at, std::nullopt);
    EXPECT_EQ(user->key(ScramHash::sha1), keys("1"));
    EXPECT_EQ(user->key(ScramHash::sha256), keys("256"));
    EXPECT_EQ(user->key(ScramHash::sha512), keys("512"));
}

TEST_P(UsersTest, finds_nobody_of_another_name_or_host) {
    create("juliet@capulet.example");
    EXPECT_FALSE(find("romeo@capulet.example"));
    EXPECT_FALSE(find("juliet@montague.example"));
}

TEST_P(UsersTest, refuses_an_account_that_exists) {
    create("juliet@capulet.example");
    const auto again = database.write(
        [](Transaction& t) { return Users(t).create(jid("juliet@capulet.example"), {}, kNow); });
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), Errc::already_exists);
    EXPECT_EQ(find("juliet@capulet.example")->key(ScramHash::sha1), keys("1"));
}

TEST_P(UsersTest, refuses_an_address_without_a_localpart) {
    const auto result = database.write(
        [](Transaction& t) { return Users(t).create(jid("capulet.example"), {}, kNow); });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::invalid_argument);
}

TEST_P(UsersTest, replaces_all_keys) {
    create("juliet@capulet.example");
    database.must([](Transaction& t) {
        return Users(t).set_keys(jid("juliet@capulet.example"),
                                 {std::nullopt, keys("new"), std::nullopt});
    });
    const auto user = find("juliet@capulet.example");
    EXPECT_EQ(user->key(ScramHash::sha1), std::nullopt);
    EXPECT_EQ(user->key(ScramHash::sha256), keys("new"));
    EXPECT_EQ(user->key(ScramHash::sha512), std::nullopt);
}

TEST_P(UsersTest, disables_enables_and_records_logins) {
    create("juliet@capulet.example");
    database.must([](Transaction& t) -> Result<void> {
        TRY(Users(t).set_enabled(jid("juliet@capulet.example"), false));
        return Users(t).record_login(jid("juliet@capulet.example"), {42});
    });
    EXPECT_FALSE(find("juliet@capulet.example")->enabled);
    EXPECT_EQ(find("juliet@capulet.example")->last_login_at, base::WallTime{42});
    database.must(
        [](Transaction& t) { return Users(t).set_enabled(jid("juliet@capulet.example"), true); });
    EXPECT_TRUE(find("juliet@capulet.example")->enabled);
}

TEST_P(UsersTest, changes_nothing_of_an_account_that_does_not_exist) {
    const auto nobody = jid("nobody@capulet.example");
    const auto code = [&](auto change) {
        const auto result = database.write([&](Transaction& t) { return change(Users(t)); });
        return result ? Errc::internal : result.error().code();
    };
    EXPECT_EQ(code([&](Users users) { return users.set_keys(nobody, {}); }), Errc::not_found);
    EXPECT_EQ(code([&](Users users) { return users.set_enabled(nobody, true); }), Errc::not_found);
    EXPECT_EQ(code([&](Users users) { return users.record_login(nobody, kNow); }), Errc::not_found);
    EXPECT_EQ(code([&](Users users) { return users.remove(nobody); }), Errc::not_found);
}

TEST_P(UsersTest, lists_the_accounts_of_a_host_page_by_page) {
    for (const char* local : {"d", "a", "c", "b", "e"})
        create(std::string(local) + "@capulet.example");
    create("romeo@montague.example");
    std::vector<std::string> seen;
    std::string after;
    for (;;) {
        const auto page = database.must(
            [&](Transaction& t) { return Users(t).list("capulet.example", after, 2); });
        if (page.empty()) break;
        EXPECT_LE(page.size(), 2);
        for (const UserSummary& each : page)
            seen.emplace_back(each.account.text());
        after = page.back().account.local();
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"a@capulet.example", "b@capulet.example",
                                              "c@capulet.example", "d@capulet.example",
                                              "e@capulet.example"}));
    EXPECT_EQ(database.must([](Transaction& t) { return Users(t).count("capulet.example"); }), 5);
    EXPECT_EQ(database.must([](Transaction& t) { return Users(t).count("nowhere.example"); }), 0);
}

TEST_P(UsersTest, lists_at_most_one_page) {
    database.must([](Transaction& t) -> Result<void> {
        for (std::uint32_t i = 0; i < kUserPageMax + 1; ++i)
            TRY(Users(t).create(*xmpp::Jid::make("u" + std::to_string(i), "big.example"), {},
                                kNow));
        return {};
    });
    const auto page = database.must(
        [](Transaction& t) { return Users(t).list("big.example", "", kUserPageMax + 1); });
    EXPECT_EQ(page.size(), kUserPageMax);
}

/// Puts a row into every store that keeps something for an account.
auto fill_every_store(xmpp::Jid account) {
    return [account = std::move(account)](Transaction& t) -> Result<void> {
        const auto contact = jid("contact@example.net");
        TRY(Roster(t).put(account, {.jid = contact, .name = "", .groups = {}}));
        TRY(Roster(t).put(account, {.jid = jid("gone@example.net"), .name = "", .groups = {}}));
        TRY(Roster(t).remove(account, jid("gone@example.net")));
        TRY(Roster(t).put_request(account,
                                  {.from = contact, .stanza = "<p/>", .received_at = kNow}));
        TRY(SmSessions(t).create({.token = "token of " + account.text(),
                                  .owner = *account.with_resource("balcony"),
                                  .created_at = kNow,
                                  .max_seconds = 60}));
        const std::vector<MessageCopy> copies = {{.owner = account, .peer = contact}};
        TRY(Messages(t).append(kNow, "<m/>", copies));
        TRY(Vcards(t).put(account, {.xml = "<v/>", .photo_sha1 = {}}));
        TRY(PrivateXml(t).put(account, {"ns", "x"}, "<x/>"));
        TRY(LastActivity(t).put(account, {.at = kNow, .status = ""}));
        TRY(KeyValueStore(t, "kv").put(account.bare_view(), "x"));
        return {};
    };
}

TEST_P(UsersTest, removes_an_account_with_all_its_data_and_nobody_elses) {
    for (const char* account : {"juliet@capulet.example", "nurse@capulet.example"}) {
        create(account);
        database.must(fill_every_store(jid(account)));
    }
    const auto rows = [&](std::string_view account) {
        return database.must([account](Transaction& t) -> Result<int> {
            int tables = 0;
            for (const char* table :
                 {"user_keys", "roster_items", "roster_removals", "roster_versions",
                  "roster_requests", "message_peers", "sm_sessions", "vcards", "private_xml",
                  "last_activity", "shape_values"})
                TRY(t.query(std::string("SELECT 1 FROM ") + table + " WHERE account = $1 LIMIT 1",
                            {account}, [&](const Row&) { ++tables; }));
            return tables;
        });
    };
    EXPECT_EQ(rows("juliet@capulet.example"), 11);
    database.must([](Transaction& t) { return Users(t).remove(jid("juliet@capulet.example")); });
    EXPECT_EQ(rows("juliet@capulet.example"), 0);
    EXPECT_FALSE(find("juliet@capulet.example"));
    EXPECT_EQ(rows("nurse@capulet.example"), 11);
    EXPECT_TRUE(find("nurse@capulet.example"));
}

}  // namespace
}  // namespace storage::test
