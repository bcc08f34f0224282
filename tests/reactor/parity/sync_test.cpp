// A12: Lock, Semaphore, Queue, Event, RateLimiter, FileLock.
#include "reactor/combine.h"
#include "reactor/sim/sim_world.h"
#include "reactor/sync/condition.h"
#include "reactor/sync/event.h"
#include "reactor/sync/file_lock.h"
#include "reactor/sync/lock.h"
#include "reactor/sync/queue.h"
#include "reactor/sync/rate_limiter.h"
#include "reactor/sync/rw_lock.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
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

TEST(A12_Lock, serves_waiters_in_the_order_of_asking) {
    Lock lock;
    Permit first = value_of(lock.acquire());
    std::vector<int> order;
    std::vector<Deferred<>> waiters;
    for (int i = 0; i < 3; ++i)
        waiters.push_back(lock.acquire().then([&order, i](Permit) { order.push_back(i); }));
    EXPECT_EQ(lock.waiting(), 3u);
    run_ready();
    EXPECT_TRUE(order.empty());
    first.release();
    first.release();
    run_ready();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
    EXPECT_FALSE(lock.held());
}

TEST(A12_Lock, a_waiter_that_gives_up_leaves_the_line) {
    Lock lock;
    Permit held = value_of(lock.acquire());
    Deferred<Permit> cancelled = lock.acquire();
    std::optional<Deferred<Permit>> dropped = lock.acquire();
    Deferred<Permit> last = lock.acquire();
    cancelled.cancel();
    EXPECT_EQ(failure_of(cancelled).code(), Errc::cancelled);
    dropped.reset();
    EXPECT_EQ(lock.waiting(), 1u);
    held.release();
    EXPECT_TRUE(value_of(last).held());
}

TEST(A12_Lock, a_permit_that_was_granted_but_not_taken_goes_to_the_next) {
    Lock lock;
    Permit held = value_of(lock.acquire());
    std::optional<Deferred<Permit>> granted = lock.acquire();
    Deferred<Permit> next = lock.acquire();
    held.release();
    EXPECT_TRUE(granted->settled());
    EXPECT_FALSE(next.settled());
    granted.reset();
    EXPECT_TRUE(value_of(next).held());
}

TEST(A12_Lock, run_holds_it_until_the_work_has_settled) {
    Lock lock;
    Promise<int> work;
    Deferred<int> running = lock.run([&] { return work.deferred(); });
    EXPECT_TRUE(lock.held());
    EXPECT_FALSE(lock.try_acquire().held());
    Deferred<> failing = lock.run([]() -> Deferred<> { return Errc::io_error; });
    EXPECT_TRUE(pending(failing));
    work.resolve(4);
    EXPECT_EQ(value_of(running), 4);
    EXPECT_EQ(failure_of(failing).code(), Errc::io_error);
    EXPECT_FALSE(lock.held());
}

TEST(A12_Lock, a_cycle_is_refused_in_words) {
    Lock accounts("accounts");
    Lock rooms("rooms");
    LockOwner transfer("transfer");
    LockOwner audit("audit");
    Permit a = value_of(accounts.acquire(transfer));
    Permit r = value_of(rooms.acquire(audit));
    EXPECT_EQ(failure_of(accounts.acquire(transfer)).message(),
              "would_deadlock: transfer waits for accounts, held by transfer");
    Deferred<Permit> waiting = rooms.acquire(transfer);
    EXPECT_TRUE(pending(waiting));
    EXPECT_EQ(failure_of(accounts.acquire(audit)).message(),
              "would_deadlock: audit waits for accounts, held by transfer waits for rooms, "
              "held by audit");
    r.release();
    Permit second = value_of(waiting);
    EXPECT_TRUE(second.held());
    EXPECT_TRUE(pending(accounts.acquire(audit))) << "no cycle any more";
}

TEST(A12_Semaphore, lets_as_many_in_as_it_has_permits) {
    Semaphore semaphore(2);
    Permit one = value_of(semaphore.acquire());
    Permit two = value_of(semaphore.acquire());
    Deferred<Permit> third = semaphore.acquire();
    EXPECT_TRUE(pending(third));
    two.release();
    Permit three = value_of(third);
    EXPECT_EQ(semaphore.available(), 0u);
}

