#include "reactor/connect_any.h"

#include "reactor/sim/sim_network.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reactor {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;
using StreamPtr = std::unique_ptr<ByteStream>;

const Endpoint kFirst{"2001:db8::1", 5222};
const Endpoint kSecond{"192.0.2.1", 5222};
const Endpoint kThird{"2001:db8::3", 5222};
const Endpoint kClient{"192.0.2.9", 0};

/// One machine per address, all on one internet, and a client.
class ConnectAny : public testing::Test {
protected:
    ConnectAny() : sim({.log = log.log()}, on(kClient)) {}
    ~ConnectAny() override {
        listeners.clear();
        accepted.clear();
    }
    SimWorld::NetworkFactory on(const Endpoint& endpoint) {
        return [this, endpoint](World& world) {
            return make_sim_network(world, internet, endpoint.address);
        };
    }
    void listen(const Endpoint& endpoint) {
        const std::size_t node = sim.add_node(1, on(endpoint));
        auto listener = sim.world(0, node).network.listen(
            {.endpoint = endpoint},
            [this](StreamPtr stream) { accepted.push_back(std::move(stream)); });
        ASSERT_TRUE(listener) << listener.error().message();
        listeners.push_back(*std::move(listener));
    }
    void black_hole(const Endpoint& endpoint) { internet.black_hole(endpoint.address); }
    Deferred<StreamPtr> start(std::vector<Endpoint> endpoints, ConnectOptions options = {}) {
        return sim.on(sim.world(), [&] {
            return connect_any(sim.world(), std::move(endpoints), std::move(options));
        });
    }
    base::Result<StreamPtr> connect(std::vector<Endpoint> endpoints, ConnectOptions options = {}) {
        const auto began = sim.now();
        auto connecting = start(std::move(endpoints), std::move(options));
        sim.run_until([&] { return connecting.settled(); }, 1h);
        took = sim.now() - began;
        return connecting.take();
    }

    test::LogCapture log;
    SimInternet internet;
    SimWorld sim;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<StreamPtr> accepted;
    base::Duration took{};
};

TEST(InterleaveFamilies, lets_families_take_turns_from_the_first) {
    const Endpoint a{"2001:db8::1", 1};
    const Endpoint b{"2001:db8::2", 1};
    const Endpoint c{"2001:db8::3", 1};
    const Endpoint x{"192.0.2.1", 1};
    const Endpoint y{"192.0.2.2", 1};
    EXPECT_THAT(interleave_families({a, b, c, x, y}), ElementsAre(a, x, b, y, c));
    EXPECT_THAT(interleave_families({x, a, y, b, c}), ElementsAre(x, a, y, b, c));
    EXPECT_THAT(interleave_families({x, y}), ElementsAre(x, y));
    EXPECT_THAT(interleave_families({}), ElementsAre());
}

TEST_F(ConnectAny, connects_to_the_first_when_it_answers) {
    listen(kFirst);
    listen(kSecond);
    const auto stream = connect({kFirst, kSecond});
    ASSERT_TRUE(stream) << stream.error().message();
    EXPECT_EQ((*stream)->peer(), kFirst);
    sim.advance(10s);
    EXPECT_EQ(accepted.size(), 1U) << "nobody else was asked";
    EXPECT_TRUE(sim.run_until_idle(0ns)) << "no timer is left";
}

TEST_F(ConnectAny, starts_the_next_attempt_after_the_delay) {
    listen(kFirst);
    listen(kSecond);
    black_hole(kFirst);
    const auto stream = connect({kFirst, kSecond});
    ASSERT_TRUE(stream) << stream.error().message();
    EXPECT_EQ((*stream)->peer(), kSecond);
    EXPECT_GE(took, 250ms);
    EXPECT_LT(took, 300ms);
    EXPECT_EQ(internet.connections(), 1U);
}

