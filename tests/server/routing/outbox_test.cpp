#include "server/routing/outbox.h"

#include "reactor/sim/sim_world.h"
#include "server/routing/shares.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace server::test {
namespace {

RoutedStanza routed(std::size_t bytes) {
    xmpp::Stanza stanza = xmpp::Stanza::message(xmpp::MessageType::chat);
    stanza.edit().add_text_child("body", std::string(bytes, 'x'));
    return {std::move(stanza), std::nullopt};
}

TEST(Outbox, takes_no_more_than_may_wait_until_it_has_gone) {
    reactor::SimWorld sim({.shards = 2});
    reactor::World& here = sim.world(0);
    std::size_t arrived = 0;
    Outbox outbox(here, [&](reactor::ShardId, MailBatch batch) {
        return base::UniqueFunction<void()>([&, count = batch.size()] { arrived += count; });
    });
    constexpr std::size_t kLarge = 1'000'000;
    const std::size_t fit = Outbox::kWaitingBytesMax / memory_of(routed(kLarge).stanza);
    const auto add = [&] {
        RoutedStanza one = routed(kLarge);
        return sim.on(here, [&] { return outbox.add(1, one); });
    };
    for (std::size_t i = 0; i < fit; ++i)
        ASSERT_TRUE(add());
    RoutedStanza refused = routed(kLarge);
    EXPECT_FALSE(sim.on(here, [&] { return outbox.add(1, refused); }));
    EXPECT_EQ(refused.stanza.body_text().size(), kLarge) << "left with the caller";
    sim.run_ready();
    EXPECT_EQ(arrived, fit);
    EXPECT_TRUE(add());
    sim.run_ready();
}

}  // namespace
}  // namespace server::test