TEST(A12_Semaphore, a_large_request_holds_up_the_small_ones_behind_it) {
    Semaphore semaphore(3);
    Permit one = value_of(semaphore.acquire());
    Deferred<Permit> all = semaphore.acquire(3);
    Deferred<Permit> small = semaphore.acquire(1);
    EXPECT_TRUE(pending(small));
    EXPECT_FALSE(semaphore.try_acquire().held()) << "nobody overtakes";
    all.cancel();
    EXPECT_EQ(failure_of(all).code(), Errc::cancelled);
    EXPECT_TRUE(value_of(small).held()) << "served when the large one left";
    EXPECT_EQ(failure_of(semaphore.acquire(4)).message(), "invalid_argument: 4 permits of 3");
}

TEST(A12_Semaphore, one_waiter_beyond_the_limit_is_refused_and_the_end_closes) {
    auto semaphore = std::make_unique<Semaphore>(1, 2);
    Permit held = value_of(semaphore->acquire());
    Deferred<Permit> first = semaphore->acquire();
    Deferred<Permit> second = semaphore->acquire();
    EXPECT_EQ(failure_of(semaphore->acquire()).code(), Errc::queue_full);
    EXPECT_DEATH(semaphore.reset(), "available_");
    held.release();
    value_of(first).release();
    Deferred<Permit> waiting = semaphore->acquire();
    value_of(second).release();
    value_of(waiting).release();
    EXPECT_DEATH(Semaphore(0), "permits");
}

TEST(A12_Queue, hands_a_value_straight_to_the_oldest_consumer) {
    Queue<int> queue(2);
    Deferred<int> first = queue.get();
    Deferred<int> second = queue.get();
    value_of(queue.put(1));
    EXPECT_EQ(queue.size(), 0u);
    value_of(queue.put(2));
    EXPECT_EQ(value_of(first), 1);
    EXPECT_EQ(value_of(second), 2);
}

TEST(A12_Queue, put_waits_for_space_and_try_put_says_that_it_is_full) {
    Queue<std::string> queue(1);
    value_of(queue.put("a"));
    Deferred<> waiting = queue.put("b");
    EXPECT_TRUE(pending(waiting));
    std::string kept = "c";
    EXPECT_EQ(queue.try_put(std::move(kept)).error().code(), Errc::queue_full);
    EXPECT_EQ(kept, "c");
    EXPECT_EQ(value_of(queue.get()), "a");
    value_of(waiting);
    EXPECT_EQ(value_of(queue.get()), "b");
    EXPECT_FALSE(queue.try_get());
    Queue<int> handover(0);
    Deferred<> offered = handover.put(7);
    EXPECT_TRUE(pending(offered));
    EXPECT_EQ(handover.try_get(), 7);
    value_of(offered);
}

TEST(A12_Queue, both_lines_are_bounded) {
    Queue<int> queue(0, 1);
    Deferred<int> consumer = queue.get();
    EXPECT_EQ(failure_of(queue.get()).code(), Errc::resource_exhausted);
    consumer.cancel();
    EXPECT_EQ(failure_of(consumer).code(), Errc::cancelled);
    Deferred<> producer = queue.put(1);
    EXPECT_EQ(failure_of(queue.put(2)).code(), Errc::queue_full);
    {
        const Deferred<> dropped = std::move(producer);
    }
    EXPECT_EQ(queue.producers_waiting(), 0u);
    EXPECT_FALSE(queue.try_get()) << "a dropped put never was";
}

TEST(A12_Queue, close_drains_and_then_fails) {
    Queue<int> queue(1);
    value_of(queue.put(1));
    Deferred<> waiting = queue.put(2);
    queue.close();
    EXPECT_EQ(failure_of(queue.put(3)).code(), Errc::closed);
    EXPECT_EQ(value_of(queue.get()), 1);
    EXPECT_EQ(value_of(queue.get()), 2);
    value_of(waiting);
    EXPECT_EQ(failure_of(queue.get()).code(), Errc::closed);
    Queue<int> empty(1);
    Deferred<int> consumer = empty.get();
    empty.close();
    EXPECT_EQ(failure_of(consumer).code(), Errc::closed);
}

