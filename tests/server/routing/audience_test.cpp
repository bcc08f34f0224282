#include "server/routing/audience.h"

#include "server/routing/router.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace server::test {
namespace {

constexpr reactor::ShardId kShards = 3;

Audience::List clients(int count) {
    std::vector<xmpp::Jid> jids;
    for (int i = 0; i < count; ++i)
        jids.push_back(*xmpp::Jid::parse("user" + std::to_string(i) + "@example.org/phone"));
    return std::make_shared<const std::vector<xmpp::Jid>>(std::move(jids));
}

TEST(Audience, is_dealt_to_the_shards_of_its_accounts_in_order) {
    const Audience::List all = clients(100);
    const Audience audience(all, kShards);
    EXPECT_EQ(audience.list(), all);
    ASSERT_EQ(audience.shard_count(), kShards);
    std::vector<std::size_t> next(kShards, 0);
    for (const xmpp::Jid& jid : *all) {
        const reactor::ShardId home = shard_of(jid.bare_view(), kShards);
        ASSERT_LT(next[home], audience.part(home).size());
        EXPECT_EQ(*audience.part(home)[next[home]++], jid);
    }
    for (reactor::ShardId shard = 0; shard < kShards; ++shard) {
        EXPECT_GT(next[shard], 0U);
        EXPECT_EQ(next[shard], audience.part(shard).size());
    }
}

TEST(Audience, has_nobody_where_nobody_lives) {
    const Audience::List one = clients(1);
    const Audience audience(one, kShards);
    for (reactor::ShardId shard = 0; shard < kShards; ++shard)
        EXPECT_EQ(audience.part(shard).size(),
                  shard == shard_of(one->front().bare_view(), kShards) ? 1U : 0U);
}

}  // namespace
}  // namespace server::test
