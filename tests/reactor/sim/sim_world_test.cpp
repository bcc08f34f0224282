// SimWorld: virtual time, seeded chance, shards and pool in one thread, and that a seed replays.
#include "reactor/sim/sim_world.h"

#include "reactor/combine.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

namespace reactor {
namespace {

using base::Errc;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SimWorld, time_passes_only_when_told_and_wall_time_with_it) {
    SimWorld sim{SimOptions{}};
    const auto start = sim.now();
    const auto wall = sim.clock().wall();
    EXPECT_TRUE(sim.run_ready());
    EXPECT_EQ(sim.now(), start);
    EXPECT_TRUE(sim.advance(milliseconds(1500)));
    EXPECT_EQ(sim.now() - start, milliseconds(1500));
    EXPECT_EQ(sim.clock().wall() - wall, milliseconds(1500));
    sim.clock().step_wall(-hours(1));
    EXPECT_EQ(sim.now() - start, milliseconds(1500));
    EXPECT_EQ(sim.clock().wall() - wall, milliseconds(1500) - hours(1));
}

TEST(SimWorld, advance_stops_at_every_deadline_on_the_way) {
    SimWorld sim{SimOptions{}};
    Reactor& reactor = sim.world().reactor;
    const auto start = sim.now();
    std::vector<std::int64_t> seen;
    CallbackTimer* again = nullptr;
    CallbackTimer timer([&] {
        EXPECT_EQ(reactor.now(), sim.now());
        seen.push_back(std::chrono::duration_cast<milliseconds>(sim.now() - start).count());
        if (seen.size() < 4) reactor.arm(*again, milliseconds(100));
    });
    again = &timer;
    timer.arm(reactor.wheel(), start + milliseconds(100));
    EXPECT_TRUE(sim.advance(seconds(10)));
    EXPECT_EQ(seen, (std::vector<std::int64_t>{100, 200, 300, 400}));
}

TEST(SimWorld, runs_until_idle_and_until_a_condition) {
    SimWorld sim{SimOptions{}};
    const auto start = sim.now();
    Deferred<> slept = sim.on(sim.world(), [&] { return sleep(sim.world().reactor, hours(5)); });
    EXPECT_FALSE(sim.run_until_idle(hours(1)));
    EXPECT_EQ(sim.now() - start, hours(1));
    EXPECT_TRUE(sim.run_until([&] { return slept.settled(); }, hours(100)));
    EXPECT_EQ(sim.now() - start, hours(5));
    EXPECT_TRUE(sim.run_until_idle());
    EXPECT_FALSE(sim.run_until([] { return false; }, hours(1)));
}

TEST(SimWorld, a_zero_delay_loop_hits_the_step_limit_and_is_reported) {
    test::LogCapture capture;
    SimWorld sim({.turns_without_time_max = 1000, .log = capture.log()});
    Reactor& reactor = sim.world().reactor;
    CallbackTimer* again = nullptr;
    CallbackTimer timer([&] { reactor.arm(*again, base::Duration::zero()); });
    again = &timer;
    timer.arm(reactor.wheel(), sim.now());
    EXPECT_FALSE(sim.advance(seconds(1)));
    EXPECT_EQ(capture.count("sim.step_limit"), 1u);
    timer.cancel();
    EXPECT_TRUE(sim.advance(seconds(1)));
}

TEST(SimWorld, the_same_seed_gives_the_same_randomness_and_each_shard_its_own) {
    auto tokens = [](std::uint64_t seed) {
        SimWorld sim({.seed = seed, .shards = 2});
        sim.add_node(1);
        return std::vector<std::string>{sim.world(0).entropy.token(), sim.world(1).entropy.token(),
                                        sim.world(0, 1).entropy.token()};
    };
    EXPECT_EQ(tokens(1), tokens(1));
    const auto first = tokens(1);
    const auto second = tokens(2);
    std::set<std::string> all(first.begin(), first.end());
    all.insert(second.begin(), second.end());
    EXPECT_EQ(all.size(), 6u);
}

TEST(SimWorld, a_draw_of_jitter_does_not_shift_the_secure_bytes) {
    SeededEntropy first(7, 1);
    SeededEntropy second(7, 1);
    second.jitter();
    EXPECT_EQ(first.token(), second.token());
}

TEST(SimWorld, pool_work_takes_time_and_respects_threads_and_caps) {
    SimWorld sim({.pool = {.misc = {.threads = 1, .queued_max = 1}},
                  .job_time_min = milliseconds(10),
                  .job_time_max = milliseconds(10)});
    World& world = sim.world();
    const auto start = sim.now();
    std::vector<base::MonotonicTime> ends;
    auto job = [&] { ends.push_back(sim.now()); };
    std::optional<Deferred<>> first;
    std::optional<Deferred<>> second;
    sim.on(world, [&] {
        first = world.blocking.run(WorkClass::misc, job);
        second = world.blocking.run(WorkClass::misc, job);
        auto third = world.blocking.run(WorkClass::misc, job);
        EXPECT_EQ(test::failure_of(third).code(), Errc::queue_full);
    });
    EXPECT_TRUE(ends.empty());
    EXPECT_TRUE(sim.run_until_idle());
    EXPECT_EQ(ends, (std::vector{start + milliseconds(10), start + milliseconds(20)}));
    test::value_of(*first);
    test::value_of(*second);
}

TEST(SimWorld, without_a_network_nothing_connects) {
    SimWorld sim{SimOptions{}};
    EXPECT_EQ(test::failure_of(sim.world().network.connect({"10.0.0.1", 5222})).code(),
              Errc::unsupported);
    EXPECT_FALSE(sim.world().network.listen({}, [](std::unique_ptr<ByteStream>) {}));
}

// A little traffic with every source of chance in it, written down.
std::string trace(std::uint64_t seed) {
    constexpr ShardId kShards = 3;
    SimWorld sim({.seed = seed, .shards = kShards});
    Shards& shards = sim.shards();
    std::string text;
    auto traffic = [&](ShardId self) -> Deferred<> {
        World& world = shards.world(self);
        for (int i = 0; i < 5; ++i) {
            co_await sleep(world.reactor, milliseconds(world.entropy.jitter() % 10));
            const ShardId target = static_cast<ShardId>(world.entropy.jitter() % kShards);
            auto question = shards.run_on(target, [&shards, self]() -> Deferred<ShardId> {
                World& there = shards.world(shards.current());
                auto job = there.blocking.run(WorkClass::misc, [self] { return self; });
                auto worked = co_await std::move(job);
                co_return worked ? *worked + shards.current() * 10 : ShardId{999};
            });
            auto answer = co_await std::move(question);
            text += std::to_string(self) + ":" + std::to_string(*answer) + "@" +
                    std::to_string(sim.now().nanoseconds) + " ";
        }
        co_return {};
    };
    std::vector<Deferred<>> work;
    for (ShardId id = 0; id < kShards; ++id)
        work.push_back(sim.on(shards.world(id), [&] { return traffic(id); }));
    EXPECT_TRUE(sim.run_until_idle());
    for (auto& each : work)
        EXPECT_TRUE(each.settled());
    return text;
}

TEST(SimWorld, a_seed_replays_exactly_and_another_differs) {
    for (const std::uint64_t seed : {1u, 2u, 3u, 4u})
        EXPECT_EQ(trace(seed), trace(seed));
    EXPECT_NE(trace(1), trace(2));
}

TEST(SimWorld, mail_keeps_its_order_per_pair_and_its_cap) {
    SimWorld sim({.seed = 5, .shards = 3});
    Shards& shards = sim.shards();
    std::vector<int> from_one;
    std::vector<int> from_two;
    for (int i = 0; i < 300; ++i) {
        sim.on(shards.world(1),
               [&] { EXPECT_TRUE(shards.post(0, [&, i] { from_one.push_back(i); })); });
        sim.on(shards.world(2),
               [&] { EXPECT_TRUE(shards.post(0, [&, i] { from_two.push_back(i); })); });
    }
    EXPECT_TRUE(sim.run_ready());
    EXPECT_EQ(from_one.size(), 300u);
    EXPECT_TRUE(std::is_sorted(from_one.begin(), from_one.end()));
    EXPECT_TRUE(std::is_sorted(from_two.begin(), from_two.end()));
    sim.on(shards.world(1), [&] {
        for (std::uint32_t i = 0; i < Shards::kMailboxMax; ++i)
            EXPECT_TRUE(shards.post(0, [] {}));
        EXPECT_FALSE(shards.post(0, [] {}));
    });
    EXPECT_TRUE(sim.run_ready());
}

TEST(SimWorld, scripted_events_come_at_their_time) {
    SimWorld sim{SimOptions{}};
    std::vector<int> order;
    const auto start = sim.now();
    sim.at(start + seconds(2), [&] { order.push_back(2); });
    sim.at(start + seconds(1), [&] { order.push_back(1); });
    sim.at(start - seconds(1), [&] { order.push_back(0); });
    EXPECT_TRUE(sim.advance(seconds(1)));
    EXPECT_EQ(order, (std::vector{0, 1}));
    EXPECT_TRUE(sim.run_until_idle());
    EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

TEST(SimWorld, jobs_that_never_ran_go_with_it) {
    bool ran = false;
    {
        SimWorld sim{SimOptions{}};
        sim.on(sim.world(), [&] {
            sim.world().blocking.run(WorkClass::misc, [&] { ran = true; }).detach("the test");
        });
    }
    EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace reactor
