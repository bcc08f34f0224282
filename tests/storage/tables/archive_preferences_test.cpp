#include "storage/tables/archive_preferences.h"

#include "storage/tables/users.h"
#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <string>

namespace storage::test {
namespace {

using base::Errc;

xmpp::Jid jid(std::string_view text) {
    return *xmpp::Jid::parse(text);
}

class ArchivePreferencesTest : public EveryEngine {
protected:
    auto put(const ArchiveRules& rules) {
        return database.write(
            [&](Transaction& t) { return ArchivePreferences(t).put(juliet, rules); });
    }
    std::optional<ArchiveRules> get() {
        return database.must([&](Transaction& t) { return ArchivePreferences(t).get(juliet); });
    }
    const xmpp::Jid juliet = jid("juliet@capulet.example/balcony");
    const xmpp::Jid romeo = jid("romeo@montague.example");
    const xmpp::Jid garden = jid("romeo@montague.example/garden");
};
INSTANTIATE_TEST_SUITE_P(Engines, ArchivePreferencesTest, every_engine(), name_of);

TEST_P(ArchivePreferencesTest, are_none_until_they_are_put) {
    EXPECT_FALSE(get());
    ASSERT_TRUE(put({}));
    EXPECT_EQ(get(), ArchiveRules{});
}

TEST_P(ArchivePreferencesTest, are_replaced_as_a_whole) {
    const ArchiveRules first{
        .otherwise = ArchiveDefault::roster, .always = {romeo}, .never = {garden}};
    ASSERT_TRUE(put(first));
    EXPECT_EQ(get(), first);
    const ArchiveRules second{
        .otherwise = ArchiveDefault::never, .always = {garden, romeo}, .never = {}};
    ASSERT_TRUE(put(second));
    EXPECT_EQ(get(), (ArchiveRules{ArchiveDefault::never, {romeo, garden}, {}}));
    ASSERT_TRUE(put({ArchiveDefault::always, {romeo, romeo}, {}}));
    EXPECT_EQ(get(), (ArchiveRules{ArchiveDefault::always, {romeo}, {}}));
}

TEST_P(ArchivePreferencesTest, refuse_an_address_in_both_lists_or_none) {
    EXPECT_EQ(put({ArchiveDefault::always, {romeo, garden}, {garden}}).error().code(),
              Errc::invalid_argument);
    EXPECT_EQ(put({ArchiveDefault::always, {xmpp::Jid()}, {}}).error().code(),
              Errc::invalid_argument);
    EXPECT_FALSE(get());
}

TEST_P(ArchivePreferencesTest, are_at_most_a_thousand_addresses) {
    ArchiveRules rules;
    for (std::size_t i = 0; i < kArchiveRulesMax; ++i)
        (i % 2 == 0 ? rules.always : rules.never).push_back(jid(std::to_string(i) + ".example"));
    EXPECT_TRUE(put(rules));
    rules.always.push_back(romeo);
    EXPECT_EQ(put(rules).error().code(), Errc::resource_exhausted);
    EXPECT_EQ(get()->always.size() + get()->never.size(), kArchiveRulesMax);
}

TEST_P(ArchivePreferencesTest, go_with_the_account) {
    database.must([&](Transaction& t) { return Users(t).create(juliet, {}, kNow); });
    ASSERT_TRUE(put({ArchiveDefault::never, {romeo}, {}}));
    database.must([&](Transaction& t) { return Users(t).remove(juliet); });
    EXPECT_FALSE(get());
}

}  // namespace
}  // namespace storage::test
