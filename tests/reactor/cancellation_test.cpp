// Giving up: cancel() asks and the Deferred still settles; a drop ends the work at once. Both in
// every order with resolving.
#include "reactor/combine.h"
#include "reactor/deferred.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

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

struct Note {
    std::vector<std::string>& log;
    std::string text;
    ~Note() { log.push_back(text); }
};

TEST(Cancel, runs_the_canceller_once_and_settles_as_cancelled) {
    int cancelled = 0;
    Promise<int> promise;
    Deferred<int> deferred = promise.deferred([&] { ++cancelled; });
    deferred.cancel();
    deferred.cancel();
    EXPECT_EQ(cancelled, 1);
    EXPECT_FALSE(promise.wanted());
    EXPECT_FALSE(promise.try_resolve(1)) << "a late result is discarded";
    EXPECT_EQ(failure_of(deferred).code(), Errc::cancelled);
}

TEST(Cancel, of_a_settled_deferred_has_no_effect) {
    int cancelled = 0;
    Promise<int> promise;
    Deferred<int> deferred = promise.deferred([&] { ++cancelled; });
    promise.resolve(1);
    deferred.cancel();
    EXPECT_EQ(value_of(deferred), 1);
    Deferred<int> at_once = ready(2);
    at_once.cancel();
    EXPECT_EQ(value_of(at_once), 2);
    EXPECT_EQ(cancelled, 0);
}

TEST(Cancel, reaches_the_leaf_through_coroutines_and_chains) {
    std::vector<std::string> log;
    Promise<int> promise;
    auto inner = [](std::vector<std::string>& notes, Deferred<int> leaf) -> Deferred<int> {
        const Note note{notes, "inner"};
        auto value = co_await std::move(leaf);
        notes.push_back("not reached");
        co_return value;
    };
    auto outer = [](std::vector<std::string>& notes, Deferred<int> work) -> Deferred<int> {
        const Note note{notes, "outer"};
        auto value = co_await std::move(work);
        notes.push_back("not reached");
        co_return value;
    };
    Deferred<int> work = outer(log, inner(log, promise.deferred([&] { log.push_back("leaf"); })))
                             .then([](int value) { return value; });
    work.cancel();
    EXPECT_EQ(log, (std::vector<std::string>{"leaf"})) << "unwinding waits for the queue";
    EXPECT_EQ(failure_of(work).code(), Errc::cancelled);
    EXPECT_EQ(log, (std::vector<std::string>{"leaf", "inner", "outer"}));
}

TEST(Cancel, can_be_seen_as_a_result_and_cleaned_up_after) {
    Promise<> leaf;
    Promise<> cleaning;
    auto careful = [](Deferred<> work, Deferred<> clean_up) -> Deferred<int> {
        auto result = co_await std::move(work).as_result();
        EXPECT_EQ(result.error().code(), Errc::cancelled);
        co_await std::move(clean_up).as_result();
        co_return 3;
    };
    Deferred<int> work = careful(leaf.deferred(), cleaning.deferred());
    work.cancel();
    EXPECT_TRUE(pending(work)) << "clean-up is awaited";
    cleaning.resolve();
    EXPECT_EQ(value_of(work), 3);
}

TEST(Cancel, a_second_one_cuts_the_clean_up_short) {
    Promise<> leaf;
    Promise<> cleaning;
    auto careful = [](Deferred<> work, Deferred<> clean_up) -> Deferred<> {
        (void)co_await std::move(work).as_result();
        (void)co_await std::move(clean_up);
        co_return {};
    };
    Deferred<> work = careful(leaf.deferred(), cleaning.deferred());
    work.cancel();
    EXPECT_TRUE(pending(work));
    work.cancel();
    EXPECT_EQ(failure_of(work).code(), Errc::cancelled);
}

TEST(Cancel, a_result_that_is_there_wins_and_the_next_wait_is_cancelled) {
    Promise<int> first;
    Promise<int> second;
    std::optional<int> seen;
    auto worker = [](std::optional<int>& value, Deferred<int> one,
                     Deferred<int> two) -> Deferred<> {
        value = *co_await std::move(one);
        co_await std::move(two);
        ADD_FAILURE() << "not reached";
        co_return {};
    };
    Deferred<> work = worker(seen, first.deferred(), second.deferred());
    first.resolve(1);
    work.cancel();
    EXPECT_EQ(failure_of(work).code(), Errc::cancelled);
    EXPECT_EQ(seen, 1);
    EXPECT_FALSE(second.wanted());
}

