// Blocklist: XEP-0191 §5.
#include "server/accounts/blocklist.h"
#include "server/accounts/account.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using Jids = std::vector<std::string>;

xmpp::Jid jid(std::string_view text) {
    return *xmpp::Jid::parse(text);
}

TEST(Blocklist, covers_exactly_one_resource_when_one_is_named) {
    const Blocklist list({"iago@venice.example/hall"});
    EXPECT_TRUE(list.covers(jid("iago@venice.example/hall")));
    EXPECT_FALSE(list.covers(jid("iago@venice.example/tower")));
    EXPECT_FALSE(list.covers(jid("iago@venice.example")));
    EXPECT_FALSE(list.covers(jid("venice.example/hall")));
}

TEST(Blocklist, covers_every_resource_of_a_bare_address) {
    const Blocklist list({"iago@venice.example"});
    EXPECT_TRUE(list.covers(jid("iago@venice.example")));
    EXPECT_TRUE(list.covers(jid("iago@venice.example/hall")));
    EXPECT_FALSE(list.covers(jid("othello@venice.example")));
    EXPECT_FALSE(list.covers(jid("venice.example")));
}

TEST(Blocklist, covers_a_resource_of_a_domain_and_no_user_there) {
    const Blocklist list({"venice.example/hall"});
    EXPECT_TRUE(list.covers(jid("venice.example/hall")));
    EXPECT_FALSE(list.covers(jid("venice.example")));
    EXPECT_FALSE(list.covers(jid("iago@venice.example/hall")));
}

TEST(Blocklist, covers_everything_at_a_domain) {
    const Blocklist list({"venice.example"});
    for (const std::string_view peer : {"venice.example", "venice.example/hall",
                                        "iago@venice.example", "iago@venice.example/hall"})
        EXPECT_TRUE(list.covers(jid(peer))) << peer;
    EXPECT_FALSE(list.covers(jid("iago@rooms.venice.example")));
}

TEST(Blocklist, is_a_set) {
    Blocklist list({"c.example", "a.example", "c.example"});
    EXPECT_EQ(list.jids(), (Jids{"a.example", "c.example"}));
    list.add(Blocklist({"b.example", "a.example"}));
    EXPECT_EQ(list.jids(), (Jids{"a.example", "b.example", "c.example"}));
    list.remove(Blocklist({"d.example", "a.example"}));
    EXPECT_EQ(list.jids(), (Jids{"b.example", "c.example"}));
    EXPECT_TRUE(list.contains("b.example"));
    EXPECT_FALSE(list.contains("a.example"));
}

TEST(Blocklist, covers_nobody_when_empty) {
    EXPECT_FALSE(Blocklist().covers(jid("iago@venice.example")));
}

TEST(Account, never_blocks_itself_or_its_server) {
    const Account account(jid("romeo@example.org"), {},
                          Blocklist({"romeo@example.org", "romeo@example.org/x", "example.org"}));
    EXPECT_FALSE(account.blocks(jid("romeo@example.org")));
    EXPECT_FALSE(account.blocks(jid("romeo@example.org/x")));
    EXPECT_FALSE(account.blocks(jid("example.org")));
    EXPECT_TRUE(account.blocks(jid("example.org/x")));
    EXPECT_TRUE(account.blocks(jid("juliet@example.org")));
}

}  // namespace
}  // namespace server::test
