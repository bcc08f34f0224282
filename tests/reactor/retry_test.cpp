// Backoff's schedule and retry's decisions, on virtual time.
#include "reactor/retry.h"

#include "reactor/combine.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Backoff kPlain{.initial = milliseconds(100),
                         .max = seconds(1),
                         .factor = 2.0,
                         .jitter = 0.0,
                         .attempts_max = 6};

bool always(const base::Failure&) {
    return true;
}

TEST(Backoff, grows_to_its_maximum) {
    SeededEntropy entropy(1, 1);
    std::vector<base::Duration> waits;
    for (std::uint32_t attempt = 1; attempt <= 6; ++attempt)
        waits.push_back(kPlain.wait_after(attempt, entropy));
    EXPECT_EQ(waits,
              (std::vector<base::Duration>{milliseconds(100), milliseconds(200), milliseconds(400),
                                           milliseconds(800), seconds(1), seconds(1)}));
    EXPECT_EQ(kPlain.wait_after(4'000'000'000, entropy), seconds(1)) << "no overflow";
}

TEST(Backoff, jitter_takes_away_up_to_its_share) {
    SeededEntropy entropy(1, 1);
    Backoff backoff = kPlain;
    backoff.jitter = 0.5;
    base::Duration least = seconds(1);
    base::Duration most{};
    for (int i = 0; i < 2000; ++i) {
        const base::Duration wait = backoff.wait_after(1, entropy);
        least = std::min(least, wait);
        most = std::max(most, wait);
    }
    EXPECT_GE(least, milliseconds(50));
    EXPECT_LT(least, milliseconds(52));
    EXPECT_LE(most, milliseconds(100));
    EXPECT_GT(most, milliseconds(98));
}

class RetryTest : public testing::Test {
protected:
    template <class Function>
    auto start(Function function) {
        return world_.on(world_.world(), function);
    }
    SimWorld world_{SimOptions{}};
    std::vector<std::int64_t> times_;
    const base::MonotonicTime begin_ = world_.now();
    void note() {
        times_.push_back(std::chrono::duration_cast<milliseconds>(world_.now() - begin_).count());
    }
};

TEST_F(RetryTest, tries_on_the_schedule_until_it_succeeds) {
    Deferred<int> result = start([this] {
        return retry(
            world_.world(), kPlain,
            [this]() -> Deferred<int> {
                note();
                if (times_.size() < 4) return Errc::busy;
                return 7;
            },
            always);
    });
    EXPECT_TRUE(world_.advance(seconds(10)));
    EXPECT_EQ(test::value_of(result), 7);
    EXPECT_EQ(times_, (std::vector<std::int64_t>{0, 100, 300, 700}));
}

TEST_F(RetryTest, gives_up_after_the_last_attempt) {
    Deferred<> result = start([this] {
        return retry(
            world_.world(), kPlain,
            [this]() -> Deferred<> {
                note();
                return Errc::busy;
            },
            always);
    });
    EXPECT_TRUE(world_.advance(seconds(60)));
    EXPECT_EQ(test::failure_of(result).code(), Errc::busy);
    EXPECT_EQ(times_.size(), kPlain.attempts_max);
}

TEST_F(RetryTest, does_not_repeat_what_is_not_transient) {
    Deferred<> result = start([this] {
        return retry(
            world_.world(), kPlain,
            [this]() -> Deferred<> {
                note();
                return times_.size() == 2 ? Errc::corrupt : Errc::busy;
            },
            [](const base::Failure& failure) { return failure.is(Errc::busy); });
    });
    EXPECT_TRUE(world_.advance(seconds(60)));
    EXPECT_EQ(test::failure_of(result).code(), Errc::corrupt);
    EXPECT_EQ(times_.size(), 2u);
}

TEST_F(RetryTest, cancelling_ends_the_wait_and_the_attempt) {
    Promise<> attempt;
    bool first = true;
    auto begin = [&] {
        return start([&] {
            return retry(
                world_.world(), kPlain,
                [&]() -> Deferred<> {
                    note();
                    if (std::exchange(first, false)) return attempt.deferred();
                    return Errc::busy;
                },
                always);
        });
    };
    Deferred<> in_attempt = begin();
    in_attempt.cancel();
    EXPECT_FALSE(attempt.wanted());
    EXPECT_EQ(test::failure_of(in_attempt).code(), Errc::cancelled);
    Deferred<> in_wait = begin();
    EXPECT_TRUE(world_.advance(milliseconds(50)));
    in_wait.cancel();
    EXPECT_TRUE(world_.advance(seconds(60)));
    EXPECT_EQ(test::failure_of(in_wait).code(), Errc::cancelled);
    EXPECT_EQ(times_.size(), 2u);
}

TEST_F(RetryTest, with_timeout_cancels_the_work_and_not_only_the_wait) {
    Promise<int> work;
    Deferred<int> limited = start(
        [&] { return with_timeout(world_.world().reactor, work.deferred(), milliseconds(100)); });
    EXPECT_TRUE(world_.advance(milliseconds(99)));
    EXPECT_TRUE(work.wanted());
    EXPECT_TRUE(world_.advance(milliseconds(1)));
    EXPECT_FALSE(work.wanted());
    EXPECT_EQ(test::failure_of(limited).code(), Errc::timed_out);
}

TEST_F(RetryTest, with_timeout_passes_on_results_failures_and_cancellations) {
    Reactor& reactor = world_.world().reactor;
    Promise<int> first;
    Promise<int> second;
    Promise<int> third;
    Deferred<int> value = with_timeout(reactor, first.deferred(), seconds(1));
    Deferred<int> failure = with_timeout(reactor, second.deferred(), seconds(1));
    Deferred<int> cancelled = with_timeout(reactor, third.deferred(), seconds(1));
    first.resolve(1);
    second.fail(Errc::busy);
    cancelled.cancel();
    EXPECT_EQ(test::value_of(value), 1);
    EXPECT_EQ(test::failure_of(failure).code(), Errc::busy);
    EXPECT_EQ(test::failure_of(cancelled).code(), Errc::cancelled);
    EXPECT_EQ(reactor.wheel().size(), 0u) << "the limit is disarmed";
    EXPECT_EQ(test::value_of(with_timeout(reactor, ready(2), seconds(1))), 2);
}

TEST_F(RetryTest, with_timeout_waits_for_clean_up) {
    Reactor& reactor = world_.world().reactor;
    auto careful = [](Reactor& loop) -> Deferred<int> {
        (void)co_await sleep(loop, seconds(60)).as_result();
        co_await sleep(loop, milliseconds(50));
        co_return 5;
    };
    Deferred<int> limited =
        start([&] { return with_timeout(reactor, careful(reactor), milliseconds(100)); });
    EXPECT_TRUE(world_.advance(milliseconds(120)));
    EXPECT_FALSE(limited.settled());
    EXPECT_TRUE(world_.advance(milliseconds(40)));
    EXPECT_EQ(test::value_of(limited), 5);
}

}  // namespace
}  // namespace reactor
