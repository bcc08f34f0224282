// Deferred and Promise: results, chains, coroutines, order. Giving up is in cancellation_test.cpp.
#include "reactor/deferred.h"

#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <memory>
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

Deferred<int> add(Deferred<int> left, int right) {
    auto value = co_await std::move(left);
    if (!value) co_return value.error();
    co_return *value + right;
}

TEST(Deferred, is_ready_at_once_from_a_value_or_a_failure) {
    EXPECT_EQ(value_of(ready(3)), 3);
    EXPECT_EQ(failure_of(failed<int>(Errc::busy)).code(), Errc::busy);
    Deferred<std::unique_ptr<int>> owner = std::make_unique<int>(4);
    EXPECT_TRUE(owner.settled());
    EXPECT_EQ(*value_of(owner), 4);
    EXPECT_FALSE(owner.valid());
    Deferred<std::string> text = "converted";
    EXPECT_EQ(value_of(text), "converted");
    Deferred<std::string> refused = base::fail(Errc::closed, "why");
    EXPECT_EQ(failure_of(refused).message(), "closed: why");
    Deferred<> code = Errc::not_found;
    EXPECT_EQ(failure_of(code).code(), Errc::not_found);
    value_of(ready());
}

TEST(Promise, resolves_its_deferred) {
    Promise<int> promise;
    Deferred<int> deferred = promise.deferred();
    EXPECT_TRUE(pending(deferred));
    EXPECT_TRUE(promise.wanted());
    promise.resolve(5);
    EXPECT_FALSE(promise.wanted());
    EXPECT_EQ(value_of(deferred), 5);
}

TEST(Promise, accepts_the_first_result_only) {
    Promise<int> promise;
    Deferred<int> deferred = promise.deferred();
    EXPECT_TRUE(promise.try_resolve(1));
    EXPECT_FALSE(promise.try_resolve(2));
    EXPECT_EQ(value_of(deferred), 1);
}

TEST(PromiseDeathTest, resolving_twice_is_a_bug) {
    Promise<int> promise;
    Deferred<int> deferred = promise.deferred();
    promise.resolve(1);
    EXPECT_DEATH(promise.resolve(2), "CHECK failed");
    EXPECT_EQ(value_of(deferred), 1);
}

TEST(Promise, keeps_a_result_that_came_before_the_consumer) {
    Promise<std::string> promise;
    promise.resolve("early");
    EXPECT_EQ(value_of(promise.deferred()), "early");
}

TEST(Promise, broken_when_destroyed_unresolved) {
    auto promise = std::make_unique<Promise<int>>();
    Deferred<int> sum = add(promise->deferred(), 1);
    promise.reset();
    EXPECT_EQ(failure_of(sum).code(), Errc::broken_promise);
}

TEST(Promise, moves_without_breaking) {
    Promise<int> first;
    Deferred<int> deferred = first.deferred();
    Promise<int> second = std::move(first);
    Promise<int> third;
    Deferred<int> broken = third.deferred();
    third = std::move(second);
    EXPECT_EQ(failure_of(broken).code(), Errc::broken_promise);
    third.resolve(9);
    EXPECT_EQ(value_of(deferred), 9);
}

TEST(Coroutine, runs_at_once_to_its_first_wait) {
    std::vector<int> steps;
    Promise<> promise;
    auto run = [](std::vector<int>& log, Deferred<> wait) -> Deferred<> {
        log.push_back(1);
        co_await std::move(wait);
        log.push_back(2);
        co_return {};
    };
    Deferred<> deferred = run(steps, promise.deferred());
    EXPECT_EQ(steps, (std::vector{1}));
    promise.resolve();
    EXPECT_EQ(steps, (std::vector{1})) << "the resolver's stack runs no continuation";
    value_of(deferred);
    EXPECT_EQ(steps, (std::vector{1, 2}));
}