TEST(A12_Event, wakes_everybody_and_stays_set) {
    Event event;
    std::vector<int> order;
    Deferred<> one = event.wait().then([&] { order.push_back(1); });
    Deferred<> two = event.wait().then([&] { order.push_back(2); });
    Deferred<> gone = event.wait();
    gone.cancel();
    event.set();
    run_ready();
    EXPECT_EQ(order, (std::vector<int>{1, 2}));
    EXPECT_EQ(failure_of(gone).code(), Errc::cancelled);
    EXPECT_TRUE(event.wait().settled());
    event.clear();
    Deferred<> later = event.wait();
    event.pulse();
    value_of(later);
    EXPECT_FALSE(event.is_set());
    std::optional<Event> dying(std::in_place);
    Deferred<> waiting = dying->wait();
    dying.reset();
    EXPECT_EQ(failure_of(waiting).code(), Errc::closed);
}

TEST(A12_RwLock, many_read_or_one_writes_and_nobody_overtakes) {
    RwLock lock;
    Permit first = value_of(lock.acquire_shared());
    Permit second = value_of(lock.acquire_shared());
    Deferred<Permit> writer = lock.acquire();
    Deferred<Permit> third = lock.acquire_shared();
    EXPECT_FALSE(lock.try_acquire_shared().held());
    first.release();
    EXPECT_TRUE(pending(writer));
    second.release();
    Permit writing = value_of(writer);
    EXPECT_TRUE(pending(third)) << "it reads after the write";
    writing.release();
    EXPECT_TRUE(value_of(third).held());
    EXPECT_EQ(lock.waiting(), 0u);
    EXPECT_TRUE(lock.try_acquire().held());
}

TEST(A12_Condition, gives_the_lock_back_while_it_waits) {
    Lock lock;
    Condition changed;
    int value = 0;
    const auto wait_for = [](Lock& guard, Condition& condition, int& watched,
                             int wanted) -> Deferred<int> {
        Deferred<Permit> acquiring = guard.acquire();
        base::Result<Permit> held = co_await std::move(acquiring);
        while (held && watched < wanted) {
            Deferred<Permit> waiting = condition.wait(guard, *std::move(held));
            held = co_await std::move(waiting);
        }
        if (!held) co_return held.error();
        co_return watched;
    };
    Deferred<int> one = wait_for(lock, changed, value, 1);
    Deferred<int> two = wait_for(lock, changed, value, 2);
    EXPECT_TRUE(pending(two));
    EXPECT_FALSE(lock.held());
    EXPECT_EQ(changed.waiting(), 2u);
    value = 1;
    changed.notify_all();
    EXPECT_EQ(value_of(one), 1);
    EXPECT_TRUE(pending(two)) << "it looked again";
    two.cancel();
    EXPECT_EQ(failure_of(two).code(), Errc::cancelled);
    EXPECT_FALSE(lock.held());
    Deferred<int> three = wait_for(lock, changed, value, 2);
    Deferred<int> four = wait_for(lock, changed, value, 2);
    value = 2;
    run_ready();
    changed.notify_one();
    EXPECT_EQ(value_of(three), 2);
    EXPECT_TRUE(pending(four));
    changed.notify_one();
    EXPECT_EQ(value_of(four), 2);
    changed.notify_one();
}

class A12_OnTime : public testing::Test {
protected:
    Reactor& reactor() { return world_.world().reactor; }
    std::int64_t at() const { return (world_.now() - begin_) / 1ms; }
    SimWorld world_{SimOptions{}};
    const base::MonotonicTime begin_ = world_.now();
    Reactor::Scope scope_{reactor()};
};
using A12_RateLimiter = A12_OnTime;

