// What a program can do wrong, and the answer: an error that names the cause, or the end of the
// program at a CHECK that does; never undefined behaviour.
#include "reactor/blocking_pool.h"
#include "reactor/call_in_thread.h"
#include "reactor/looping_call.h"
#include "reactor/process/channel.h"
#include "reactor/real_world.h"
#include "reactor/sim/sim_process.h"
#include "reactor/sim/sim_world.h"
#include "reactor/sync/lock.h"
#include "reactor/sync/queue.h"
#include "reactor/task/task.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <csignal>
#include <optional>
#include <thread>

namespace reactor {
namespace {

using base::Errc;
using namespace std::chrono_literals;
using test::failure_of;
using test::value_of;

class Misuse : public testing::Test {
protected:
    SimWorld sim{SimOptions{}};
    World& world = sim.world();
    Reactor::Scope scope{world.reactor};
};
using MisuseDeathTest = Misuse;

TEST_F(MisuseDeathTest, a_loop_that_runs_is_not_run_again_and_can_be_later) {
    RealClock clock;
    Reactor reactor(clock);
    EXPECT_DEATH(
        {
            reactor.soon([&] { reactor.run(); });
            reactor.run();
        },
        "already_runs");
    for (int i = 0; i < 2; ++i) {
        reactor.post([&] { reactor.stop(); });
        reactor.run();
    }
}

TEST_F(Misuse, what_was_started_is_not_started_again) {
    LoopingCall loop(world.reactor, [] { return ready(); });
    Deferred<void> looping = loop.start(1s);
    EXPECT_EQ(failure_of(loop.start(1s)).code(), Errc::already_running);
    loop.stop();
    value_of(looping);

    Promise<void> promise;
    Task<> task(world.reactor, {}, [&] { return promise.deferred(); });
    EXPECT_TRUE(task.start());
    EXPECT_EQ(task.start().error().message(), "already_running: the task has not ended yet");
    promise.resolve();
    test::run_ready();
}

TEST_F(MisuseDeathTest, a_promise_is_resolved_once) {
    Promise<int> promise;
    Deferred<int> deferred = promise.deferred();
    promise.resolve(1);
    EXPECT_FALSE(promise.try_resolve(2));
    EXPECT_DEATH(promise.resolve(3), "resolved_");
    EXPECT_DEATH((void)promise.deferred(), "taken_");
    EXPECT_EQ(value_of(deferred), 1);
    EXPECT_DEATH((void)deferred.take(), "settled");
}

TEST_F(MisuseDeathTest, a_shard_is_used_from_its_own_thread) {
    EXPECT_DEATH(std::thread([&] { world.reactor.soon([] {}); }).join(), "used_on_its_own_thread");
    EXPECT_DEATH(std::thread([&] { sleep(world.reactor, 1s).detach("the test"); }).join(),
                 "used_on_its_own_thread");
    EXPECT_EQ(call_and_wait(
                  world.reactor, [] { return 1; }, 1s)
                  .error()
                  .message(),
              "invalid_argument: call_and_wait on a shard would stop its loop: await instead");
}

TEST(MisuseLoop, a_zero_delay_loop_ends_with_an_error_in_tests) {
    test::LogCapture capture;
    SimWorld sim({.turns_without_time_max = 1000, .log = capture.log()});
    Reactor& reactor = sim.world().reactor;
    LoopingCall loop(reactor, [&] {
        reactor.soon([] {});
        return ready();
    });
    std::optional<Deferred<void>> looping = sim.on(sim.world(), [&] { return loop.start(0s); });
    EXPECT_FALSE(sim.advance(1s));
    EXPECT_EQ(capture.count("sim.step_limit"), 1U);
    sim.on(sim.world(), [&] { looping.reset(); });

    const Reactor::Scope scope(reactor);
    auto spin = []() -> Deferred<void> {
        for (;;) {
            Deferred<void> again = yield();
            co_await std::move(again);
        }
    };
    Deferred<void> spinning = spin();
    EXPECT_THROW(test::run_ready(), test::TestFailure);
}

TEST_F(Misuse, a_cycle_of_locks_is_refused_in_words) {
    Lock accounts("accounts");
    Lock rooms("rooms");
    LockOwner transfer("transfer");
    LockOwner audit("audit");
    const Permit first = value_of(accounts.acquire(transfer));
    const Permit second = value_of(rooms.acquire(audit));
    Deferred<Permit> waiting = rooms.acquire(transfer);
    EXPECT_EQ(failure_of(accounts.acquire(audit)).message(),
              "would_deadlock: audit waits for accounts, held by transfer waits for rooms, held by "
              "audit");
    waiting.cancel();
    EXPECT_EQ(failure_of(waiting).code(), Errc::cancelled);
}

TEST_F(Misuse, a_full_queue_says_so) {
    Queue<int> queue(2, 1);
    EXPECT_TRUE(queue.try_put(1));
    EXPECT_TRUE(queue.try_put(2));
    EXPECT_EQ(queue.try_put(3).error().message(), "queue_full: 2 values wait already");
    Deferred<void> waiting = queue.put(3);
    EXPECT_EQ(failure_of(queue.put(4)).message(), "queue_full: too many producers wait for space");
}

TEST_F(Misuse, a_full_pool_and_a_closed_one_say_so) {
    SimWorld narrow({.pool = {.misc = {.threads = 1, .queued_max = 1}}});
    const Reactor::Scope inside(narrow.world().reactor);
    BlockingPool& pool = narrow.world().blocking;
    Deferred<void> runs = pool.run(WorkClass::misc, [] {});
    Deferred<void> waits = pool.run(WorkClass::misc, [] {});
    EXPECT_EQ(failure_of(pool.run(WorkClass::misc, [] {})).code(), Errc::queue_full);
    ThreadPool closed{BlockingPoolOptions{}};
    closed.close();
    EXPECT_EQ(failure_of(closed.run(WorkClass::misc, [] {})).code(), Errc::closed);
}

TEST_F(Misuse, a_dead_child_is_not_signalled) {
    SimSpawner spawner(world, [](SimChild& child) -> base::Result<void> {
        child.exit(3);
        return {};
    });
    ProcessSpec spec;
    spec.executable = "/bin/child";
    auto process = spawner.spawn(std::move(spec));
    ASSERT_TRUE(process);
    sim.run_ready();
    const auto signalled = (*process)->signal(SIGTERM);
    ASSERT_FALSE(signalled);
    EXPECT_EQ(signalled.error().message(), "not_found: the process has exited");
}

}  // namespace
}  // namespace reactor
