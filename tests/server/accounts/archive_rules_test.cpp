#include "server/accounts/archive_rules.h"

#include "server/accounts/roster.h"

#include <gtest/gtest.h>

#include <string_view>

namespace server {
namespace {

using storage::ArchiveDefault;
using storage::ArchiveRules;

xmpp::Jid jid(std::string_view text) {
    return *xmpp::Jid::parse(text);
}

Roster with_nurse() {
    Roster roster;
    RosterChange change;
    change.contact = jid("nurse@example.org");
    change.item.emplace();
    change.item->jid = change.contact;
    change.version = 1;
    roster.apply(change);
    return roster;
}

bool wants(const ArchiveRules& rules, std::string_view peer) {
    return wants_archived(rules, with_nurse(), jid("romeo@example.org"), jid(peer));
}

TEST(ArchiveRules, follow_the_default_for_who_is_in_no_list) {
    EXPECT_TRUE(wants({.otherwise = ArchiveDefault::always}, "a@b/c"));
    EXPECT_FALSE(wants({.otherwise = ArchiveDefault::never}, "a@b/c"));
    EXPECT_FALSE(wants({.otherwise = ArchiveDefault::roster}, "a@b/c"));
    EXPECT_TRUE(wants({.otherwise = ArchiveDefault::roster}, "nurse@example.org/kitchen"));
    EXPECT_TRUE(wants({.otherwise = ArchiveDefault::roster}, "romeo@example.org/phone"));
    EXPECT_FALSE(wants({.otherwise = ArchiveDefault::never}, "romeo@example.org/phone"));
}

TEST(ArchiveRules, match_a_bare_item_with_every_resource_and_a_full_one_exactly) {
    const ArchiveRules rules{.otherwise = ArchiveDefault::never,
                             .always = {jid("a@b"), jid("c@d/e")},
                             .never = {}};
    EXPECT_TRUE(wants(rules, "a@b"));
    EXPECT_TRUE(wants(rules, "a@b/x"));
    EXPECT_TRUE(wants(rules, "c@d/e"));
    EXPECT_FALSE(wants(rules, "c@d"));
    EXPECT_FALSE(wants(rules, "c@d/f"));
    EXPECT_FALSE(wants(rules, "b"));
}

TEST(ArchiveRules, let_the_more_exact_item_decide) {
    const ArchiveRules rules{.otherwise = ArchiveDefault::always,
                             .always = {jid("a@b/loud")},
                             .never = {jid("a@b"), jid("c@d/quiet")}};
    EXPECT_TRUE(wants(rules, "a@b/loud"));
    EXPECT_FALSE(wants(rules, "a@b/x"));
    EXPECT_FALSE(wants(rules, "c@d/quiet"));
    EXPECT_TRUE(wants(rules, "c@d"));
}

}  // namespace
}  // namespace server
