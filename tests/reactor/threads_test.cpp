// E1-E5: work in threads, threads that ask shards, thread events, values per shard and per context.
// Run under ThreadSanitizer too.
#include "reactor/call_in_thread.h"
#include "reactor/context.h"
#include "reactor/real_world.h"
#include "reactor/shard_local.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"
#include "reactor/thread_event.h"

#include <gtest/gtest.h>

#include <unistd.h>
#include <atomic>
#include <fstream>
#include <iterator>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>

namespace reactor {
namespace {

using base::Errc;
using namespace std::chrono_literals;

/// A loop in a thread of its own, for tests that are the foreign thread.
class LoopThread {
public:
    LoopThread() : shards_(options(), base::Log::silent(), {}) {
        thread_ = std::thread([this] {
            shards_.run(
                [this](ShardId id) {
                    if (id == 0) running_.count_down();
                },
                [](ShardId) {});
        });
        running_.wait();
    }
    LoopThread(const LoopThread&) = delete;
    LoopThread& operator=(const LoopThread&) = delete;
    ~LoopThread() {
        shards_.stop();
        thread_.join();
    }
    Reactor& reactor() { return shards_.world(0).reactor; }
    World& world() { return shards_.world(0); }
    Shards& shards() { return shards_; }

private:
    static RealShardsOptions options() {
        RealShardsOptions options;
        options.count = 2;
        return options;
    }
    std::latch running_{1};
    RealShards shards_;
    std::thread thread_;
};

TEST(E1_CallInThread, answers_with_what_the_work_returns_or_throws) {
    LoopThread loop;
    const auto answer = call_and_wait(
        loop.reactor(),
        [&]() -> Deferred<std::string> {
            Deferred<int> counting = call_in_thread(loop.world(), [] { return 42; });
            Deferred<int> failing =
                call_in_thread(loop.world(), []() -> int { throw std::runtime_error("bad"); });
            const base::Result<int> counted = co_await std::move(counting);
            const base::Result<int> failed = co_await std::move(failing);
            co_return std::to_string(*counted) + " " + failed.error().message();
        },
        20s);
    EXPECT_EQ(*answer, "42 internal: bad");
}

TEST(E1_CallInThread, runs_several_in_order_and_refuses_when_closed) {
    SimWorld sim{SimOptions()};
    const Reactor::Scope scope(sim.world().reactor);
    std::string order;
    std::vector<base::UniqueFunction<void()>> functions;
    functions.emplace_back([&] { order += "a"; });
    functions.emplace_back([&] { order += "b"; });
    functions.emplace_back([] { throw std::runtime_error("third"); });
    functions.emplace_back([&] { order += "d"; });
    auto all = call_multiple_in_thread(sim.world(), std::move(functions));
    sim.run_until([&] { return all.settled(); }, 1s);
    EXPECT_EQ(all.take().error().message(), "internal: third");
    EXPECT_EQ(order, "ab");
    RealClock clock;
    Reactor reactor(clock);
    const Reactor::Scope real_scope(reactor);
    ThreadPool pool({});
    pool.close();
    EXPECT_EQ(test::failure_of(pool.run(WorkClass::misc, [] {})).code(), Errc::closed)
        << "never a Deferred that stays pending";
}

TEST(E2_Pool, counts_its_work_and_changes_its_size_without_losing_any) {
    BlockingPoolOptions options;
    options.misc = {.threads = 1, .queued_max = 8};
    ThreadPool pool(options);
    EXPECT_EQ(pool.statistics(WorkClass::misc).threads, 1u);
    std::latch begun(1);
    std::latch release(1);
    std::latch all(9);
    ASSERT_TRUE(pool.submit(WorkClass::misc, [&] {
        begun.count_down();
        release.wait();
        all.count_down();
    }));
    begun.wait();
    for (int i = 0; i < 8; ++i)
        ASSERT_TRUE(pool.submit(WorkClass::misc, [&] { all.count_down(); }));
    EXPECT_FALSE(pool.submit(WorkClass::misc, [] {})) << "the cap holds";
    EXPECT_EQ(pool.statistics(WorkClass::misc).busy, 1u);
    EXPECT_EQ(pool.statistics(WorkClass::misc).queued, 8u);
    pool.resize(WorkClass::misc, 4);
    EXPECT_EQ(pool.statistics(WorkClass::misc).threads, 4u) << "there is work for all";
    while (pool.statistics(WorkClass::misc).queued > 0)
        std::this_thread::yield();  // The other three work though one is held.
    pool.resize(WorkClass::misc, 1);
    release.count_down();
    all.wait();
    while (pool.statistics(WorkClass::misc).threads > 1)
        std::this_thread::yield();
    pool.resize(WorkClass::misc, 0);
    EXPECT_EQ(pool.statistics(WorkClass::misc).threads, 1u) << "never none";
    pool.close();
    EXPECT_EQ(pool.statistics(WorkClass::misc).finished, 9u);
    pool.resize(WorkClass::misc, 5);
}

TEST(E2_Pool, starts_threads_for_what_waits_and_lets_them_go_when_they_are_idle) {
    BlockingPoolOptions options;
    options.misc = {.threads = 3, .queued_max = 8, .idle_timeout = 1ms};
    ThreadPool pool(options);
    const auto threads = [&] { return pool.statistics(WorkClass::misc).threads; };
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(threads(), 1u);
        std::latch release(1);
        std::latch all(5);
        for (int i = 0; i < 5; ++i) {
            ASSERT_TRUE(pool.submit(WorkClass::misc, [&] {
                release.wait();
                all.count_down();
            }));
        }
        EXPECT_EQ(threads(), 3u) << "no more than its most";
        release.count_down();
        all.wait();
        while (threads() > 1)
            std::this_thread::yield();
    }
    pool.close();
    EXPECT_EQ(pool.statistics(WorkClass::misc).finished, 15u);
}

TEST(E2_Pool, starts_none_while_those_beyond_a_lowered_most_are_busy) {
    BlockingPoolOptions options;
    options.misc = {.threads = 2, .queued_max = 8};
    ThreadPool pool(options);
    std::latch begun(2);
    std::latch release(1);
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(pool.submit(WorkClass::misc, [&] {
            begun.count_down();
            release.wait();
        }));
    }
    begun.wait();
    pool.resize(WorkClass::misc, 1);
    ASSERT_TRUE(pool.submit(WorkClass::misc, [] {}));
    EXPECT_EQ(pool.statistics(WorkClass::misc).threads, 2u);
    release.count_down();
    pool.close();
    EXPECT_EQ(pool.statistics(WorkClass::misc).finished, 3u);
}

