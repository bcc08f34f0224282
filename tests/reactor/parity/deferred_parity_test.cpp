// A1 to A6, A9, A10: Deferred against what Twisted promises, one test group per id of the
// specification; where we differ on purpose the test says how.
#include "reactor/combine.h"
#include "reactor/deferred.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

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

TEST(A1_Deferred, a_failure_given_as_result_takes_the_error_side) {
    Promise<int> promise;
    bool called = false;
    Deferred<int> chain = promise.deferred().then([&](int value) {
        called = true;
        return value;
    });
    promise.resolve(base::fail(Errc::io_error, "disk"));
    EXPECT_EQ(failure_of(chain).message(), "io_error: disk");
    EXPECT_FALSE(called);
}

TEST(A1_Deferred, callbacks_run_after_the_resolver_and_in_the_same_turn) {
    Promise<> promise;
    bool called = false;
    Deferred<> chain = promise.deferred().then([&] { called = true; });
    promise.resolve();
    EXPECT_FALSE(called) << "Twisted would have called it inside";
    run_ready();
    EXPECT_TRUE(called);
}

TEST(A2_SingleFire, a_second_result_is_refused_or_a_bug) {
    Promise<int> promise;
    Deferred<int> deferred = promise.deferred();
    EXPECT_TRUE(promise.try_resolve(1));
    EXPECT_FALSE(promise.try_resolve(2));
    EXPECT_EQ(value_of(deferred), 1);
    Promise<> strict;
    Deferred<> waiting = strict.deferred();
    strict.resolve();
    EXPECT_DEATH(strict.resolve(), "resolved_");
}

TEST(A2_SingleFire, a_late_result_after_a_cancel_is_swallowed) {
    Promise<int> promise;
    Deferred<int> deferred = promise.deferred();
    deferred.cancel();
    promise.resolve(1);  // The one late result: no complaint.
    EXPECT_EQ(failure_of(deferred).code(), Errc::cancelled);
}

TEST(A3_Chain, pairs_run_in_order_and_each_result_feeds_the_next) {
    std::string order;
    Deferred<int> chain = ready(1)
                              .then([&](int value) {
                                  order += "a";
                                  return value + 1;
                              })
                              .both([&](base::Result<int> result) {
                                  order += "b";
                                  return *result * 10;
                              })
                              .ensure([&] { order += "c"; })
                              .rescue([&](const base::Failure&) {
                                  order += "not reached";
                                  return 0;
                              });
    EXPECT_EQ(value_of(chain), 20);
    EXPECT_EQ(order, "abc");
}

TEST(A3_Chain, the_rescue_of_a_link_does_not_see_what_a_later_link_fails_with) {
    bool rescued = false;
    Deferred<int> chain =
        ready(1)
            .rescue([&](const base::Failure&) {
                rescued = true;
                return 0;
            })
            .then([](int) -> base::Result<int> { return base::fail(Errc::not_found, "later"); });
    EXPECT_EQ(failure_of(chain).message(), "not_found: later");
    EXPECT_FALSE(rescued);
}

TEST(A3_Chain, a_link_added_to_a_settled_one_runs_at_once) {
    bool called = false;
    Deferred<> chain = ready(7).then([&](int value) { called = value == 7; });
    EXPECT_TRUE(called);
    value_of(chain);
}

TEST(A4_Flatten, a_returned_deferred_holds_the_chain_until_it_settles) {
    Promise<int> inner;
    Deferred<int> chain = ready(1).then([&](int) { return inner.deferred(); }).then([](int value) {
        return value + 1;
    });
    EXPECT_TRUE(pending(chain));
    inner.resolve(41);
    EXPECT_EQ(value_of(chain), 42);
}

TEST(A4_Flatten, a_settled_inner_one_is_taken_over_at_once) {
    Deferred<int> chain = ready().then([] { return ready(3); });
    ASSERT_TRUE(chain.settled());
    EXPECT_EQ(value_of(chain), 3);
}

