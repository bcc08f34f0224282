// B1 to B4, B7 to B9, B12: things that happen at times.
#include "reactor/call_later.h"
#include "reactor/looping_call.h"
#include "reactor/retry.h"
#include "reactor/sim/sim_world.h"
#include "reactor/task/timer_service.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using test::failure_of;
using test::pending;
using test::run_ready;
using test::value_of;
using namespace std::chrono_literals;
using Times = std::vector<std::int64_t>;

class OnTime : public testing::Test {
protected:
    World& world() { return world_.world(); }
    Reactor& reactor() { return world_.world().reactor; }
    std::int64_t at() const { return (world_.now() - begin_) / 1ms; }
    void note() { times_.push_back(at()); }
    void pass(base::Duration step) {
        ASSERT_TRUE(world_.advance(step));
        reactor().run_turn(false);  // So that the loop's time is now.
    }

    test::LogCapture capture_;
    SimWorld world_{SimOptions{.log = capture_.log()}};
    const base::MonotonicTime begin_ = world_.now();
    Reactor::Scope scope_{reactor()};
    Times times_;
};
using B1_CallLater = OnTime;
using B2_LoopingCall = OnTime;
using B3_WithCount = OnTime;
using B4_PauseLoop = OnTime;
using B7_CallAfter = OnTime;
using B8_Advance = OnTime;
using B9_TimerService = OnTime;
using B12_Retry = OnTime;

TEST_F(B1_CallLater, calls_once_in_the_order_of_deadlines_then_of_arming) {
    std::vector<int> order;
    DelayedCall late = call_later(reactor(), 20ms, [&] { order.push_back(3); });
    DelayedCall one = call_later(reactor(), 10ms, [&] { order.push_back(1); });
    (void)call_later(reactor(), 10ms, [&] { order.push_back(2); });  // Without its handle too.
    EXPECT_TRUE(late.active());
    EXPECT_EQ(late.planned(), reactor().now() + 20ms);
    pass(1s);
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
    EXPECT_FALSE(one.active());
}

TEST_F(B1_CallLater, can_be_moved_both_ways_and_cancelled) {
    DelayedCall call = call_later(reactor(), 100ms, [&] { note(); });
    ASSERT_TRUE(call.delay(50ms));
    pass(120ms);
    EXPECT_TRUE(times_.empty());
    ASSERT_TRUE(call.reset(10ms));
    pass(1s);
    EXPECT_EQ(times_, (Times{130}));
    DelayedCall earlier = call_later(reactor(), 100ms, [&] { note(); });
    ASSERT_TRUE(earlier.delay(-90ms));
    pass(20ms);
    EXPECT_EQ(times_.size(), 2u);
    DelayedCall never = call_later(reactor(), 10ms, [&] { note(); });
    ASSERT_TRUE(never.cancel());
    EXPECT_FALSE(never.active());
    pass(1s);
    EXPECT_EQ(times_.size(), 2u);
}

TEST_F(B1_CallLater, acting_on_a_call_that_is_over_says_which_way) {
    DelayedCall made = call_later(reactor(), 0ms, [] {});
    pass(1ms);
    EXPECT_EQ(made.cancel().error().code(), Errc::already_called);
    EXPECT_EQ(made.reset(1s).error().code(), Errc::already_called);
    DelayedCall cancelled = call_later(reactor(), 1s, [] {});
    ASSERT_TRUE(cancelled.cancel());
    EXPECT_EQ(cancelled.cancel().error().code(), Errc::already_cancelled);
    EXPECT_EQ(cancelled.delay(1s).error().code(), Errc::already_cancelled);
}

TEST_F(B1_CallLater, a_call_planned_inside_a_call_comes_in_a_later_turn) {
    std::uint64_t turn = 0;
    (void)call_later(reactor(), 0ms, [&] {
        turn = reactor().statistics().turns;
        (void)call_later(reactor(), 0ms, [&] { turn = reactor().statistics().turns - turn; });
    });
    pass(5ms);
    EXPECT_EQ(turn, 1u);
}

