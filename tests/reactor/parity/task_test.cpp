// B5, B6, B10, B11: cooperating, pausing, scheduling, depending.
#include "reactor/task/task.h"
#include "reactor/combine.h"
#include "reactor/sim/sim_world.h"
#include "reactor/task/cooperator.h"
#include "reactor/task/task_graph.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using test::failure_of;
using test::pending;
using test::run_ready;
using test::value_of;
using namespace std::chrono_literals;

class OnReactor : public testing::Test {
protected:
    World& world() { return world_.world(); }
    Reactor& reactor() { return world_.world().reactor; }
    void pass(base::Duration step) { ASSERT_TRUE(world_.advance(step)); }
    void turn() { reactor().run_turn(false); }

    test::LogCapture capture_;
    SimWorld world_{SimOptions{.log = capture_.log()}};
    Reactor::Scope scope_{reactor()};
    std::string order_;
};
using B5_Cooperator = OnReactor;
using B6_Task = OnReactor;
using B10_Scheduling = OnReactor;
using B11_TaskGraph = OnReactor;

Generator<Step> count_to(std::string& order, char name, int steps) {
    for (int i = 0; i < steps; ++i) {
        order += name;
        co_yield Step();
    }
}

TEST_F(B5_Cooperator, makes_steps_in_rotation_and_a_few_a_turn) {
    Cooperator cooperator(reactor(), {.steps_per_turn_max = 4});
    CooperativeTask a = cooperator.cooperate(count_to(order_, 'a', 3));
    CooperativeTask b = cooperator.cooperate(count_to(order_, 'b', 3));
    Deferred<> done = a.when_done();
    EXPECT_EQ(order_, "") << "nothing runs inside the call";
    pass(1ms);
    turn();
    pass(1s);
    EXPECT_EQ(order_, "ababab");
    value_of(done);
    value_of(a.when_done());
    value_of(b.when_done());
    EXPECT_EQ(cooperator.size(), 0u);
}

TEST_F(B5_Cooperator, lets_the_loop_breathe_between_its_shares) {
    Cooperator cooperator(reactor(), {.steps_per_turn_max = 2});
    CooperativeTask a = cooperator.cooperate(count_to(order_, 'a', 6));
    std::uint64_t turns = 0;
    const std::uint64_t before = reactor().statistics().turns;
    Deferred<> done = a.when_done().then([&] { turns = reactor().statistics().turns - before; });
    pass(1s);
    value_of(done);
    EXPECT_GE(turns, 4u);
}

TEST_F(B5_Cooperator, pause_nests_and_resume_of_a_running_one_is_refused) {
    Cooperator cooperator(reactor());
    CooperativeTask task = cooperator.cooperate(count_to(order_, 'a', 1));
    EXPECT_EQ(task.resume().error().code(), Errc::already_running);
    ASSERT_TRUE(task.pause());
    ASSERT_TRUE(task.pause());
    pass(1s);
    ASSERT_TRUE(task.resume());
    pass(1s);
    EXPECT_EQ(order_, "");
    ASSERT_TRUE(task.resume());
    pass(1s);
    EXPECT_EQ(order_, "a");
    EXPECT_EQ(task.pause().error().code(), Errc::already_called) << "it is done";
    EXPECT_EQ(task.stop().error().code(), Errc::already_called);
}

