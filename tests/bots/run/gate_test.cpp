#include "tests/bots/run/gate.h"

#include "reactor/reactor.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>
#include <optional>

namespace bots {
namespace {

class GateTest : public testing::Test {
protected:
    reactor::SimWorld sim{reactor::SimOptions{}};
    reactor::Reactor::Scope scope{sim.world().reactor};
};

TEST_F(GateTest, lets_in_as_many_as_it_has_places_and_the_next_when_one_leaves) {
    Gate gate(2);
    auto first = reactor::test::value_of(gate.enter());
    auto second = reactor::test::value_of(gate.enter());
    auto third = gate.enter();
    auto fourth = gate.enter();
    EXPECT_TRUE(reactor::test::pending(third));
    first.leave();
    auto in = reactor::test::value_of(third);
    EXPECT_TRUE(reactor::test::pending(fourth));
    second.leave();
    auto also_in = reactor::test::value_of(fourth);
    in.leave();
    also_in.leave();
    EXPECT_TRUE(gate.enter().settled());
}

TEST_F(GateTest, passes_over_who_does_not_wait_any_more) {
    Gate gate(1);
    auto first = reactor::test::value_of(gate.enter());
    std::optional<reactor::Deferred<Gate::Pass>> gone = gate.enter();
    auto waiting = gate.enter();
    gone.reset();
    first.leave();
    EXPECT_FALSE(reactor::test::pending(waiting));
}

TEST_F(GateTest, gets_a_place_back_that_nobody_took_up) {
    Gate gate(1);
    auto first = reactor::test::value_of(gate.enter());
    {
        auto second = gate.enter();
        first.leave();  // It is the second's now, who goes away with it.
        reactor::test::run_ready();
    }
    EXPECT_TRUE(gate.enter().settled());
}

}  // namespace
}  // namespace bots