TEST(Coroutine, returns_values_failures_and_codes) {
    auto choose = [](int which) -> Deferred<std::string> {
        if (which == 0) co_return "value";
        if (which == 1) co_return Errc::busy;
        if (which == 2) co_return base::fail(Errc::closed, "x");
        if (which == 3) co_return base::Failure(Errc::corrupt);
        co_return base::Result<std::string>("result");
    };
    EXPECT_EQ(value_of(choose(0)), "value");
    EXPECT_EQ(failure_of(choose(1)).code(), Errc::busy);
    EXPECT_EQ(failure_of(choose(2)).code(), Errc::closed);
    EXPECT_EQ(failure_of(choose(3)).code(), Errc::corrupt);
    EXPECT_EQ(value_of(choose(4)), "result");
}

TEST(Coroutine, turns_an_exception_into_a_failure) {
    auto thrower = []() -> Deferred<int> {
        throw std::runtime_error("out of range");
        co_return 1;
    };
    EXPECT_EQ(failure_of(thrower()).message(), "internal: out of range");
    auto no_memory = []() -> Deferred<int> {
        throw std::bad_alloc();
        co_return 1;
    };
    EXPECT_EQ(failure_of(no_memory()).code(), Errc::resource_exhausted);
}

TEST(Coroutine, a_chain_of_many_does_not_nest_the_stack) {
    constexpr int kDepth = 50'000;
    Promise<int> promise;
    Deferred<int> sum = promise.deferred();
    for (int i = 0; i < kDepth; ++i)
        sum = add(std::move(sum), 1);
    promise.resolve(0);
    EXPECT_EQ(value_of(sum), kDepth);
}

TEST(Coroutine, one_that_never_has_to_wait_lets_others_run) {
    int others = 0;
    int others_seen = 0;
    auto greedy = [](int& seen, int& count) -> Deferred<> {
        for (int i = 0; i < 1000; ++i)
            co_await ready(i);
        seen = count;
        co_return {};
    };
    auto modest = [](int& count) -> Deferred<> {
        co_await yield();
        ++count;
        co_return {};
    };
    Deferred<> second = modest(others);
    Deferred<> first = greedy(others_seen, others);
    value_of(first);
    EXPECT_EQ(others_seen, 1);
    value_of(second);
}

TEST(Deferred, then_maps_values_and_flattens) {
    Promise<int> promise;
    Deferred<std::string> text = promise.deferred()
                                     .then([](int value) { return value + 1; })
                                     .then([](int value) -> base::Result<int> { return value * 2; })
                                     .then([](int value) -> Deferred<int> {
                                         co_await yield();
                                         co_return value + 1;
                                     })
                                     .then([](int value) { return std::to_string(value); });
    promise.resolve(1);
    EXPECT_EQ(value_of(text), "5");
}

TEST(Deferred, then_is_skipped_by_a_failure_and_rescue_mends_it) {
    bool called = false;
    auto mended = failed<int>(Errc::not_found)
                      .then([&](int value) {
                          called = true;
                          return value;
                      })
                      .rescue([](base::Failure failure) -> base::Result<int> {
                          if (failure.is(Errc::not_found)) return 7;
                          return std::unexpected(failure);
                      });
    EXPECT_EQ(value_of(mended), 7);
    EXPECT_FALSE(called);
    auto other = failed<int>(Errc::busy).rescue([](base::Failure failure) { return failure; });
    EXPECT_EQ(failure_of(other).code(), Errc::busy);
    EXPECT_EQ(value_of(ready(1).rescue([](base::Failure) { return 2; })), 1);
}

TEST(Deferred, then_without_a_value_and_without_a_result) {
    int calls = 0;
    Deferred<> chained = ready().then([&] { ++calls; }).then([&]() -> Deferred<> {
        ++calls;
        return ready();
    });
    value_of(chained);
    EXPECT_EQ(calls, 2);
}

TEST(Deferred, both_sees_every_result) {
    auto tell = [](base::Result<int> result) { return result ? "value" : "failure"; };
    EXPECT_STREQ(value_of(ready(1).both(tell)), "value");
    EXPECT_STREQ(value_of(failed<int>(Errc::busy).both(tell)), "failure");
}

