// A7 (timeouts), A11 (several at once), A13 (pause).
#include "reactor/gather.h"

#include "reactor/pause.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <optional>
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

struct Three {
    std::vector<Promise<int>> promises = std::vector<Promise<int>>(3);
    std::vector<int> cancelled;
    std::vector<Deferred<int>> deferreds() {
        std::vector<Deferred<int>> list;
        for (int i = 0; i < 3; ++i)
            list.push_back(promises[static_cast<std::size_t>(i)].deferred(
                [this, i] { cancelled.push_back(i); }));
        return list;
    }
};

TEST(A11_Settled, gives_every_result_in_the_order_of_the_list) {
    Three three;
    auto all = when_all_settled(three.deferreds());
    three.promises[2].resolve(3);
    three.promises[0].resolve(base::fail(Errc::io_error));
    EXPECT_TRUE(pending(all));
    three.promises[1].resolve(2);
    const auto results = value_of(all);
    ASSERT_EQ(results.size(), 3u);
    EXPECT_EQ(results[0].error().code(), Errc::io_error);
    EXPECT_EQ(*results[1], 2);
    EXPECT_EQ(*results[2], 3);
    EXPECT_TRUE(value_of(when_all_settled(std::vector<Deferred<int>>())).empty());
}

TEST(A11_Settled, cancelling_cancels_those_that_are_pending) {
    Three three;
    auto all = when_all_settled(three.deferreds());
    three.promises[1].resolve(2);
    run_ready();
    all.cancel();
    EXPECT_EQ(three.cancelled, (std::vector<int>{0, 2}));
    const auto results = value_of(all);
    EXPECT_EQ(results[0].error().code(), Errc::cancelled);
    EXPECT_EQ(*results[1], 2);
}

TEST(A11_Settled, dropping_drops_the_parts) {
    Three three;
    {
        auto all = when_all_settled(three.deferreds());
    }
    EXPECT_EQ(three.cancelled.size(), 3u);
    run_ready();
}

TEST(A11_Any, gives_the_first_value_and_its_place_and_leaves_the_others_running) {
    Three three;
    auto any = when_any(three.deferreds());
    three.promises[0].resolve(base::fail(Errc::io_error));
    EXPECT_TRUE(pending(any)) << "a failure is not the first value";
    three.promises[2].resolve(30);
    const First<int> first = value_of(any);
    EXPECT_EQ(first.index, 2u);
    EXPECT_EQ(first.value, 30);
    EXPECT_TRUE(three.cancelled.empty());
    EXPECT_TRUE(three.promises[1].wanted()) << "it runs on";
    three.promises[1].resolve(1);
    run_ready();
}

TEST(A11_Any, fails_when_all_failed_with_all_their_texts) {
    Three three;
    auto any = when_any(three.deferreds());
    three.promises[2].resolve(base::fail(Errc::timed_out, "c"));
    three.promises[1].resolve(base::fail(Errc::closed, "b"));
    three.promises[0].resolve(base::fail(Errc::io_error, "a"));
    const base::Failure failure = failure_of(any);
    EXPECT_EQ(failure.message(),
              "io_error: all of 3 failed; 0: io_error: a; 1: closed: b; 2: timed_out: c");
}

TEST(A11_Any, of_nothing_fails) {
    EXPECT_EQ(failure_of(when_any(std::vector<Deferred<int>>())).code(), Errc::empty_set);
    EXPECT_EQ(failure_of(race(std::vector<Deferred<>>())).code(), Errc::empty_set);
}

TEST(A11_Race, cancels_the_losers) {
    Three three;
    auto winner = race(three.deferreds());
    three.promises[1].resolve(20);
    EXPECT_EQ(value_of(winner).index, 1u);
    EXPECT_EQ(three.cancelled, (std::vector<int>{0, 2}));
}

TEST(A11_Race, two_values_in_one_turn_have_one_winner) {
    Three three;
    auto winner = race(three.deferreds());
    three.promises[2].resolve(3);
    three.promises[0].resolve(1);
    const First<int> first = value_of(winner);
    EXPECT_EQ(first.index, 2u) << "the one that was resolved first";
    EXPECT_EQ(three.cancelled, (std::vector<int>{1}));
}

TEST(A11_Race, a_cancelled_one_is_cancelled_and_a_loser_may_drop_it) {
    Three three;
    auto winner = race(three.deferreds());
    winner.cancel();
    EXPECT_EQ(failure_of(winner).code(), Errc::cancelled);
    // The canceller of a loser drops the race itself.
    Promise<> quick;
    Promise<> slow;
    std::optional<Deferred<First<void>>> whole;
    std::vector<Deferred<>> parts;
    parts.push_back(quick.deferred());
    parts.push_back(slow.deferred([&] { whole.reset(); }));
    whole = race(std::move(parts));
    quick.resolve();
    run_ready();
    EXPECT_FALSE(whole);
}

TEST(A11_All, fails_at_once_and_lets_the_others_run_when_asked_to) {
    Three three;
    auto all = when_all_or_first_failure(three.deferreds());
    three.promises[1].resolve(base::fail(Errc::io_error, "b"));
    EXPECT_EQ(failure_of(all).message(), "io_error: part 1: b");
    EXPECT_TRUE(three.cancelled.empty());
    three.promises[0].resolve(1);
    three.promises[2].resolve(1);
    run_ready();
    Three good;
    auto values = when_all_or_first_failure(good.deferreds());
    for (int i = 2; i >= 0; --i)
        good.promises[static_cast<std::size_t>(i)].resolve(i * 10);
    EXPECT_EQ(value_of(values), (std::vector<int>{0, 10, 20}));
}

