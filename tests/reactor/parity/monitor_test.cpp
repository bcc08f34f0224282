// G1 (the unit-test kit) and G2 (how a loop is doing, what is alive on it).
#include "reactor/combine.h"
#include "reactor/looping_call.h"
#include "reactor/monitor/loop_monitor.h"
#include "reactor/monitor/task_dump.h"
#include "reactor/real_world.h"
#include "reactor/sim/sim_world.h"
#include "reactor/sync/lock.h"
#include "reactor/task/task.h"
#include "reactor/task_set.h"
#include "reactor/test_doubles.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using test::run_ready;
using namespace std::chrono_literals;

std::string read_some(ByteStream& stream) {
    std::array<std::byte, 64> buffer;
    const IoResult result = stream.try_read(buffer);
    if (result.status != IoStatus::ok) return {};
    return {reinterpret_cast<const char*>(buffer.data()), result.bytes};
}
IoResult write(ByteStream& stream, std::string_view text) {
    const ConstBuffer buffer = std::as_bytes(std::span(text));
    return stream.try_writev(std::span(&buffer, 1));
}

TEST(G1_StringStream, shows_what_was_written_and_feeds_what_is_read) {
    test::StringStream stream;
    EXPECT_TRUE(stream.paused());
    Deferred<> readable = when_ready(stream, Interest::readable);
    EXPECT_FALSE(stream.paused());
    EXPECT_TRUE(test::pending(readable));
    stream.feed("hello");
    test::value_of(readable);
    EXPECT_EQ(read_some(stream), "hello");
    EXPECT_EQ(write(stream, "answer").bytes, 6u);
    EXPECT_EQ(stream.value(), "answer");
    stream.clear();
    stream.set_write_space(2);
    EXPECT_EQ(write(stream, "abc").bytes, 2u);
    EXPECT_EQ(write(stream, "c").status, IoStatus::would_block);
    Deferred<> writable = when_ready(stream, Interest::writable);
    EXPECT_TRUE(test::pending(writable));
    stream.set_write_space(10);
    test::value_of(writable);
    stream.feed_end();
    std::array<std::byte, 4> buffer;
    EXPECT_EQ(stream.try_read(buffer).status, IoStatus::end_of_stream);
    stream.close();
    EXPECT_TRUE(stream.closing());
    EXPECT_FALSE(stream.aborted());
}

TEST(G1_ScriptedStream, answers_what_it_expects_and_names_what_is_wrong) {
    test::ScriptedStream good;
    good.send("220 hi\n").expect("HELO\n").send("250 ok\n");
    good.begin();
    EXPECT_EQ(read_some(good), "220 hi\n");
    EXPECT_THROW(good.check(), test::TestFailure) << "HELO is missing";
    write(good, "HE");
    write(good, "LO\n");
    EXPECT_EQ(read_some(good), "250 ok\n");
    good.check();
    test::ScriptedStream bad;
    bad.expect("HELO\n");
    write(bad, "EHLO\n");
    EXPECT_THROW(bad.check(), test::TestFailure);
}

TEST(G1_RaisingNetwork, records_and_refuses) {
    test::RaisingNetwork network(base::Failure(Errc::connection_refused, "test"));
    EXPECT_EQ(network.listen({.endpoint = {"::1", 5222}}, {}).error().code(),
              Errc::connection_refused);
    EXPECT_EQ(test::failure_of(network.connect({"192.0.2.7", 80}, {})).detail(), "test");
    EXPECT_EQ(network.connects.at(0).to_string(), "192.0.2.7:80");
}

TEST(G1_Leaks, are_named) {
    SimWorld world{SimOptions{}};
    Reactor& reactor = world.world().reactor;
    const Reactor::Scope scope(reactor);
    test::check_no_leaks(reactor);
    {
        Deferred<> sleeping = sleep(reactor, 1s);
        EXPECT_THROW(test::check_no_leaks(reactor), test::TestFailure);
    }
    TaskSet tasks(reactor);
    Promise<> never;
    tasks.add("forgotten", never.deferred());
    try {
        test::check_no_leaks(reactor);
        FAIL();
    } catch (const test::TestFailure& failure) {
        EXPECT_NE(std::string(failure.what()).find("forgotten: promise"), std::string::npos);
    }
    never.resolve();
    run_ready();
    test::check_no_leaks(reactor);
}