TEST_F(A12_RateLimiter, gives_the_burst_at_once_and_then_the_rate_in_order) {
    RateLimiter limiter(reactor(), {.units_per_second = 10, .burst = 3});
    std::vector<std::int64_t> times;
    std::vector<Deferred<>> uses;
    for (int i = 0; i < 6; ++i)
        uses.push_back(limiter.acquire().then([&] { times.push_back(at()); }));
    EXPECT_FALSE(limiter.try_acquire()) << "does not overtake";
    ASSERT_TRUE(world_.advance(1s));
    EXPECT_EQ(times, (std::vector<std::int64_t>{0, 0, 0, 100, 200, 300}));
    EXPECT_EQ(reactor().wheel().size(), 0u) << "no timer while nobody waits";
}

TEST_F(A12_RateLimiter, refills_no_further_than_the_burst) {
    RateLimiter limiter(reactor(), {.units_per_second = 10, .burst = 3});
    EXPECT_TRUE(limiter.try_acquire(3));
    EXPECT_EQ(limiter.available(), 0u);
    ASSERT_TRUE(world_.advance(150ms));
    reactor().run_turn(false);
    EXPECT_EQ(limiter.available(), 1u);
    ASSERT_TRUE(world_.advance(1h));
    reactor().run_turn(false);
    EXPECT_EQ(limiter.available(), 3u);
    EXPECT_EQ(failure_of(limiter.acquire(4)).code(), Errc::invalid_argument);
}

TEST_F(A12_RateLimiter, who_gives_up_uses_nothing_and_lets_the_next_come) {
    RateLimiter limiter(reactor(), {.units_per_second = 10, .burst = 5, .waiters_max = 2});
    EXPECT_TRUE(limiter.try_acquire(5));
    Deferred<> large = limiter.acquire(5);
    Deferred<> small = limiter.acquire(1);
    EXPECT_EQ(failure_of(limiter.acquire()).code(), Errc::queue_full);
    large.cancel();
    ASSERT_TRUE(world_.advance(100ms));
    value_of(small);
    std::optional<RateLimiter> dying(std::in_place, reactor(),
                                     RateLimit{.units_per_second = 1, .burst = 1});
    EXPECT_TRUE(dying->try_acquire());
    Deferred<> waiting = dying->acquire();
    dying.reset();
    EXPECT_EQ(failure_of(waiting).code(), Errc::closed);
}

class A12_FileLock : public A12_OnTime {
protected:
    A12_FileLock() { std::filesystem::create_directories(directory_); }
    ~A12_FileLock() override { std::filesystem::remove_all(directory_); }
    World& world() { return world_.world(); }
    const std::filesystem::path directory_ =
        std::filesystem::temp_directory_path() / ("file_lock_" + std::to_string(getpid()));
    const std::string path_ = directory_ / "lock";
};

TEST_F(A12_FileLock, waits_until_the_holder_lets_go) {
    Deferred<FileLock> first = FileLock::acquire(world(), path_);
    ASSERT_TRUE(world_.advance(50ms));
    FileLock held = value_of(first);
    Deferred<FileLock> second = FileLock::acquire(world(), path_);
    ASSERT_TRUE(world_.advance(5s));
    EXPECT_TRUE(pending(second));
    held.release();
    ASSERT_TRUE(world_.advance(1s));
    EXPECT_TRUE(value_of(second).held());
}

TEST_F(A12_FileLock, names_the_holder_when_the_time_is_over_and_can_be_cancelled) {
    base::Result<FileLock> held = FileLock::try_acquire(path_);
    ASSERT_TRUE(held);
    Deferred<FileLock> late = FileLock::acquire(world(), path_, {.timeout = 1s});
    Deferred<FileLock> cancelled = FileLock::acquire(world(), path_);
    ASSERT_TRUE(world_.advance(500ms));
    cancelled.cancel();
    ASSERT_TRUE(world_.advance(2s));
    EXPECT_EQ(failure_of(late).message(),
              "busy: " + path_ + " is locked by process " + std::to_string(getpid()));
    EXPECT_EQ(failure_of(cancelled).code(), Errc::cancelled);
    Deferred<FileLock> nowhere = FileLock::acquire(world(), directory_ / "no" / "lock");
    ASSERT_TRUE(world_.advance(1s));
    EXPECT_EQ(failure_of(nowhere).code(), Errc::not_found);
}

}  // namespace
}  // namespace reactor