TEST_F(B5_Cooperator, stop_fails_who_waits_and_says_so_later) {
    Cooperator cooperator(reactor());
    CooperativeTask task = cooperator.cooperate(count_to(order_, 'a', 100'000));
    Deferred<> done = task.when_done();
    turn();
    turn();
    ASSERT_TRUE(task.stop());
    EXPECT_EQ(failure_of(done).code(), Errc::stopped);
    EXPECT_EQ(failure_of(task.when_done()).code(), Errc::stopped);
    EXPECT_EQ(task.pause().error().code(), Errc::already_cancelled);
}

Generator<Step> waits(Reactor& reactor, std::string& order, bool fails) {
    order += '1';
    co_yield sleep(reactor, 100ms);
    order += '2';
    if (fails) throw std::runtime_error("bad step");
    co_yield Deferred<>(base::Failure(Errc::io_error, "awaited"));
    order += "not reached";
}

TEST_F(B5_Cooperator, a_yielded_deferred_is_waited_for_and_its_failure_ends_the_task) {
    Cooperator cooperator(reactor());
    CooperativeTask task = cooperator.cooperate(waits(reactor(), order_, false));
    pass(50ms);
    EXPECT_EQ(order_, "1");
    ASSERT_TRUE(task.pause());
    pass(1s);
    EXPECT_EQ(order_, "1") << "what it waited for came while it was paused";
    ASSERT_TRUE(task.resume());
    pass(1s);
    EXPECT_EQ(order_, "12");
    EXPECT_EQ(failure_of(task.when_done()).message(), "io_error: awaited");
    EXPECT_EQ(task.stop().error().message(), "already_called: the task failed: io_error: awaited");
    CooperativeTask thrower = cooperator.cooperate(waits(reactor(), order_, true));
    pass(1s);
    EXPECT_EQ(failure_of(thrower.when_done()).message(), "internal: bad step");
}

TEST_F(B5_Cooperator, its_stop_ends_all_paused_ones_included_and_takes_no_more) {
    std::optional<Cooperator> cooperator(std::in_place, reactor());
    CooperativeTask runs = cooperator->cooperate(count_to(order_, 'a', 100'000));
    CooperativeTask paused = cooperator->cooperate(count_to(order_, 'b', 1));
    Deferred<> third = cooperator->coiterate(waits(reactor(), order_, false));
    ASSERT_TRUE(paused.pause());
    turn();
    turn();
    cooperator->stop();
    EXPECT_EQ(failure_of(runs.when_done()).code(), Errc::stopped);
    EXPECT_EQ(failure_of(paused.when_done()).code(), Errc::stopped);
    EXPECT_EQ(failure_of(third).code(), Errc::stopped);
    EXPECT_EQ(failure_of(cooperator->coiterate(count_to(order_, 'c', 1))).code(), Errc::stopped);
    cooperator.reset();
    EXPECT_EQ(runs.stop().error().code(), Errc::already_cancelled);
}

Generator<Step> destroys(std::optional<Cooperator>& cooperator) {
    co_yield Step();
    cooperator.reset();
    co_yield Step();
}

TEST_F(B5_Cooperator, a_step_may_destroy_it) {
    std::optional<Cooperator> cooperator(std::in_place, reactor());
    CooperativeTask task = cooperator->cooperate(destroys(cooperator));
    pass(1s);
    EXPECT_FALSE(cooperator);
    EXPECT_EQ(failure_of(task.when_done()).code(), Errc::stopped);
}

Deferred<int> steps(std::string& order, char name, int count) {
    for (int i = 0; i < count; ++i) {
        order += name;
        Deferred<> turn = yield();
        co_await std::move(turn);
    }
    co_return count;
}

TEST_F(B6_Task, starts_once_and_again_when_done) {
    Task<int> task(reactor(), {.name = "steps"}, [&] { return steps(order_, 'a', 2); });
    EXPECT_EQ(task.state(), TaskState::idle);
    EXPECT_EQ(task.pause().error().code(), Errc::not_running);
    EXPECT_EQ(task.cancel().error().code(), Errc::not_running);
    ASSERT_TRUE(task.start());
    EXPECT_EQ(task.state(), TaskState::running);
    EXPECT_EQ(task.start().error().code(), Errc::already_running);
    EXPECT_EQ(task.resume().error().code(), Errc::already_running);
    Deferred<int> result = task.result();
    EXPECT_EQ(failure_of(task.result()).code(), Errc::already_called);
    EXPECT_EQ(value_of(result), 2);
    EXPECT_EQ(task.state(), TaskState::done);
    ASSERT_TRUE(task.start());
    run_ready();
    EXPECT_EQ(value_of(task.result()), 2) << "asked for after the end";
    EXPECT_EQ(order_, "aaaa");
}

TEST_F(B6_Task, pause_holds_every_coroutine_it_started) {
    Task<int> task(reactor(), {}, [&]() -> Deferred<int> {
        return steps(order_, 'a', 3).then([&](int count) {
            order_ += '.';
            return count;
        });
    });
    ASSERT_TRUE(task.start());
    ASSERT_TRUE(task.pause());
    ASSERT_TRUE(task.pause());
    EXPECT_EQ(task.state(), TaskState::paused);
    run_ready();
    EXPECT_EQ(order_, "a") << "it had run to its first wait";
    ASSERT_TRUE(task.resume());
    run_ready();
    EXPECT_EQ(order_, "a");
    ASSERT_TRUE(task.resume());
    run_ready();
    EXPECT_EQ(order_, "aaa.");
    EXPECT_EQ(value_of(task.result()), 3);
}

TEST_F(B6_Task, what_a_paused_one_waits_for_goes_on) {
    Task<> task(reactor(), {}, [&] { return sleep(reactor(), 1s).then([&] { order_ += 'x'; }); });
    ASSERT_TRUE(task.start());
    ASSERT_TRUE(task.pause());
    pass(5s);
    EXPECT_EQ(order_, "");
    ASSERT_TRUE(task.resume());
    pass(0ms);
    EXPECT_EQ(order_, "x") << "at once: the second is over";
}

TEST_F(B6_Task, cancel_lifts_the_pause_and_lets_it_clean_up) {
    const auto careful = [](Reactor& loop, std::string& order) -> Deferred<> {
        Deferred<> waiting = sleep(loop, 1h);
        (void)co_await std::move(waiting).as_result();
        order += "cleaned";
        co_return base::Errc::cancelled;
    };
    Task<> task(reactor(), {}, [&] { return careful(reactor(), order_); });
    ASSERT_TRUE(task.start());
    ASSERT_TRUE(task.pause());
    ASSERT_TRUE(task.cancel());
    run_ready();
    EXPECT_EQ(order_, "cleaned");
    EXPECT_EQ(failure_of(task.result()).code(), Errc::cancelled);
    EXPECT_EQ(capture_.count("task.failed"), 0u);
}

TEST_F(B6_Task, can_be_scheduled_for_later_and_again) {
    Task<int> task(reactor(), {}, [&] { return steps(order_, 'a', 1); });
    ASSERT_TRUE(task.reschedule(1s));
    EXPECT_EQ(task.state(), TaskState::scheduled);
    ASSERT_TRUE(task.reschedule(2s));
    pass(1500ms);
    EXPECT_EQ(order_, "");
    pass(500ms);
    EXPECT_EQ(order_, "a");
    EXPECT_EQ(task.state(), TaskState::done);
    ASSERT_TRUE(task.reschedule(1s));
    ASSERT_TRUE(task.cancel());
    pass(2s);
    EXPECT_EQ(order_, "a");
}

TEST_F(B6_Task, a_failure_that_nobody_asked_for_is_logged_once) {
    Task<> task(reactor(), {.name = "fails"}, [&]() -> Deferred<> { return Errc::io_error; });
    ASSERT_TRUE(task.start());
    run_ready();
    EXPECT_EQ(capture_.first("task.failed").text("task"), "fails");
    EXPECT_EQ(failure_of(task.result()).code(), Errc::io_error);
    Task<> thrower(reactor(), {}, []() -> Deferred<> { throw std::runtime_error("x"); });
    Deferred<> result = thrower.result();
    ASSERT_TRUE(thrower.start());
    EXPECT_EQ(failure_of(result).message(), "internal: x");
    EXPECT_EQ(capture_.count("task.failed"), 1u);
}

TEST_F(B6_Task, destroying_it_drops_the_work_paused_or_not) {
    Promise<> leaf;
    {
        Task<> task(reactor(), {},
                    [&] { return leaf.deferred().then([&] { order_ += "not reached"; }); });
        ASSERT_TRUE(task.start());
        ASSERT_TRUE(task.pause());
        leaf.resolve();
        run_ready();
    }
    run_ready();
    EXPECT_EQ(order_, "");
}

/// Several tasks of one group, each noting its letter at every step.
class Crew {
public:
    Crew(Reactor& reactor, std::string& order, SchedulingGroup& group)
        : reactor_(reactor), order_(order), group_(group) {}
    void add(char name, int count, TaskAttributes attributes = {}) {
        auto& task = tasks_.emplace_back(std::make_unique<Task<int>>(
            reactor_, attributes,
            [this, name, count] {
                // The first step is made by start(); what counts comes after a wait.
                return yield().then([this, name, count] { return steps(order_, name, count); });
            },
            &group_));
        EXPECT_TRUE(task->start());
    }
    Task<int>& at(std::size_t index) { return *tasks_.at(index); }

private:
    Reactor& reactor_;
    std::string& order_;
    SchedulingGroup& group_;
    std::vector<std::unique_ptr<Task<int>>> tasks_;
};

/// Tasks whose steps are all ready at the same time: each has as many coroutines, which note its
/// letter when the signal comes.
class Burst {
public:
    Burst(Reactor& reactor, std::string& order) : reactor_(reactor), order_(order) {}
    void add(char name, int count, TaskAttributes attributes, SchedulingGroup& group) {
        tasks_.push_back(std::make_unique<Task<>>(
            reactor_, attributes,
            [this, name, count] {
                std::vector<Deferred<>> parts;
                for (int i = 0; i < count; ++i)
                    parts.push_back(signal_.wait().then([this, name] { order_ += name; }));
                return when_all(std::move(parts));
            },
            &group));
        EXPECT_TRUE(tasks_.back()->start());
    }
    void go() {
        signal_.set();
        run_ready();
    }

private:
    Reactor& reactor_;
    std::string& order_;
    Event signal_;
    std::vector<std::unique_ptr<Task<>>> tasks_;
};

TEST_F(B10_Scheduling, round_robin_takes_turns_of_a_slice) {
    Scheduler scheduler(reactor());
    Burst single(reactor(), order_);
    SchedulingGroup& ones = scheduler.add_group({.policy = round_robin_policy(1)});
    for (const char name : {'a', 'b', 'c'})
        single.add(name, 3, {}, ones);
    single.go();
    EXPECT_EQ(order_, "abcabcabc");
    order_.clear();
    Burst twice(reactor(), order_);
    SchedulingGroup& twos = scheduler.add_group({.policy = round_robin_policy(2)});
    twice.add('a', 4, {}, twos);
    twice.add('b', 4, {}, twos);
    twice.go();
    EXPECT_EQ(order_, "aabbaabb");
}

TEST_F(B10_Scheduling, the_highest_priority_goes_first_and_who_waits_ages) {
    Scheduler scheduler(reactor());
    Burst burst(reactor(), order_);
    SchedulingGroup& group = scheduler.add_group({.policy = priority_policy(4)});
    burst.add('l', 2, {.priority = 0}, group);
    burst.add('m', 2, {.priority = 1}, group);
    burst.add('h', 40, {.priority = 3}, group);
    burst.go();
    ASSERT_EQ(order_.size(), 44u);
    EXPECT_TRUE(order_.starts_with("hhhh")) << order_;
    EXPECT_LT(order_.find('m'), order_.find('l')) << order_;
    EXPECT_LT(order_.find('l'), 20u) << "aging: it does not wait for ever " << order_;
}

TEST_F(B10_Scheduling, shares_are_kept_in_proportion) {
    Scheduler scheduler(reactor());
    Burst burst(reactor(), order_);
    SchedulingGroup& group = scheduler.add_group({.policy = shares_policy()});
    burst.add('a', 400, {.shares = 300}, group);
    burst.add('b', 400, {.shares = 100}, group);
    burst.go();
    EXPECT_NEAR(static_cast<double>(std::count(order_.begin(), order_.begin() + 400, 'a')), 300.0,
                4.0);
}

TEST_F(B10_Scheduling, the_earliest_deadline_goes_first_and_none_is_last) {
    Scheduler scheduler(reactor());
    Burst burst(reactor(), order_);
    SchedulingGroup& group = scheduler.add_group({.policy = earliest_deadline_policy()});
    burst.add('n', 2, {}, group);
    burst.add('l', 2, {.deadline = reactor().now() + 2s}, group);
    burst.add('e', 2, {.deadline = reactor().now() + 1s}, group);
    burst.go();
    EXPECT_EQ(order_, "eellnn");
}

TEST_F(B10_Scheduling, fifo_lets_a_task_go_on_until_it_waits) {
    Scheduler scheduler(reactor());
    SchedulingGroup& group = scheduler.add_group({});
    Burst burst(reactor(), order_);
    burst.add('x', 2, {}, group);
    burst.add('y', 2, {}, group);
    burst.go();
    EXPECT_EQ(order_, "xxyy");
    order_.clear();
    Crew crew(reactor(), order_, group);
    crew.add('a', 2);
    crew.add('b', 2);
    run_ready();
    EXPECT_EQ(order_, "abab") << "each step ends in a wait";
}

class Backwards final : public SchedulingPolicy {
public:
    void push(ScheduledTask& task, bool) override { tasks_.push_back(&task); }
    ScheduledTask* pop() override {
        if (tasks_.empty()) return nullptr;
        ScheduledTask* last = tasks_.back();
        tasks_.pop_back();
        return last;
    }

private:
    std::vector<ScheduledTask*> tasks_;
};

TEST_F(B10_Scheduling, takes_a_policy_of_ones_own) {
    Scheduler scheduler(reactor());
    SchedulingGroup& group = scheduler.add_group({.policy = std::make_unique<Backwards>()});
    Burst burst(reactor(), order_);
    for (const char name : {'a', 'b', 'c'})
        burst.add(name, 1, {}, group);
    burst.go();
    EXPECT_EQ(order_, "cba");
}

TEST_F(B10_Scheduling, groups_share_by_weight_and_latency_goes_before_all) {
    Scheduler scheduler(reactor());
    SchedulingGroup& heavy = scheduler.add_group({.name = "heavy", .shares = 300});
    SchedulingGroup& light = scheduler.add_group({.name = "light", .shares = 100});
    SchedulingGroup& quick = scheduler.add_group({.name = "quick", .shares = 1, .latency = true});
    Burst burst(reactor(), order_);
    burst.add('h', 400, {}, heavy);
    burst.add('l', 400, {}, light);
    burst.add('q', 5, {}, quick);
    burst.go();
    ASSERT_EQ(order_.size(), 805u);
    EXPECT_TRUE(order_.starts_with("qqqqq")) << order_;
    EXPECT_NEAR(static_cast<double>(std::count(order_.begin() + 5, order_.begin() + 405, 'h')),
                300.0, 4.0);
    EXPECT_EQ(heavy.statistics().steps, 400u);
    EXPECT_EQ(quick.name(), "quick");
}

TEST_F(B10_Scheduling, a_group_that_was_silent_may_not_make_up_for_it) {
    Scheduler scheduler(reactor());
    SchedulingGroup& busy = scheduler.add_group({.name = "busy"});
    SchedulingGroup& silent = scheduler.add_group({.name = "silent"});
    Burst first(reactor(), order_);
    first.add('b', 1000, {}, busy);
    first.go();
    order_.clear();
    Burst second(reactor(), order_);
    second.add('b', 100, {}, busy);
    second.add('s', 100, {}, silent);
    second.go();
    EXPECT_NEAR(static_cast<double>(std::count(order_.begin(), order_.begin() + 100, 's')), 50.0,
                4.0);
}

TEST_F(B10_Scheduling, a_paused_task_of_a_group_waits_and_others_go_on) {
    Scheduler scheduler(reactor());
    Crew crew(reactor(), order_, scheduler.add_group({}));
    crew.add('a', 2);
    crew.add('b', 2);
    ASSERT_TRUE(crew.at(0).pause());
    run_ready();
    EXPECT_EQ(order_, "bb");
    ASSERT_TRUE(crew.at(0).resume());
    run_ready();
    EXPECT_EQ(order_, "bbaa");
    EXPECT_EQ(value_of(crew.at(0).result()), 2);
}

TEST_F(B10_Scheduling, work_outlives_its_group) {
    Event go;
    std::optional<Scheduler> scheduler(std::in_place, reactor());
    SchedulingGroup& group = scheduler->add_group({});
    Task<> task(reactor(), {}, [&] { return go.wait().then([&] { order_ += 'x'; }); }, &group);
    ASSERT_TRUE(task.start());
    scheduler.reset();
    go.set();
    run_ready();
    EXPECT_EQ(order_, "x");
}

TEST_F(B11_TaskGraph, runs_each_task_after_what_it_depends_on) {
    TaskGraph graph;
    auto load = graph.add("load", [&] {
        order_ += 'l';
        return sleep(reactor(), 10ms).then([] { return std::string("text"); });
    });
    auto index = graph.add("index",
                           [&] {
                               order_ += 'i';
                               return graph.value(load).size();
                           },
                           {load});
    auto store = graph.add("store", [&] { order_ += 's'; }, {index, load});
    (void)store;
    auto running = graph.run(reactor());
    EXPECT_EQ(order_, "l");
    EXPECT_EQ(failure_of(graph.run(reactor())).code(), Errc::already_running);
    EXPECT_EQ(graph.depend(load, index).error().code(), Errc::already_running);
    pass(1s);
    const GraphReport report = value_of(running);
    EXPECT_TRUE(report.ok());
    EXPECT_EQ(order_, "lis");
    EXPECT_EQ(graph.value(index), 4u);
}

TEST_F(B11_TaskGraph, keeps_to_the_limit_and_reports_the_critical_path) {
    TaskGraph graph;
    int running_now = 0;
    int most = 0;
    const auto task = [&](base::Duration duration) {
        return [&, duration] {
            most = std::max(most, ++running_now);
            return sleep(reactor(), duration).then([&] { --running_now; });
        };
    };
    auto a = graph.add("a", task(10ms));
    auto b = graph.add("b", task(50ms));
    (void)graph.add("c", task(10ms));
    (void)graph.add("d", task(20ms), {a, b});
    auto work = graph.run(reactor(), {.parallel = 2});
    pass(1s);
    const GraphReport report = value_of(work);
    EXPECT_EQ(most, 2);
    EXPECT_EQ(report.critical_path, (std::vector<std::string>{"b", "d"}));
    EXPECT_EQ(report.critical_time, 70ms);
}

TEST_F(B11_TaskGraph, a_failure_skips_what_depends_on_it) {
    TaskGraph graph;
    auto bad = graph.add("bad", [&]() -> Deferred<int> { return Errc::io_error; });
    auto next = graph.add("next", [&] { order_ += "not reached"; }, {bad});
    (void)graph.add("after", [&] { order_ += "not reached"; }, {next});
    (void)graph.add("other", [&] { order_ += 'o'; });
    const GraphReport report = value_of(graph.run(reactor()));
    EXPECT_FALSE(report.ok());
    EXPECT_EQ(report.failure().code(), Errc::io_error);
    EXPECT_EQ(report.tasks[1].state, GraphTaskState::skipped);
    EXPECT_EQ(report.tasks[2].state, GraphTaskState::skipped);
    EXPECT_EQ(order_, "o");
}

TEST_F(B11_TaskGraph, a_failure_can_end_everything) {
    TaskGraph graph;
    (void)graph.add("slow", [&] { return sleep(reactor(), 1h); });
    (void)graph.add("bad", [&] {
        return sleep(reactor(), 1s).then([]() -> base::Result<void> {
            return base::fail(Errc::io_error);
        });
    });
    auto work = graph.run(reactor(), {.on_error = GraphOnError::cancel_all});
    pass(2s);
    const GraphReport report = value_of(work);
    EXPECT_EQ(report.tasks[0].failure->code(), Errc::cancelled);
    EXPECT_EQ(report.tasks[1].failure->code(), Errc::io_error);
}

TEST_F(B11_TaskGraph, an_edge_that_closes_a_cycle_is_refused_in_words) {
    TaskGraph graph;
    auto a = graph.add("a", [] {});
    auto b = graph.add("b", [] {}, {a});
    auto c = graph.add("c", [] {}, {b});
    EXPECT_EQ(graph.depend(a, c).error().message(),
              "would_deadlock: a waits for c waits for b waits for a");
    EXPECT_EQ(graph.depend(b, b).error().code(), Errc::would_deadlock);
    EXPECT_TRUE(graph.depend(c, a));
    EXPECT_TRUE(value_of(graph.run(reactor())).ok());
}

TEST_F(B11_TaskGraph, cancelling_waits_for_clean_up_and_it_may_run_again) {
    TaskGraph graph;
    (void)graph.add("slow", [&] { return sleep(reactor(), 1s).ensure([&] { order_ += 'e'; }); });
    auto first = graph.run(reactor());
    run_ready();
    first.cancel();
    EXPECT_EQ(failure_of(first).code(), Errc::cancelled);
    EXPECT_EQ(order_, "e");
    {
        auto dropped = graph.run(reactor());
    }
    auto third = graph.run(reactor());
    pass(2s);
    EXPECT_TRUE(value_of(third).ok());
    EXPECT_TRUE(value_of(TaskGraph().run(reactor())).ok());
}

}  // namespace
}  // namespace reactor