TEST(E3_CallAndWait, waits_for_values_deferreds_and_failures) {
    LoopThread loop;
    EXPECT_EQ(*call_and_wait(loop.reactor(), [] { return 7; }, 20s), 7);
    EXPECT_TRUE(call_and_wait(loop.reactor(), [] {}, 20s));
    EXPECT_TRUE(call_and_wait(loop.reactor(), [&] { return sleep(loop.reactor(), 1ms); }, 20s));
    const auto failed = call_and_wait(
        loop.reactor(), []() -> base::Result<int> { return base::fail(Errc::not_found); }, 20s);
    EXPECT_EQ(failed.error().code(), Errc::not_found);
    const auto thrown =
        call_and_wait(loop.reactor(), []() -> int { throw std::runtime_error("thrown"); }, 20s);
    EXPECT_EQ(thrown.error().message(), "internal: thrown");
}

TEST(E3_CallAndWait, gives_up_after_its_limit_and_cancels_the_work) {
    LoopThread loop;
    std::latch cancelled(1);
    const auto late = call_and_wait(
        loop.reactor(),
        [&]() -> Deferred<void> {
            Deferred<void> working = sleep(loop.reactor(), 1h);
            const base::Result<void> result = co_await std::move(working).as_result();
            if (!result && result.error().is(Errc::cancelled)) cancelled.count_down();
            co_return {};
        },
        5ms);
    EXPECT_EQ(late.error().code(), Errc::timed_out);
    cancelled.wait();
}