TEST(Cancel, a_failure_named_cancelled_is_no_exception_for_who_was_not_cancelled) {
    auto watcher = [](Deferred<> other) -> Deferred<bool> {
        auto result = co_await std::move(other);
        co_return !result && result.error().is(Errc::cancelled);
    };
    EXPECT_TRUE(value_of(watcher(failed(Errc::cancelled))));
}

TEST(Cancel, a_throwing_canceller_is_reported_and_the_deferred_still_settles) {
    test::LogCapture capture;
    ReadyQueue queue(capture.log());
    ReadyQueue::Scope scope(queue);
    Promise<> promise;
    Deferred<> work = promise.deferred([] { throw std::runtime_error("oops"); });
    work.cancel();
    EXPECT_EQ(failure_of(work).code(), Errc::cancelled);
    EXPECT_EQ(capture.first("deferred.canceller_exception").text("what"), "oops");
}

TEST(Cancel, the_canceller_may_destroy_the_promise) {
    auto promise = std::make_unique<Promise<>>();
    Deferred<> work = promise->deferred([&] { promise.reset(); });
    work.cancel();
    EXPECT_EQ(failure_of(work).code(), Errc::cancelled);
}

TEST(Cancel, the_canceller_may_drop_the_deferred_and_the_promise) {
    auto promise = std::make_unique<Promise<>>();
    std::optional<Deferred<>> work;
    work = promise->deferred([&] {
        promise.reset();
        work.reset();
    });
    work->cancel();
    EXPECT_FALSE(work);
}

TEST(Drop, runs_the_canceller_and_delivers_nothing) {
    int cancelled = 0;
    bool delivered = false;
    Promise<int> promise;
    {
        Deferred<> work =
            promise.deferred([&] { ++cancelled; }).then([&](int) { delivered = true; });
    }
    EXPECT_EQ(cancelled, 1);
    EXPECT_FALSE(promise.wanted());
    promise.resolve(1);
    run_ready();
    EXPECT_FALSE(delivered);
}

TEST(Drop, destroys_frames_at_once_inner_ones_included) {
    std::vector<std::string> log;
    Promise<> promise;
    auto inner = [](std::vector<std::string>& notes, Deferred<> leaf) -> Deferred<> {
        const Note note{notes, "inner"};
        co_await std::move(leaf);
        co_return {};
    };
    auto outer = [](std::vector<std::string>& notes, Deferred<> work) -> Deferred<> {
        const Note note{notes, "outer"};
        co_await std::move(work);
        co_return {};
    };
    {
        Deferred<> work = outer(log, inner(log, promise.deferred([&] { log.push_back("leaf"); })));
        log.push_back("dropping");
    }
    EXPECT_EQ(log.front(), "dropping");
    EXPECT_EQ(log.size(), 4u);
}

TEST(Drop, after_resolving_but_before_delivery_delivers_nothing) {
    bool delivered = false;
    Promise<int> promise;
    {
        Deferred<> work = promise.deferred().then([&](int) { delivered = true; });
        promise.resolve(1);
    }
    run_ready();
    EXPECT_FALSE(delivered);
}

TEST(Drop, a_coroutine_may_drop_itself) {
    std::vector<std::string> log;
    std::optional<Deferred<>> work;
    Promise<> promise;
    auto suicide = [](std::vector<std::string>& notes, std::optional<Deferred<>>& self,
                      Deferred<> wait) -> Deferred<> {
        const Note note{notes, "destroyed"};
        co_await std::move(wait);
        self.reset();
        notes.push_back("still running");
        co_await yield();
        notes.push_back("not reached");
        co_return {};
    };
    work = suicide(log, work, promise.deferred());
    promise.resolve();
    run_ready();
    EXPECT_EQ(log, (std::vector<std::string>{"still running", "destroyed"}));
}

TEST(Drop, a_coroutine_that_drops_itself_may_also_run_to_its_end) {
    std::optional<Deferred<>> work;
    Promise<> promise;
    auto suicide = [](std::optional<Deferred<>>& self, Deferred<> wait) -> Deferred<> {
        co_await std::move(wait);
        self.reset();
        co_return {};
    };
    work = suicide(work, promise.deferred());
    promise.resolve();
    run_ready();
    EXPECT_FALSE(work);
}