TEST(G1_Errors, that_nobody_expects_fail_the_test) {
    test::LogCapture capture;
    capture.log().error("a.bad", {{"failure", "x"}});
    test::check_errors(capture, {"a.bad"});
    EXPECT_THROW(test::check_errors(capture, {}), test::TestFailure);
    EXPECT_THROW(test::check_errors(capture, {"a.bad", "b.missing"}), test::TestFailure);
}

TEST(G2_Histogram, tells_quantiles_by_doubling_buckets) {
    Histogram histogram;
    EXPECT_EQ(histogram.quantile(0.5), 0ns);
    for (int i = 0; i < 99; ++i)
        histogram.add(10us);
    histogram.add(50ms);
    histogram.add(-1s);
    EXPECT_EQ(histogram.count(), 101u);
    EXPECT_EQ(histogram.longest(), 50ms);
    EXPECT_EQ(histogram.quantile(0.5), 16us);
    EXPECT_EQ(histogram.quantile(1.0), 50ms);
}

/// Time passes when the test says so, also inside a turn.
class SteppedClock final : public Clock {
public:
    base::MonotonicTime monotonic() const override { return {now.load()}; }
    base::WallTime wall() const override { return {}; }
    std::atomic<std::int64_t> now = 1'000'000'000;
};

TEST(G2_LoopMonitor, counts_turns_stalls_and_late_timers) {
    test::LogCapture capture;
    SteppedClock clock;
    Reactor reactor(clock, capture.log());
    LoopMonitor monitor(reactor, clock, {.name = "shard-0", .lag_interval = 1s});
    reactor.post([&] { clock.now += 3'000'000; });
    reactor.run_turn(false);
    EXPECT_EQ(monitor.stalls(), 0u);
    reactor.post([&] { clock.now += 40'000'000; });
    reactor.run_turn(false);
    EXPECT_EQ(monitor.stalls(), 1u);
    EXPECT_EQ(monitor.turns().count(), 2u);
    EXPECT_EQ(monitor.turns().longest(), 40ms);
    EXPECT_EQ(capture.first("reactor.stall").text("loop"), "shard-0");
    clock.now += 1'007'000'000;  // Since the start: 1050 ms, so the probe is 50 ms late.
    reactor.run_turn(false);
    EXPECT_EQ(monitor.lag().count(), 1u);
    EXPECT_EQ(monitor.lag().longest(), 50ms);
    EXPECT_EQ(monitor.turn_began_nanoseconds(), 0) << "between turns";
}

TEST(G2_StallWatch, tells_of_a_turn_that_does_not_end) {
    test::LogCapture capture;
    SteppedClock clock;
    Reactor reactor(clock);
    LoopMonitor monitor(reactor, clock, {.name = "stuck", .lag_interval = 0s});
    StallWatch watch(monitor, clock, capture.log(), 4ms);
    reactor.post([&] {
        clock.now += 10'000'000;
        // The turn goes on until the watcher, in its own thread, has seen it.
        while (capture.count("reactor.stalled") == 0)
            std::this_thread::yield();
    });
    reactor.run_turn(false);
    EXPECT_EQ(capture.count("reactor.stalled"), 1u) << "once a turn";
    EXPECT_EQ(capture.first("reactor.stalled").text("loop"), "stuck");
}