TEST(E3_CallAndWait, refuses_on_a_shard_where_it_would_wait_for_itself) {
    LoopThread loop;
    const auto code = call_and_wait(
        loop.reactor(),
        [&] {
            const auto inner = call_and_wait(loop.reactor(), [] { return 1; }, 1h);
            return static_cast<int>(inner.error().code());
        },
        20s);
    EXPECT_EQ(*code, static_cast<int>(Errc::invalid_argument));
}

/// Whether the thread `id` of this process waits in the kernel.
bool sleeps(pid_t id) {
    std::ifstream file("/proc/self/task/" + std::to_string(id) + "/stat");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    return text.contains(") S ");
}

TEST(E3_CallAndWait, fails_when_the_loop_goes_before_it_ran) {
    RealClock clock;
    auto reactor = std::make_unique<Reactor>(clock);
    std::atomic<pid_t> id = 0;
    std::thread foreign([&, target = reactor.get()] {
        id = ::gettid();
        const auto answer = call_and_wait(*target, [] { return 1; }, 1h);
        EXPECT_EQ(answer.error().code(), Errc::closed) << "by the destructor, at once";
    });
    // Nobody may be posting when a reactor goes: the call is there, and its thread waits for the
    // answer.
    while (!reactor->runnable({0}) || !sleeps(id))
        std::this_thread::yield();
    reactor.reset();
    foreign.join();
}

TEST(E4_ThreadEvent, wakes_shards_and_threads) {
    LoopThread loop;
    ThreadEvent event;
    EXPECT_FALSE(event.is_set());
    EXPECT_FALSE(event.wait_blocking(1ms));
    std::thread setter([&] { (void)call_and_wait(loop.reactor(), [&] { event.set(); }, 20s); });
    EXPECT_TRUE(event.wait_blocking(20s));
    setter.join();
    EXPECT_TRUE(call_and_wait(loop.reactor(), [&] { return event.wait(); }, 20s)) << "set already";
    event.clear();
    std::latch waiting(2);
    std::thread first([&] {
        EXPECT_TRUE(call_and_wait(
            loop.reactor(),
            [&] {
                waiting.count_down();
                return event.wait();
            },
            20s));
    });
    std::thread second([&] {
        EXPECT_TRUE(call_and_wait(
            loop.shards().world(1).reactor,
            [&] {
                waiting.count_down();
                return event.wait();
            },
            20s));
    });
    waiting.wait();
    event.set();
    first.join();
    second.join();
}

TEST(E4_ThreadEvent, forgets_who_gave_up_and_fails_who_waits_at_its_end) {
    RealClock clock;
    Reactor reactor(clock);
    const Reactor::Scope scope(reactor);
    auto event = std::make_unique<ThreadEvent>();
    {
        const Deferred<void> dropped = event->wait();
    }
    Deferred<void> cancelled = event->wait();
    cancelled.cancel();
    EXPECT_EQ(test::failure_of(cancelled).code(), Errc::cancelled);
    EXPECT_FALSE(event->wait_blocking(1h)) << "on a shard it never blocks";
    Deferred<void> told = event->wait();
    event->set();
    reactor.run_turn();
    test::value_of(told);
    event->clear();
    {
        Reactor other(clock);
        const Reactor::Scope other_scope(other);
        const Deferred<void> waits_there = event->wait();
    }
    event->set();  // Nobody is there any more who could be told.
    event->clear();
    Deferred<void> left = event->wait();
    event.reset();
    reactor.run_turn();
    EXPECT_EQ(test::failure_of(left).code(), Errc::broken_promise);
}