TEST(Drop, a_coroutine_may_drop_the_one_that_awaits_it) {
    std::optional<Deferred<>> outer;
    Promise<> promise;
    auto inner = [](std::optional<Deferred<>>& owner, Deferred<> wait) -> Deferred<> {
        co_await std::move(wait);
        owner.reset();
        co_return {};
    };
    outer = inner(outer, promise.deferred()).then([] { ADD_FAILURE() << "not reached"; });
    promise.resolve();
    run_ready();
    EXPECT_FALSE(outer);
}

// Every order of resolve, cancel, a run of the queue and the drop, on a two-step coroutine: never a
// crash (the sanitizers look on), never a delivery after the drop, at most one result.
TEST(Cancellation, every_interleaving_of_two_promises_and_a_consumer_is_safe) {
    enum Step { resolve_first, resolve_second, cancel, run, drop, break_second };
    std::vector<int> steps{resolve_first, resolve_second, cancel, run, drop, break_second};
    std::sort(steps.begin(), steps.end());
    int orders = 0;
    do {
        ++orders;
        bool dropped = false;
        int delivered = 0;
        auto first = std::make_unique<Promise<int>>();
        auto second = std::make_unique<Promise<int>>();
        auto worker = [](Deferred<int> one, Deferred<int> two) -> Deferred<int> {
            auto left = co_await std::move(one);
            auto right = co_await std::move(two);
            co_return (left ? *left : 0) + (right ? *right : 0);
        };
        std::optional<Deferred<>> work =
            worker(first->deferred(), second->deferred()).both([&](base::Result<int>) {
                EXPECT_FALSE(dropped);
                ++delivered;
            });
        for (const int step : steps) {
            switch (step) {
                case resolve_first:
                    first->try_resolve(1);
                    break;
                case resolve_second:
                    if (second) second->try_resolve(2);
                    break;
                case cancel:
                    if (work) work->cancel();
                    break;
                case run:
                    run_ready();
                    break;
                case drop:
                    work.reset();
                    dropped = true;
                    break;
                default:
                    second.reset();
            }
        }
        run_ready();
        EXPECT_LE(delivered, 1);
    } while (std::next_permutation(steps.begin(), steps.end()));
    EXPECT_EQ(orders, 720);
}

TEST(WhenAll, collects_values_in_order_whatever_settles_first) {
    Promise<int> first;
    Promise<int> second;
    std::vector<Deferred<int>> parts;
    parts.push_back(first.deferred());
    parts.push_back(second.deferred());
    parts.push_back(ready(3));
    Deferred<std::vector<int>> all = when_all(std::move(parts));
    second.resolve(2);
    EXPECT_TRUE(pending(all));
    first.resolve(1);
    EXPECT_EQ(value_of(all), (std::vector{1, 2, 3}));
    EXPECT_TRUE(value_of(when_all(std::vector<Deferred<int>>())).empty());
}

TEST(WhenAll, the_first_failure_cancels_the_others_and_waits_for_them) {
    Promise<> first;
    Promise<> second;
    Promise<> cleaning;
    std::vector<Deferred<>> parts;
    parts.push_back(first.deferred());
    parts.push_back(second.deferred().ensure([&] { return cleaning.deferred(); }));
    Deferred<> all = when_all(std::move(parts));
    first.fail(Errc::io_error);
    EXPECT_TRUE(pending(all));
    EXPECT_FALSE(second.wanted());
    cleaning.resolve();
    EXPECT_EQ(failure_of(all).code(), Errc::io_error);
}

TEST(WhenAll, cancel_and_drop_reach_every_part) {
    Promise<> first;
    Promise<> second;
    std::vector<Deferred<>> parts;
    parts.push_back(first.deferred());
    parts.push_back(second.deferred());
    Deferred<> all = when_all(std::move(parts));
    all.cancel();
    EXPECT_EQ(failure_of(all).code(), Errc::cancelled);
    Promise<> third;
    {
        std::vector<Deferred<>> others;
        others.push_back(third.deferred());
        Deferred<> dropped = when_all(std::move(others));
    }
    EXPECT_FALSE(first.wanted() || second.wanted() || third.wanted());
}

TEST(WhenAll, a_canceller_may_drop_it) {
    Promise<> first;
    Promise<> second;
    std::optional<Deferred<>> all;
    std::vector<Deferred<>> parts;
    parts.push_back(first.deferred([&] { all.reset(); }));
    parts.push_back(second.deferred());
    all = when_all(std::move(parts));
    all->cancel();
    EXPECT_FALSE(all);
    EXPECT_FALSE(second.wanted());
}

}  // namespace
}  // namespace reactor