TEST(G2_GroupCpu, is_measured_by_the_schedulers_clock) {
    SteppedClock clock;
    Reactor reactor(clock);
    const Reactor::Scope scope(reactor);
    Scheduler scheduler(reactor, &clock);
    SchedulingGroup& busy = scheduler.add_group({.name = "busy"});
    SchedulingGroup& lazy = scheduler.add_group({.name = "lazy"});
    const auto work = [&](std::int64_t cost) {
        return [&clock, cost] { return yield().then([&clock, cost] { clock.now += cost; }); };
    };
    Task<> one(reactor, {}, work(7'000'000), &busy);
    Task<> two(reactor, {}, work(1'000'000), &lazy);
    ASSERT_TRUE(one.start());
    ASSERT_TRUE(two.start());
    run_ready();
    EXPECT_EQ(busy.statistics().cpu, 7ms);
    EXPECT_EQ(lazy.statistics().cpu, 1ms);
    EXPECT_GE(busy.statistics().steps, 1u);
}

Deferred<> waits_inside(Reactor& reactor) {
    Deferred<> sleeping = sleep(reactor, 1h);
    co_await std::move(sleeping);
    co_return {};
}
Deferred<> waits_outside(Reactor& reactor) {
    Deferred<> inner = waits_inside(reactor);
    co_await std::move(inner);
    co_return {};
}

TEST(G2_TaskDump, names_every_live_task_and_its_chain_of_waits) {
    SimWorld world{SimOptions{}};
    Reactor& reactor = world.world().reactor;
    const Reactor::Scope scope(reactor);
    TaskSet tasks(reactor);
    tasks.add("roster.load", waits_outside(reactor));
    Task<> task(reactor, {.name = "handle"}, [&] { return sleep(reactor, 1h); });
    ASSERT_TRUE(task.start());
    Lock lock("accounts");
    LockOwner holder("a");
    LockOwner waiter("b");
    Permit held = test::value_of(lock.acquire(holder));
    std::optional<Deferred<>> waiting = lock.acquire(waiter).then([](Permit) {});
    std::move(*waiting).detach("report");
    waiting.reset();
    const std::vector<LiveTask> live = live_tasks(reactor);
    ASSERT_EQ(live.size(), 3u) << dump_tasks(reactor);
    EXPECT_EQ(live[0].name, "roster.load");
    ASSERT_EQ(live[0].waits.size(), 3u);
    EXPECT_TRUE(live[0].waits[0].starts_with("monitor_test.cpp:"));
    EXPECT_TRUE(live[0].waits[1].starts_with("monitor_test.cpp:"));
    EXPECT_NE(live[0].waits[0], live[0].waits[1]);
    EXPECT_EQ(live[0].waits[2], "sleep");
    EXPECT_EQ(live[1].name, "handle");
    EXPECT_EQ(live[2].name, "report");
    EXPECT_EQ(live[2].waits.back(), "accounts");
    EXPECT_NE(dump_tasks(reactor).find("handle: sleep\n"), std::string::npos);
    held.release();
    run_ready();
    EXPECT_EQ(live_tasks(reactor).size(), 2u);
}

TEST(G2_Allocations, of_coroutines_come_from_the_free_lists_once_warm) {
    const auto round = [] {
        Promise<int> promise;
        Deferred<int> work = promise.deferred().then([](int value) { return value + 1; });
        promise.resolve(1);
        EXPECT_EQ(test::value_of(work), 2);
    };
    round();
    const detail::FrameStatistics warm = detail::frame_statistics();
    for (int i = 0; i < 1000; ++i)
        round();
    EXPECT_EQ(detail::frame_statistics().from_system, warm.from_system);
    EXPECT_EQ(detail::frame_statistics().kept_blocks, warm.kept_blocks);
}

TEST(G2_TaskDump, keeps_the_shards_of_one_thread_apart) {
    SimWorld world{SimOptions{.shards = 2}};
    TaskSet first(world.world(0).reactor);
    TaskSet second(world.world(1).reactor);
    Promise<> one;
    Promise<> two;
    first.add("first", one.deferred());
    second.add("second", two.deferred());
    ASSERT_EQ(live_tasks(world.world(1).reactor).size(), 1u);
    EXPECT_EQ(live_tasks(world.world(1).reactor)[0].name, "second");
}

}  // namespace
}  // namespace reactor