TEST(A11_All, of_different_types_is_a_tuple) {
    Promise<std::string> text;
    Promise<> done;
    auto all = when_all(ready(1), text.deferred(), done.deferred());
    text.resolve("two");
    EXPECT_TRUE(pending(all));
    done.resolve();
    const auto [number, word, nothing] = value_of(all);
    EXPECT_EQ(number, 1);
    EXPECT_EQ(word, "two");
    Promise<int> never;
    EXPECT_EQ(failure_of(when_all(never.deferred(), failed(Errc::busy))).code(), Errc::busy);
    EXPECT_FALSE(never.wanted()) << "the rest is cancelled";
}

TEST(A13_Pause, holds_the_result_until_every_token_is_gone) {
    Promise<int> promise;
    Deferred<int> deferred = promise.deferred();
    PauseToken first = pause(deferred);
    PauseToken second = pause(deferred);
    Deferred<int> chain = std::move(deferred).then([](int value) { return value + 1; });
    promise.resolve(1);
    EXPECT_TRUE(pending(chain));
    first.resume();
    first.resume();
    EXPECT_TRUE(pending(chain));
    {
        const PauseToken gone = std::move(second);
    }
    EXPECT_EQ(value_of(chain), 2);
}

TEST(A13_Pause, resumed_before_the_result_it_passes_through) {
    Promise<int> promise;
    Deferred<int> deferred = promise.deferred();
    pause(deferred).resume();
    EXPECT_TRUE(pending(deferred));
    promise.resolve(5);
    EXPECT_EQ(value_of(deferred), 5);
}

TEST(A13_Pause, a_cancelled_one_delivers_when_resumed_and_a_token_may_come_last) {
    bool withdrawn = false;
    Promise<> promise;
    Deferred<> deferred = promise.deferred([&] { withdrawn = true; });
    PauseToken token = pause(deferred);
    deferred.cancel();
    EXPECT_TRUE(withdrawn);
    EXPECT_TRUE(pending(deferred));
    token.resume();
    EXPECT_EQ(failure_of(deferred).code(), Errc::cancelled);

    Promise<> other;
    std::optional<Deferred<>> dropped = other.deferred();
    PauseToken late = pause(*dropped);
    dropped.reset();
    EXPECT_FALSE(other.wanted());
    late.resume();
}

class A7_Timeout : public testing::Test {
protected:
    Reactor& reactor() { return world_.world().reactor; }
    SimWorld world_{SimOptions{}};
    Reactor::Scope scope_{reactor()};
};

TEST_F(A7_Timeout, cancels_the_work_and_says_timed_out) {
    bool withdrawn = false;
    Promise<> promise;
    Deferred<> work = with_timeout(reactor(), promise.deferred([&] { withdrawn = true; }), 5s);
    ASSERT_TRUE(world_.advance(4999ms));
    EXPECT_FALSE(withdrawn);
    ASSERT_TRUE(world_.advance(1ms));
    EXPECT_TRUE(withdrawn);
    EXPECT_EQ(failure_of(work).code(), Errc::timed_out);
}

TEST_F(A7_Timeout, the_timer_goes_when_the_result_arrives) {
    Promise<int> promise;
    Deferred<int> work = with_timeout(reactor(), promise.deferred(), 5s);
    EXPECT_EQ(reactor().wheel().size(), 1u);
    promise.resolve(1);
    EXPECT_EQ(value_of(work), 1);
    EXPECT_EQ(reactor().wheel().size(), 0u);
}

TEST_F(A7_Timeout, cancelled_by_somebody_else_it_stays_cancelled) {
    Promise<> promise;
    Deferred<> work = with_timeout(reactor(), promise.deferred(), 5s);
    work.cancel();
    EXPECT_EQ(failure_of(work).code(), Errc::cancelled);
}

TEST_F(A7_Timeout, a_throwing_canceller_does_not_keep_it_from_settling) {
    Promise<> promise;
    Deferred<> work =
        with_timeout(reactor(), promise.deferred([] { throw std::runtime_error("no"); }), 1s);
    ASSERT_TRUE(world_.advance(1s));
    EXPECT_EQ(failure_of(work).code(), Errc::timed_out);
}

TEST_F(A7_Timeout, counts_only_what_is_inside_and_a_deadline_is_a_time) {
    Promise<> inside;
    Promise<> outside;
    Deferred<> work =
        with_timeout(reactor(), inside.deferred(), 1s).then([&] { return outside.deferred(); });
    inside.resolve();
    ASSERT_TRUE(world_.advance(10s));
    EXPECT_TRUE(pending(work)) << "what comes behind it is not limited";
    outside.resolve();
    value_of(work);
    Promise<> never;
    Deferred<> by = with_deadline(reactor(), never.deferred(), reactor().now() + 2s);
    ASSERT_TRUE(world_.advance(2s));
    EXPECT_EQ(failure_of(by).code(), Errc::timed_out);
    Deferred<> past = with_deadline(reactor(), sleep(reactor(), 1s), reactor().now() - 1s);
    ASSERT_TRUE(world_.advance(1ms));
    EXPECT_EQ(failure_of(past).code(), Errc::timed_out);
}

}  // namespace
}  // namespace reactor