TEST(A4_Flatten, ten_thousand_nested_ones_do_not_grow_the_stack) {
    Promise<int> first;
    Deferred<int> chain = first.deferred();
    for (int i = 0; i < 10'000; ++i)
        chain = std::move(chain).then([](int value) { return ready(value + 1); });
    first.resolve(0);
    EXPECT_EQ(value_of(chain), 10'000);
}

TEST(A5_Unhandled, exceptions_and_failures_move_to_the_error_side_and_back) {
    Deferred<std::string> chain =
        ready()
            .then([]() -> int { throw std::runtime_error("bad"); })
            .then([](int) { return std::string("not reached"); })
            .rescue([](const base::Failure& failure) { return failure.message(); })
            .then([](std::string text) { return text + "!"; });
    EXPECT_EQ(value_of(chain), "internal: bad!");
}

TEST(A5_Unhandled, is_reported_at_the_drop_and_only_then) {
    test::LogCapture capture;
    ReadyQueue queue(capture.log());
    const ReadyQueue::Scope scope(queue);
    {
        Deferred<> failing = failed(base::Failure(Errc::io_error, "lost"));
        EXPECT_EQ(capture.events().size(), 0u);
    }
    EXPECT_EQ(capture.first("deferred.unhandled").text("failure"), "io_error: lost");
    {
        Deferred<> handled = failed(Errc::io_error).rescue([](const base::Failure&) {});
        run_ready();
    }
    EXPECT_EQ(capture.count("deferred.unhandled"), 1u);
}

TEST(A6_Cancel, without_a_canceller_it_settles_as_cancelled) {
    Promise<> promise;
    Deferred<> deferred = promise.deferred();
    deferred.cancel();
    EXPECT_EQ(failure_of(deferred).code(), Errc::cancelled);
}

TEST(A6_Cancel, waiting_for_an_inner_one_cancels_the_inner_one) {
    Promise<> inner;
    bool withdrawn = false;
    Deferred<> chain = ready().then([&] { return inner.deferred([&] { withdrawn = true; }); });
    chain.cancel();
    EXPECT_TRUE(withdrawn);
    EXPECT_EQ(failure_of(chain).code(), Errc::cancelled);
}

TEST(A6_Cancel, has_no_effect_once_settled_and_lets_the_canceller_go_when_it_fires) {
    struct Noticed {
        bool* gone;
        explicit Noticed(bool* flag) : gone(flag) {}
        Noticed(Noticed&& other) noexcept : gone(std::exchange(other.gone, nullptr)) {}
        Noticed& operator=(Noticed&&) = delete;
        ~Noticed() {
            if (gone) *gone = true;
        }
    };
    bool gone = false;
    Promise<int> promise;
    Deferred<int> deferred = promise.deferred([held = Noticed(&gone)] { FAIL(); });
    promise.resolve(1);
    EXPECT_TRUE(gone);
    deferred.cancel();
    EXPECT_EQ(value_of(deferred), 1);
}

TEST(A9_Ready, makes_settled_ones_and_takes_what_is_one_as_it_is) {
    EXPECT_EQ(value_of(ready(5)), 5);
    EXPECT_EQ(failure_of(failed<int>(Errc::busy)).code(), Errc::busy);
    // maybeDeferred: `then` on a ready one takes a value, a Result, a Deferred or an exception.
    const auto attempt = [](auto f) { return ready().then(std::move(f)); };
    EXPECT_EQ(value_of(attempt([] { return 1; })), 1);
    EXPECT_EQ(value_of(attempt([]() -> base::Result<int> { return 2; })), 2);
    EXPECT_EQ(value_of(attempt([] { return ready(3); })), 3);
    EXPECT_EQ(failure_of(attempt([]() -> int { throw std::runtime_error("x"); })).detail(), "x");
    Promise<int> later;
    Deferred<int> waiting = attempt([&] { return later.deferred(); });
    EXPECT_TRUE(pending(waiting));
    later.resolve(4);
    EXPECT_EQ(value_of(waiting), 4);
}

Deferred<int> add_up(std::vector<int>& seen, Deferred<int> one, Deferred<int> two) {
    seen.push_back(0);
    const base::Result<int> first = co_await std::move(one);
    seen.push_back(*first);
    const base::Result<int> second = co_await std::move(two);
    co_return *first + *second;
}

TEST(A10_Coroutine, runs_eagerly_to_the_first_wait_and_on_in_order) {
    std::vector<int> seen;
    Promise<int> one;
    Promise<int> two;
    Deferred<int> sum = add_up(seen, one.deferred(), two.deferred());
    EXPECT_EQ(seen, (std::vector<int>{0}));
    two.resolve(2);
    EXPECT_TRUE(pending(sum));
    one.resolve(1);
    EXPECT_EQ(value_of(sum), 3);
    EXPECT_EQ(seen, (std::vector<int>{0, 1}));
}

TEST(A10_Coroutine, may_swallow_a_cancellation_and_go_on) {
    const auto stubborn = [](Deferred<int> first, Deferred<int> second) -> Deferred<int> {
        (void)co_await std::move(first).as_result();
        co_return co_await std::move(second);
    };
    Promise<int> first;
    Promise<int> second;
    Deferred<int> work = stubborn(first.deferred(), second.deferred());
    work.cancel();
    EXPECT_TRUE(pending(work));
    second.resolve(9);
    EXPECT_EQ(value_of(work), 9);
}

class TracebackTest : public testing::Test {
protected:
    TracebackTest() { capture_tracebacks(true); }
    ~TracebackTest() override { capture_tracebacks(false); }
};

Deferred<int> innermost(Deferred<int> leaf) {
    co_return co_await std::move(leaf);
}
Deferred<int> middle(Deferred<int> leaf) {
    Deferred<int> inner = innermost(std::move(leaf));
    const base::Result<int> result = co_await std::move(inner);
    if (!result) co_return result.error().with("in the middle");
    co_return *result;
}
using A10_Traceback = TracebackTest;

TEST_F(A10_Traceback, names_each_await_that_the_failure_passed) {
    Promise<int> leaf;
    Deferred<int> work = middle(leaf.deferred());
    leaf.resolve(base::fail(Errc::io_error, "disk"));
    const base::Failure failure = failure_of(work);
    const std::string text = failure.traceback();
    EXPECT_EQ(failure.message(), "io_error: in the middle: disk");
    // Two hops per coroutine: the await that gave it, and the return.
    std::size_t hops = 0;
    for (std::size_t at = text.find("deferred_parity_test.cpp:"); at != std::string::npos;
         at = text.find("deferred_parity_test.cpp:", at + 1))
        ++hops;
    EXPECT_EQ(hops, 4u) << text;
    capture_tracebacks(false);
    Deferred<int> quiet = middle(failed<int>(Errc::io_error));
    EXPECT_EQ(failure_of(quiet).trace(), "");
}

TEST_F(A10_Traceback, is_bounded) {
    base::Failure failure(Errc::internal);
    for (std::uint32_t i = 0; i < 10'000; ++i)
        failure = failure.passed("some/file.cpp", i);
    EXPECT_LE(failure.trace().size(), base::Failure::kTraceMax);
    EXPECT_GT(failure.trace().size(), base::Failure::kTraceMax / 2);
}

TEST_F(A10_Traceback, goes_into_the_report_of_an_unhandled_failure) {
    test::LogCapture capture;
    ReadyQueue queue(capture.log());
    const ReadyQueue::Scope scope(queue);
    Promise<int> leaf;
    innermost(leaf.deferred()).detach("test");
    leaf.resolve(base::fail(Errc::io_error));
    run_ready();
    EXPECT_NE(capture.first("deferred.unhandled").text("trace").find("deferred_parity_test.cpp:"),
              std::string::npos);
}

}  // namespace
}  // namespace reactor