TEST_F(ConnectAny, starts_the_next_attempt_at_once_after_a_failure) {
    listen(kSecond);
    const auto stream = connect({kFirst, kSecond});
    ASSERT_TRUE(stream) << stream.error().message();
    EXPECT_EQ((*stream)->peer(), kSecond);
    EXPECT_LT(took, 100ms);
}

TEST_F(ConnectAny, lets_a_slow_attempt_go_on_and_win) {
    listen(kFirst);
    listen(kSecond);
    listen(kThird);
    black_hole(kFirst);
    black_hole(kSecond);
    black_hole(kThird);
    auto connecting = start({kFirst, kSecond, kThird});
    sim.advance(800ms);
    EXPECT_FALSE(connecting.settled());
    internet.heal(kFirst.address);
    internet.heal(kSecond.address);
    internet.heal(kThird.address);
    sim.run_until([&] { return connecting.settled(); }, 10s);
    const auto stream = connecting.take();
    ASSERT_TRUE(stream) << stream.error().message();
    EXPECT_EQ((*stream)->peer(), kFirst) << "its repetition came first";
    sim.advance(10s);
    EXPECT_EQ(internet.connections(), 1U) << "the losers were dropped";
}

TEST_F(ConnectAny, names_every_address_when_all_fail) {
    const auto stream = connect({kFirst, kSecond});
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().code(), Errc::connection_refused);
    EXPECT_THAT(stream.error().message(), HasSubstr("[2001:db8::1]:5222, 192.0.2.1:5222"));
    EXPECT_EQ(log.events().size(), 0U);
}

TEST_F(ConnectAny, passes_the_only_failure_on_as_it_is) {
    const auto stream = connect({kSecond});
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().message(),
              "connection_refused: cannot connect to 192.0.2.1:5222: nobody listens");
}

TEST_F(ConnectAny, gives_up_at_its_time_limit) {
    black_hole(kFirst);
    black_hole(kSecond);
    const auto stream = connect({kFirst, kSecond}, {.timeout = 5s});
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().message(),
              "timed_out: no connection in time: tried [2001:db8::1]:5222, 192.0.2.1:5222");
    EXPECT_EQ(took, 5s);
}

TEST_F(ConnectAny, tries_only_what_its_source_can_reach) {
    listen(kFirst);
    listen(kSecond);
    const Endpoint source{"192.0.2.77", 0};
    auto stream = connect({kFirst, kSecond}, {.source = source});
    ASSERT_TRUE(stream) << stream.error().message();
    EXPECT_EQ((*stream)->peer(), kSecond);
    EXPECT_EQ((*stream)->local().address, source.address);
    stream = connect({kFirst}, {.source = source});
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().code(), Errc::invalid_argument);
}

TEST_F(ConnectAny, refuses_an_empty_list) {
    const auto stream = connect({});
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().code(), Errc::invalid_argument);
}

TEST_F(ConnectAny, ignores_endpoints_beyond_its_cap) {
    std::vector<Endpoint> many;
    for (std::size_t i = 0; i < kConnectEndpointsMax; ++i)
        many.push_back({"192.0.2.50", static_cast<std::uint16_t>(6000 + i)});
    many.push_back(kSecond);
    listen(kSecond);
    EXPECT_FALSE(connect(many));
    many.erase(many.begin());
    EXPECT_TRUE(connect(many));
}

TEST_F(ConnectAny, ends_every_attempt_when_dropped_or_cancelled) {
    listen(kFirst);
    listen(kSecond);
    black_hole(kFirst);
    black_hole(kSecond);
    auto dropped = std::optional(start({kFirst, kSecond}));
    auto cancelled = start({kFirst, kSecond});
    sim.advance(300ms);
    sim.on(sim.world(), [&] {
        dropped.reset();
        cancelled.cancel();
    });
    EXPECT_TRUE(sim.run_until_idle(0ns)) << "no timer is left";
    ASSERT_TRUE(cancelled.settled());
    EXPECT_EQ(cancelled.take().error().code(), Errc::cancelled);
}

}  // namespace
}  // namespace reactor
