// D8: token buckets, throttled streams, taps, limits and idle timeouts. On virtual time.
#include "reactor/memory_pipe.h"
#include "reactor/net/connection.h"
#include "reactor/net/connection_limits.h"
#include "reactor/net/timeouts.h"
#include "reactor/net/token_bucket.h"
#include "reactor/net/traffic_tap.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

namespace reactor {
namespace {

using base::Errc;
using namespace std::chrono_literals;

class D8_Policies : public testing::Test {
protected:
    D8_Policies() : scope(world().reactor) {}
    World& world() { return sim.world(); }
    template <class T>
    base::Result<T> wait(Deferred<T> work) {
        sim.run_until([&] { return work.settled(); }, 24h);
        if (!work.settled()) return base::fail(Errc::internal, "never settled");
        return work.take();
    }
    /// How long it takes the far end to get `count` bytes.
    base::Duration time_to_read(Connection& connection, std::size_t count) {
        const auto began = sim.now();
        for (std::size_t received = 0; received < count;) {
            const auto bytes = wait(connection.read());
            if (!bytes || bytes->empty()) return -1s;
            received += bytes->size();
        }
        return sim.now() - began;
    }

    SimWorld sim{SimOptions()};
    Reactor::Scope scope;
};

TEST_F(D8_Policies, a_bucket_starts_full_fills_at_its_rate_and_keeps_no_more_than_its_burst) {
    TokenBucket bucket(10, 20);
    base::MonotonicTime now{1'000'000'000};
    EXPECT_EQ(bucket.available(now), 20u);
    EXPECT_TRUE(bucket.try_take(now, 20));
    EXPECT_FALSE(bucket.try_take(now, 1));
    EXPECT_EQ(bucket.wait_for(now, 5), 500ms);
    EXPECT_EQ(bucket.available(now + 499ms), 4u);
    EXPECT_EQ(bucket.available(now + 500ms), 5u);
    EXPECT_EQ(bucket.available(now + 1h), 20u);
    bucket.take(now + 1h, 30);
    EXPECT_EQ(bucket.available(now + 1h), 0u) << "in debt";
    EXPECT_EQ(bucket.wait_for(now + 1h, 1), 1100ms);
    EXPECT_EQ(bucket.wait_for(now + 2h, 1000), 0ns) << "never longer than until it is full";
}

TEST_F(D8_Policies, throttled_reading_holds_the_peer_back_without_buffering) {
    auto ends = memory_pipe(world(), world(), {.capacity = 100});
    TokenBucket bucket(1000, 500);
    Connection reader(world(), std::make_unique<ThrottledStream>(world(), std::move(ends.first),
                                                                 Throttles{{&bucket}, {}}));
    Connection writer(world(), std::move(ends.second));
    ASSERT_TRUE(writer.write(std::string(10'000, 'x')));
    const base::Duration took = time_to_read(reader, 10'000);
    EXPECT_GE(took, 9490ms) << "the burst is free, the rest at 1000 a second";
    EXPECT_LE(took, 9700ms);
}

TEST_F(D8_Policies, throttled_writing_obeys_every_bucket) {
    auto ends = memory_pipe(world(), world());
    TokenBucket wide(1'000'000, 1'000'000);
    TokenBucket narrow(2000, 100);
    Connection writer(world(), std::make_unique<ThrottledStream>(world(), std::move(ends.first),
                                                                 Throttles{{}, {&wide, &narrow}}));
    Connection reader(world(), std::move(ends.second));
    ASSERT_TRUE(writer.write(std::string(4100, 'x')));
    const base::Duration took = time_to_read(reader, 4100);
    EXPECT_GE(took, 1990ms);
    EXPECT_LE(took, 2200ms);
}

TEST_F(D8_Policies, a_shared_bucket_is_shared) {
    auto first = memory_pipe(world(), world());
    auto second = memory_pipe(world(), world());
    TokenBucket bucket(1000, 1);
    const Throttles throttles{{&bucket}, {}};
    Connection one(world(),
                   std::make_unique<ThrottledStream>(world(), std::move(first.first), throttles));
    Connection other(
        world(), std::make_unique<ThrottledStream>(world(), std::move(second.first), throttles));
    Connection far_one(world(), std::move(first.second));
    Connection far_other(world(), std::move(second.second));
    ASSERT_TRUE(far_one.write(std::string(500, 'x')) && far_other.write(std::string(500, 'y')));
    const auto began = sim.now();
    Deferred<std::string> reading_one = one.read_exactly(500);
    Deferred<std::string> reading_other = other.read_exactly(500);
    EXPECT_TRUE(wait(std::move(reading_one)) && wait(std::move(reading_other)));
    EXPECT_GE(sim.now() - began, 990ms);
}

TEST_F(D8_Policies, a_tap_shows_what_was_really_transferred) {
    auto ends = memory_pipe(world(), world(), {.capacity = 4});
    std::string in;
    std::string out;
    Connection tapped(
        world(),
        std::make_unique<TrafficTap>(
            std::move(ends.first), [&](Direction direction, std::span<const std::byte> bytes) {
                (direction == Direction::in ? in : out) += base::as_text(bytes);
            }));
    Connection other(world(), std::move(ends.second));
    ASSERT_TRUE(tapped.write("outgoing"));
    sim.run_ready();
    EXPECT_EQ(out, "outg") << "the pipe took no more";
    EXPECT_EQ(*wait(other.read_exactly(8)), "outgoing");
    EXPECT_EQ(out, "outgoing");
    ASSERT_TRUE(other.write("in"));
    EXPECT_EQ(*wait(tapped.read()), "in");
    EXPECT_EQ(in, "in");
}

TEST_F(D8_Policies, limits_connections_altogether_and_by_address) {
    ConnectionLimits limits({.total_max = 3, .per_address_max = 2});
    const Endpoint v4{"192.0.2.1", 1000};
    auto first = limits.admit(v4);
    auto second = limits.admit({"::ffff:192.0.2.1", 2000});
    ASSERT_TRUE(first && second);
    EXPECT_EQ(limits.count_of(v4), 2u) << "a mapped address is the same peer";
    EXPECT_EQ(limits.admit(v4).error().code(), Errc::resource_exhausted);
    auto third = limits.admit({"2001:db8::1", 1});
    ASSERT_TRUE(third);
    EXPECT_EQ(limits.count_of({"2001:db8::ffff", 1}), 1u) << "a /64 is one peer";
    EXPECT_EQ(limits.count_of({"2001:db8:0:1::1", 1}), 0u);
    EXPECT_EQ(limits.admit({"198.51.100.1", 1}).error().code(), Errc::resource_exhausted);
    {
        const ConnectionLimits::Admission given_back = *std::move(first);
    }
    EXPECT_EQ(limits.count(), 2u);
    EXPECT_TRUE(limits.admit({"198.51.100.1", 1}));
}

TEST_F(D8_Policies, an_idle_timeout_is_pushed_back_by_every_touch) {
    int fired = 0;
    IdleTimeout timeout(world().reactor, [&] { ++fired; });
    timeout.touch();
    EXPECT_EQ(timeout.set(10s), std::nullopt);
    EXPECT_EQ(timeout.set(5s), 10s) << "the previous value";
    for (int i = 0; i < 10; ++i) {
        sim.advance(4s);
        world().reactor.soon([&] { timeout.touch(); });
        sim.run_ready();
    }
    EXPECT_EQ(fired, 0);
    sim.advance(4999ms);
    EXPECT_EQ(fired, 0);
    sim.advance(2ms);
    EXPECT_EQ(fired, 1);
    sim.advance(1h);
    EXPECT_EQ(fired, 1) << "once; set it again for more";
    EXPECT_EQ(timeout.set(1s), std::nullopt);
    EXPECT_EQ(timeout.set({}), 1s);
    sim.advance(1h);
    EXPECT_EQ(fired, 1);
}

TEST_F(D8_Policies, an_idle_timeout_may_destroy_itself) {
    std::optional<IdleTimeout> timeout;
    timeout.emplace(world().reactor, [&] { timeout.reset(); });
    timeout->set(1s);
    sim.advance(2s);
    EXPECT_FALSE(timeout);
}

}  // namespace
}  // namespace reactor
