// Every interleaving of small concurrent pieces: locks, queues, cancellation against delivery.
#include "reactor/sim/interleavings.h"

#include "reactor/sync/lock.h"
#include "reactor/sync/queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace reactor {
namespace {

using base::Errc;

TEST(Choices, go_through_every_sequence_once) {
    std::set<std::string> seen;
    const std::uint64_t runs = for_all_choices([&](Choices& choices) {
        std::string text = std::to_string(choices.below(3));
        if (text == "1") text += std::to_string(choices.below(2));
        EXPECT_TRUE(seen.insert(text).second) << text;
    });
    EXPECT_EQ(runs, 4u);
    EXPECT_EQ(seen, (std::set<std::string>{"0", "10", "11", "2"}));
}

TEST(Choices, too_many_runs_are_a_failure_of_the_test) {
    EXPECT_THROW(for_all_choices([](Choices& choices) { choices.below(11); }, 10),
                 test::TestFailure);
}

Deferred<void> two_steps(Crossing& crossing, std::string& order, char name) {
    for (int i = 0; i < 2; ++i) {
        auto step = crossing.step();
        co_await std::move(step);
        order += name;
    }
    co_return {};
}

TEST(Crossing, lets_two_tasks_of_two_steps_go_on_in_all_six_orders) {
    std::set<std::string> orders;
    for_all_choices([&](Choices& choices) {
        Crossing crossing(choices);
        std::string order;
        const auto a = two_steps(crossing, order, 'a');
        const auto b = two_steps(crossing, order, 'b');
        crossing.run();
        orders.insert(order);
    });
    EXPECT_EQ(orders, (std::set<std::string>{"aabb", "abab", "abba", "baab", "baba", "bbaa"}));
}

struct Inside {
    explicit Inside(int& how_many) : count(how_many) { ++count; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { --count; }
    int& count;
};

/// Takes the lock, is inside for a step, and leaves.
Deferred<void> visit(Crossing& crossing, Lock& lock, int& inside, int& visits) {
    auto coming = crossing.step();
    co_await std::move(coming);
    auto acquiring = lock.acquire();
    const auto permit = co_await std::move(acquiring);
    if (!permit) co_return permit.error();
    const Inside here(inside);
    auto staying = crossing.step();
    co_await std::move(staying);
    ++visits;
    co_return {};
}

TEST(Interleavings, a_lock_holds_one_and_loses_nobody_whoever_gives_up_and_when) {
    const std::uint64_t runs = for_all_choices([](Choices& choices) {
        Crossing crossing(choices);
        Lock lock;
        int inside = 0;
        int visits = 0;
        std::vector<std::optional<Deferred<void>>> tasks;
        for (int i = 0; i < 3; ++i)
            tasks.emplace_back(visit(crossing, lock, inside, visits));
        bool gave_up = false;
        crossing.run([&] {
            ASSERT_LE(inside, 1);
            if (gave_up || !choices.either()) return;
            gave_up = true;  // The first ends, by one way or the other, wherever it is.
            if (choices.either()) {
                tasks[0]->cancel();
            } else {
                tasks[0].reset();
            }
        });
        EXPECT_FALSE(lock.held());
        EXPECT_EQ(inside, 0);
        EXPECT_EQ(lock.waiting(), 0u);
        EXPECT_GE(visits, 2);
        for (auto& task : tasks)
            EXPECT_TRUE(!task || task->settled());
    });
    EXPECT_GT(runs, 300u);
}

Deferred<void> produce(Crossing& crossing, Queue<int>& queue, int first) {
    for (int i = first; i < first + 2; ++i) {
        auto step = crossing.step();
        co_await std::move(step);
        auto putting = queue.put(i);
        if (const auto put = co_await std::move(putting); !put) co_return put.error();
    }
    co_return {};
}
Deferred<void> consume(Crossing& crossing, Queue<int>& queue, std::vector<int>& got) {
    for (;;) {
        auto step = crossing.step();
        co_await std::move(step);
        auto getting = queue.get();
        const auto value = co_await std::move(getting);
        if (!value) co_return {};
        got.push_back(*value);
    }
}

TEST(Interleavings, a_queue_of_one_place_loses_and_reorders_nothing) {
    const std::uint64_t runs = for_all_choices([](Choices& choices) {
        Crossing crossing(choices);
        Queue<int> queue(1);
        std::vector<int> got;
        const auto first = produce(crossing, queue, 10);
        const auto second = produce(crossing, queue, 20);
        const auto consumer = consume(crossing, queue, got);
        crossing.run();
        queue.close();
        crossing.run();
        EXPECT_TRUE(first.settled() && second.settled() && consumer.settled());
        ASSERT_EQ(got.size(), 4u);
        EXPECT_LT(std::ranges::find(got, 10), std::ranges::find(got, 11));
        EXPECT_LT(std::ranges::find(got, 20), std::ranges::find(got, 21));
    });
    EXPECT_GT(runs, 100u);
}

TEST(Interleavings, a_cancelled_get_takes_no_value_unless_it_delivers_it) {
    for_all_choices([](Choices& choices) {
        Crossing crossing(choices);
        Queue<int> queue(0);
        auto getting = queue.get();
        auto giver = [](Crossing& way, Queue<int>& to) -> Deferred<void> {
            auto step = way.step();
            co_await std::move(step);
            auto putting = to.put(7);
            co_return co_await std::move(putting);
        }(crossing, queue);
        auto canceller = [](Crossing& way, Deferred<int>& what) -> Deferred<void> {
            auto step = way.step();
            co_await std::move(step);
            what.cancel();
            co_return {};
        }(crossing, getting);
        crossing.run();
        const base::Result<int> got = test::result_of(getting);
        if (got) {
            EXPECT_TRUE(giver.settled());
        } else {
            EXPECT_TRUE(got.error().is(Errc::cancelled));
            EXPECT_FALSE(giver.settled());  // Nobody has taken it.
            EXPECT_EQ(queue.try_get(), 7);
            test::run_ready();
            EXPECT_TRUE(giver.settled());
        }
        EXPECT_TRUE(canceller.settled());
    });
}

}  // namespace
}  // namespace reactor