TEST_F(B1_CallLater, an_exception_is_logged_and_the_next_call_is_made) {
    (void)call_later(reactor(), 1ms, [] { throw std::runtime_error("bad"); });
    (void)call_later(reactor(), 1ms, [&] { note(); });
    pass(10ms);
    EXPECT_EQ(times_.size(), 1u);
    EXPECT_EQ(capture_.first("reactor.turn_exception").text("what"), "bad");
}

TEST_F(B1_CallLater, does_not_follow_the_wall_clock) {
    (void)call_later(reactor(), 10s, [&] { note(); });
    world_.clock().step_wall(-1h);
    pass(10s);
    EXPECT_EQ(times_, (Times{10'000}));
}

TEST(B1_CallLaterEnd, what_never_came_goes_with_the_reactor) {
    VirtualClock clock{base::WallTime{}};
    std::optional<Reactor> reactor(std::in_place, clock);
    DelayedCall call = call_later(*reactor, 1s, [] { FAIL(); });
    (void)call_later(*reactor, 1s, [] { FAIL(); });
    reactor.reset();
    EXPECT_FALSE(call.active());
    EXPECT_EQ(call.cancel().error().code(), Errc::already_cancelled);
}

TEST_F(B2_LoopingCall, a_second_start_and_a_negative_interval_are_refused) {
    LoopingCall loop(reactor(), [] { return ready(); });
    Deferred<> done = loop.start(1s);
    EXPECT_EQ(failure_of(loop.start(1s)).code(), Errc::already_running);
    EXPECT_TRUE(loop.running()) << "the first goes on";
    loop.stop();
    loop.stop();
    value_of(done);
    EXPECT_EQ(failure_of(loop.start(-1s)).code(), Errc::invalid_argument);
}

TEST_F(B2_LoopingCall, keeps_its_phase_over_slow_calls) {
    LoopingCall loop(reactor(), [&]() -> Deferred<> {
        note();
        return times_.size() == 2 ? sleep(reactor(), 350ms) : ready();
    });
    Deferred<> done = loop.start(100ms);
    pass(700ms);
    EXPECT_EQ(times_, (Times{0, 100, 500, 600, 700}));
}

TEST_F(B2_LoopingCall, logs_and_goes_on_when_told_to) {
    LoopingCall loop(reactor(), [&]() -> Deferred<> {
        note();
        return times_.size() == 2 ? Deferred<>(Errc::io_error) : ready();
    });
    loop.log_and_continue_on_error();
    Deferred<> done = loop.start(100ms);
    pass(300ms);
    EXPECT_EQ(times_, (Times{0, 100, 200, 300}));
    EXPECT_EQ(capture_.count("looping_call.failed"), 1u);
    EXPECT_TRUE(loop.running());
}

TEST_F(B2_LoopingCall, backs_off_and_ends_after_too_many_failures_in_a_row) {
    LoopingCall loop(reactor(), [&]() -> Deferred<> {
        note();
        return times_.size() == 2 ? ready() : Deferred<>(base::Failure(Errc::io_error, "disk"));
    });
    loop.back_off_on_error(
        {.initial = 150ms, .max = 10s, .factor = 2.0, .jitter = 0.0, .attempts_max = 3},
        world().entropy);
    Deferred<> done = loop.start(100ms);
    pass(5s);
    // Failed at 0 (waits 150 ms: slot 200), good at 200, failed at 300 (slot 500), 500 (800), 800.
    EXPECT_EQ(times_, (Times{0, 200, 300, 500, 800}));
    EXPECT_EQ(failure_of(done).message(), "io_error: disk");
}

TEST_F(B3_WithCount, counts_one_after_a_reset) {
    std::vector<std::int64_t> counts;
    LoopingCall loop = LoopingCall::with_count(reactor(), [&](std::int64_t count) {
        note();
        counts.push_back(count);
        return ready();
    });
    Deferred<> done = loop.start(100ms);
    pass(250ms);
    loop.reset();
    pass(200ms);
    EXPECT_EQ(times_, (Times{0, 100, 200, 350, 450}));
    EXPECT_EQ(counts, (Times{1, 1, 1, 1, 1})) << "Twisted's count can be off here";
}

TEST_F(B4_PauseLoop, resumes_at_the_next_slot_or_at_once) {
    LoopingCall loop(reactor(), [&] {
        note();
        return ready();
    });
    Deferred<> done = loop.start(100ms);
    pass(150ms);
    loop.pause();
    loop.pause();
    EXPECT_TRUE(loop.paused());
    pass(300ms);
    EXPECT_EQ(times_, (Times{0, 100}));
    loop.resume();
    loop.resume();
    pass(60ms);
    EXPECT_EQ(times_, (Times{0, 100, 500})) << "the phase is kept, missed slots are not";
    loop.pause();
    pass(240ms);
    loop.resume(LoopingCall::CatchUp::once);
    EXPECT_EQ(times_, (Times{0, 100, 500, 750}));
    pass(60ms);
    EXPECT_EQ(times_, (Times{0, 100, 500, 750, 800}));
}

TEST_F(B4_PauseLoop, counts_what_passed_and_does_not_catch_up_nothing) {
    std::vector<std::int64_t> counts;
    LoopingCall loop = LoopingCall::with_count(reactor(), [&](std::int64_t count) {
        counts.push_back(count);
        return ready();
    });
    Deferred<> done = loop.start(100ms);
    pass(110ms);
    loop.pause();
    pass(50ms);
    loop.resume(LoopingCall::CatchUp::once);
    EXPECT_EQ(counts, (Times{1, 1})) << "no slot was missed";
    loop.pause();
    pass(300ms);
    loop.resume(LoopingCall::CatchUp::once);
    EXPECT_EQ(counts, (Times{1, 1, 3}));
}

TEST_F(B4_PauseLoop, a_pending_call_ends_while_paused_and_stop_works) {
    Promise<> pending_call;
    int calls = 0;
    LoopingCall loop(reactor(), [&] {
        ++calls;
        return pending_call.deferred();
    });
    Deferred<> done = loop.start(100ms);
    loop.pause();
    pending_call.resolve();
    pass(1s);
    EXPECT_EQ(calls, 1);
    loop.stop();
    value_of(done);
}

TEST_F(B7_CallAfter, gives_the_result_and_withdraws_when_cancelled) {
    Deferred<int> work = call_after(reactor(), 10ms, [&] {
        note();
        return ready(7);
    });
    pass(20ms);
    EXPECT_EQ(value_of(work), 7);
    Deferred<> cancelled = call_after(reactor(), 10ms, [] { FAIL(); });
    cancelled.cancel();
    EXPECT_EQ(reactor().wheel().size(), 0u);
    EXPECT_EQ(failure_of(cancelled).code(), Errc::cancelled);
    {
        Deferred<> dropped = call_after(reactor(), 10ms, [] { FAIL(); });
    }
    pass(1s);
    Deferred<> failing = call_after(reactor(), 0ms, []() -> Deferred<> { return Errc::busy; });
    pass(1ms);
    EXPECT_EQ(failure_of(failing).code(), Errc::busy);
}

TEST_F(B8_Advance, stops_at_every_deadline_on_the_way) {
    for (const auto delay : {30ms, 10ms, 20ms})
        (void)call_later(reactor(), delay, [&] { note(); });
    pass(1s);
    EXPECT_EQ(times_, (Times{10, 20, 30})) << "Twisted's Clock would say 1000 three times";
}

TEST_F(B8_Advance, a_zero_delay_loop_ends_with_an_error) {
    SimWorld world(SimOptions{.turns_without_time_max = 1000, .log = capture_.log()});
    Reactor::Scope scope(world.world().reactor);
    base::UniqueFunction<void()> again;
    again = [&] { (void)call_later(world.world().reactor, 0ms, [&] { again(); }); };
    again();
    EXPECT_FALSE(world.advance(10ms)) << "Twisted's Clock would never return";
    EXPECT_EQ(capture_.count("sim.step_limit"), 1u);
}

TEST_F(B9_TimerService, starts_anew_each_time_and_waits_for_the_running_call) {
    std::optional<Promise<>> call;
    TimerService service(world(), "poll", 100ms, [&] {
        note();
        return times_.size() == 2 ? call.emplace().deferred() : ready();
    });
    value_of(service.start());
    EXPECT_EQ(failure_of(service.start()).code(), Errc::already_running);
    pass(150ms);
    Deferred<> stopping = service.stop();
    EXPECT_TRUE(pending(stopping));
    call->resolve();
    value_of(stopping);
    pass(1s);
    EXPECT_EQ(times_, (Times{0, 100}));
    value_of(service.start());
    pass(100ms);
    EXPECT_EQ(times_, (Times{0, 100, 1150, 1250}));
    value_of(service.stop());
}

TEST_F(B9_TimerService, a_failure_ends_it_or_not_as_the_policy_says) {
    const auto failing = [&]() -> Deferred<> {
        note();
        return Errc::io_error;
    };
    TimerService mortal(world(), "mortal", 100ms, failing,
                        {.on_failure = TimerServiceOptions::OnFailure::end});
    value_of(mortal.start());
    pass(300ms);
    EXPECT_EQ(times_.size(), 1u);
    EXPECT_FALSE(mortal.healthy());
    EXPECT_EQ(capture_.first("timer_service.failed").text("service"), "mortal");
    value_of(mortal.stop());
    times_.clear();
    TimerService tough(world(), "tough", 100ms, failing);
    value_of(tough.start());
    pass(300ms);
    EXPECT_EQ(times_.size(), 4u);
    EXPECT_TRUE(tough.healthy());
    value_of(tough.stop());
}

TEST_F(B12_Retry, a_deadline_ends_the_attempts_and_the_one_under_way) {
    int attempts = 0;
    const Backoff backoff{.initial = 1s, .max = 1s, .factor = 1.0, .jitter = 0.0};
    auto work = retry(
        world(), backoff,
        [&]() -> Deferred<int> {
            ++attempts;
            return Errc::busy;
        },
        [](const base::Failure&) { return true; },
        RetryLimits{.deadline = reactor().now() + 2500ms});
    pass(10s);
    EXPECT_EQ(failure_of(work).code(), Errc::busy);
    EXPECT_EQ(attempts, 3);
    Promise<int> hanging;
    auto late = retry(
        world(), backoff, [&] { return hanging.deferred(); },
        [](const base::Failure& failure) { return failure.is(Errc::busy); },
        RetryLimits{.deadline = reactor().now() + 1s});
    pass(2s);
    EXPECT_EQ(failure_of(late).code(), Errc::timed_out);
    EXPECT_FALSE(hanging.wanted());
}

TEST_F(B12_Retry, a_budget_is_spent_by_retries_and_earned_by_successes) {
    RetryBudget budget(2.0, 0.5);
    int attempts = 0;
    bool works = false;
    const auto call = [&] {
        return retry(
            world(), Backoff{.initial = 1ms, .max = 1ms, .jitter = 0.0, .attempts_max = 100},
            [&]() -> Deferred<int> {
                ++attempts;
                if (works) return ready(1);
                return Errc::busy;
            },
            [](const base::Failure&) { return true; }, RetryLimits{.budget = &budget});
    };
    Deferred<int> first = call();
    pass(1s);
    EXPECT_EQ(failure_of(first).code(), Errc::busy);
    EXPECT_EQ(attempts, 3) << "one call and the two retries of the budget";
    Deferred<int> second = call();
    EXPECT_EQ(failure_of(second).code(), Errc::busy);
    EXPECT_EQ(attempts, 4) << "nothing left";
    works = true;
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(value_of(call()), 1);
    EXPECT_DOUBLE_EQ(budget.tokens(), 2.0);
}

TEST_F(B12_Retry, an_additive_part_comes_on_top) {
    const Backoff backoff{.initial = 1s, .max = 60s, .factor = 1.5, .jitter = 0.0, .additive = 1s};
    for (int i = 0; i < 100; ++i) {
        EXPECT_GE(backoff.wait_after(1, world().entropy), 1s);
        EXPECT_LT(backoff.wait_after(1, world().entropy), 2s);
        EXPECT_GE(backoff.wait_after(50, world().entropy), 60s);
        EXPECT_LT(backoff.wait_after(50, world().entropy), 61s);
    }
}

}  // namespace
}  // namespace reactor