TEST(Deferred, ensure_runs_always_and_passes_the_result_on) {
    int calls = 0;
    EXPECT_EQ(value_of(ready(1).ensure([&] { ++calls; })), 1);
    EXPECT_EQ(failure_of(failed<int>(Errc::busy).ensure([&] { ++calls; })).code(), Errc::busy);
    EXPECT_EQ(calls, 2);
    auto spoiled = ready(1).ensure([]() -> Deferred<> { return Errc::no_space; });
    EXPECT_EQ(failure_of(spoiled).code(), Errc::no_space);
    auto first = failed<int>(Errc::busy).ensure([]() -> Deferred<> { return Errc::no_space; });
    EXPECT_EQ(failure_of(first).code(), Errc::busy);
}

TEST(Deferred, an_exception_in_a_continuation_becomes_a_failure) {
    auto broken = ready(1).then([](int) -> int { throw std::runtime_error("bad"); });
    EXPECT_EQ(failure_of(broken).message(), "internal: bad");
}

TEST(Deferred, a_capturing_coroutine_given_to_then_lives_until_it_settled) {
    Promise<> gate;
    Deferred<std::string> result =
        ready(1).then([text = std::string("captured, and long enough for the heap"),
                       &gate](int) -> Deferred<std::string> {
            co_await gate.deferred();
            co_return text;
        });
    run_ready();
    gate.resolve();
    EXPECT_EQ(value_of(result), "captured, and long enough for the heap");
}

TEST(Deferred, continuations_run_in_the_order_of_resolving) {
    std::vector<int> order;
    Promise<int> first;
    Promise<int> second;
    auto note = [&](int value) { order.push_back(value); };
    Deferred<> one = first.deferred().then(note);
    Deferred<> two = second.deferred().then(note);
    second.resolve(2);
    first.resolve(1);
    run_ready();
    EXPECT_EQ(order, (std::vector{2, 1}));
    value_of(one);
    value_of(two);
}

TEST(Yield, goes_behind_what_is_queued) {
    std::vector<int> order;
    Promise<> promise;
    Deferred<> queued = promise.deferred().then([&] { order.push_back(1); });
    promise.resolve();
    Deferred<> yielded = yield().then([&] { order.push_back(2); });
    value_of(yielded);
    EXPECT_EQ(order, (std::vector{1, 2}));
    value_of(queued);
}

class UnhandledTest : public testing::Test {
protected:
    UnhandledTest() : queue_(capture_.log()), scope_(queue_) {}
    test::LogCapture capture_;
    ReadyQueue queue_;
    ReadyQueue::Scope scope_;
};

TEST_F(UnhandledTest, detach_reports_a_failure_with_its_reason) {
    Promise<> promise;
    promise.deferred().detach("storing a roster");
    promise.fail({Errc::no_space, "disk"});
    run_ready();
    ASSERT_EQ(capture_.count("deferred.unhandled"), 1u);
    EXPECT_EQ(capture_.first("deferred.unhandled").text("why"), "storing a roster");
    EXPECT_EQ(capture_.first("deferred.unhandled").text("failure"), "no_space: disk");
}

TEST_F(UnhandledTest, detach_is_silent_about_values_and_cancellations) {
    ready(1).detach("a");
    failed(Errc::cancelled).detach("b");
    run_ready();
    EXPECT_TRUE(capture_.events().empty());
}

TEST_F(UnhandledTest, dropping_an_unseen_failure_reports_it) {
    {
        Deferred<int> unseen = failed<int>(Errc::busy);
    }
    EXPECT_EQ(capture_.count("deferred.unhandled"), 1u);
    {
        Deferred<int> unseen = add(failed<int>(Errc::busy), 1);
    }
    EXPECT_EQ(capture_.count("deferred.unhandled"), 2u);
    {
        Deferred<int> seen = failed<int>(Errc::busy);
        failure_of(seen);
    }
    {
        Deferred<int> cancelled = failed<int>(Errc::cancelled);
    }
    EXPECT_EQ(capture_.count("deferred.unhandled"), 2u);
}

TEST_F(UnhandledTest, the_queue_drops_detached_work_when_it_goes) {
    bool dropped = false;
    Promise<> promise;
    {
        ReadyQueue inner(base::Log::silent());
        ReadyQueue::Scope scope(inner);
        promise.deferred([&] { dropped = true; }).detach("waiting for ever");
    }
    EXPECT_TRUE(dropped);
    EXPECT_FALSE(promise.wanted());
}

}  // namespace
}  // namespace reactor