TEST(E5_ShardLocal, gives_every_shard_its_own_value) {
    SimWorld sim({.shards = 2});
    ShardLocal<std::string> names(sim.shards(), [](World&) { return std::string("new"); });
    sim.on(sim.world(0), [&] { names.here() += " zero"; });
    sim.on(sim.world(1), [&] {
        EXPECT_FALSE(names.exists_here());
        EXPECT_EQ(names.here(), "new");
        names.here() = "one";
    });
    sim.on(sim.world(0), [&] { EXPECT_EQ(names.here(), "new zero"); });
    sim.on(sim.world(1), [&] {
        names.reset_here();
        EXPECT_EQ(names.here(), "new");
    });
}

const ContextVar<std::string> kTrace("none");
const ContextVar<int> kDepth(0);

class E5_ContextVar : public testing::Test {
protected:
    E5_ContextVar() : scope(world().reactor) {}
    World& world() { return sim.world(); }
    template <class T>
    base::Result<T> wait(Deferred<T> work) {
        sim.run_until([&] { return work.settled(); }, 1h);
        if (!work.settled()) return base::fail(Errc::internal, "never settled");
        return work.take();
    }
    Deferred<std::string> seen_after_waiting() {
        std::string seen = kTrace.get();
        co_await sleep(world().reactor, 1s);
        seen += "," + kTrace.get();
        co_await yield();
        co_return seen + "," + kTrace.get();
    }

    SimWorld sim{SimOptions{.shards = 2}};
    Reactor::Scope scope;
};

TEST_F(E5_ContextVar, is_seen_inside_its_binding_only) {
    EXPECT_EQ(kTrace.get(), "none");
    const std::string inside = kTrace.with("outer", [] {
        return kTrace.with("inner", [] { return kTrace.get(); }) + kTrace.get() +
               std::to_string(kDepth.with(3, [] { return kDepth.get(); }));
    });
    EXPECT_EQ(inside, "innerouter3");
    EXPECT_EQ(kTrace.get(), "none");
    EXPECT_EQ(kDepth.get(), 0);
}

TEST_F(E5_ContextVar, stays_with_a_coroutine_over_every_wait) {
    auto one = kTrace.with("one", [&] { return seen_after_waiting(); });
    auto two = kTrace.with("two", [&] { return seen_after_waiting(); });
    auto none = seen_after_waiting();
    EXPECT_EQ(*wait(std::move(one)), "one,one,one");
    EXPECT_EQ(*wait(std::move(two)), "two,two,two");
    EXPECT_EQ(*wait(std::move(none)), "none,none,none");
    EXPECT_EQ(kTrace.get(), "none");
}

TEST_F(E5_ContextVar, goes_with_continuations_posts_jobs_and_calls_to_shards) {
    std::vector<std::string> seen;
    const auto note = [&](std::string where) { seen.push_back(where + " " + kTrace.get()); };
    std::vector<Deferred<void>> work;
    kTrace.with("bound", [&] {
        world().reactor.soon([&] { note("soon"); });
        world().reactor.post([&] { note("post"); });
        work.push_back(sleep(world().reactor, 1s).then([&] { note("then"); }));
        work.push_back(call_in_thread(world(), [&] { note("job"); }));
        work.push_back(sim.shards().run_on(1, [&] { note("shard"); }));
    });
    for (Deferred<void>& each : work)
        EXPECT_TRUE(wait(std::move(each)));
    std::ranges::sort(seen);
    EXPECT_EQ(seen, (std::vector<std::string>{"job bound", "post bound", "shard bound",
                                              "soon bound", "then bound"}));
}

TEST(E5_ContextVarInThreads, crosses_them) {
    LoopThread loop;
    const auto seen = kTrace.with("foreign", [&] {
        return call_and_wait(
            loop.reactor(),
            [&] {
                return loop.shards().run_on(1, [&] {
                    return call_in_thread(loop.shards().world(1), [] { return kTrace.get(); });
                });
            },
            20s);
    });
    ASSERT_TRUE(seen) << seen.error().message();
    EXPECT_EQ(*seen, "foreign");
}

}  // namespace
}  // namespace reactor
