// TimerWheel: deadlines, order, cancellation, and a long random run against a plain sorted list.
#include "reactor/timers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace reactor {
namespace {

using base::Duration;
using base::MonotonicTime;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

static_assert(sizeof(Timer) <= 64);

constexpr MonotonicTime kStart{5'000'000'000};

class TimerWheelTest : public testing::Test {
protected:
    std::unique_ptr<CallbackTimer> noting(int number) {
        return std::make_unique<CallbackTimer>([this, number] { fired_.push_back(number); });
    }
    TimerWheel wheel_{kStart};
    std::vector<int> fired_;
};

TEST_F(TimerWheelTest, fires_at_the_deadline_and_not_before) {
    for (const Duration delay :
         {Duration(milliseconds(1)), Duration(milliseconds(63)), Duration(milliseconds(64)),
          Duration(milliseconds(4095)), Duration(milliseconds(4096)), Duration(seconds(3600)),
          Duration(hours(24 * 365))}) {
        TimerWheel wheel(kStart);
        auto timer = noting(1);
        timer->arm(wheel, kStart + delay);
        EXPECT_TRUE(timer->armed());
        EXPECT_EQ(wheel.expire(kStart + delay - Duration(1)), 0u);
        EXPECT_EQ(wheel.expire(kStart + delay), 1u);
        EXPECT_FALSE(timer->armed());
    }
}

TEST_F(TimerWheelTest, rounds_up_to_the_next_tick) {
    auto timer = noting(1);
    timer->arm(wheel_, kStart + microseconds(1));
    EXPECT_EQ(wheel_.expire(kStart + microseconds(999)), 0u);
    EXPECT_EQ(wheel_.expire(kStart + milliseconds(1)), 1u);
}

TEST_F(TimerWheelTest, a_deadline_in_the_past_fires_next_time) {
    auto timer = noting(1);
    timer->arm(wheel_, MonotonicTime{0});
    EXPECT_LE(*wheel_.next_wakeup(), kStart);
    EXPECT_EQ(wheel_.expire(kStart), 1u);
}

TEST_F(TimerWheelTest, what_is_armed_for_the_past_while_firing_waits_for_the_next_call) {
    int calls = 0;
    CallbackTimer* again = nullptr;
    CallbackTimer timer([&] {
        ++calls;
        again->arm(wheel_, kStart);
    });
    again = &timer;
    timer.arm(wheel_, kStart);
    EXPECT_EQ(wheel_.expire(kStart), 1u);
    EXPECT_EQ(wheel_.expire(kStart), 1u);
    EXPECT_EQ(calls, 2);
    timer.cancel();
}

TEST_F(TimerWheelTest, equal_deadlines_fire_in_arming_order_though_levels_differ) {
    const MonotonicTime deadline = kStart + milliseconds(5000);
    auto first = noting(1);
    auto second = noting(2);
    auto third = noting(3);
    first->arm(wheel_, deadline);
    wheel_.expire(kStart + milliseconds(4900));
    second->arm(wheel_, deadline);
    wheel_.expire(kStart + milliseconds(4999));
    third->arm(wheel_, deadline);
    wheel_.expire(kStart + seconds(6));
    EXPECT_EQ(fired_, (std::vector{1, 2, 3}));
}

TEST_F(TimerWheelTest, fires_in_order_of_deadline_when_much_time_passed) {
    std::vector<std::unique_ptr<CallbackTimer>> timers;
    for (const int delay : {70'000, 5, 64, 4096, 63, 300'000, 65})
        (timers.emplace_back(noting(delay)))->arm(wheel_, kStart + milliseconds(delay));
    wheel_.expire(kStart + hours(1));
    EXPECT_EQ(fired_, (std::vector{5, 63, 64, 65, 4096, 70'000, 300'000}));
    EXPECT_EQ(wheel_.size(), 0u);
    EXPECT_EQ(wheel_.next_wakeup(), std::nullopt);
}

TEST_F(TimerWheelTest, a_cancelled_or_destroyed_timer_does_not_fire) {
    auto cancelled = noting(1);
    auto destroyed = noting(2);
    cancelled->arm(wheel_, kStart + milliseconds(5));
    destroyed->arm(wheel_, kStart + milliseconds(5));
    cancelled->cancel();
    cancelled->cancel();
    destroyed.reset();
    EXPECT_EQ(wheel_.expire(kStart + seconds(1)), 0u);
}

TEST_F(TimerWheelTest, rearming_moves_the_deadline_both_ways) {
    auto timer = noting(1);
    timer->arm(wheel_, kStart + milliseconds(10));
    timer->arm(wheel_, kStart + milliseconds(500));
    EXPECT_EQ(wheel_.size(), 1u);
    EXPECT_EQ(wheel_.expire(kStart + milliseconds(499)), 0u);
    timer->arm(wheel_, kStart + milliseconds(501));
    EXPECT_EQ(timer->deadline(), kStart + milliseconds(501));
    EXPECT_EQ(wheel_.expire(kStart + milliseconds(501)), 1u);
}

TEST_F(TimerWheelTest, a_firing_timer_may_cancel_destroy_and_rearm_others_and_itself) {
    auto victim = noting(2);
    auto doomed = noting(3);
    auto later = noting(4);
    auto self = std::make_unique<std::unique_ptr<CallbackTimer>>();
    *self = std::make_unique<CallbackTimer>([&] {
        victim->cancel();
        doomed.reset();
        later->arm(wheel_, kStart + milliseconds(20));
        self->reset();
    });
    (*self)->arm(wheel_, kStart + milliseconds(5));
    victim->arm(wheel_, kStart + milliseconds(5));
    doomed->arm(wheel_, kStart + milliseconds(6));
    later->arm(wheel_, kStart + milliseconds(6));
    EXPECT_EQ(wheel_.expire(kStart + milliseconds(10)), 1u);
    EXPECT_EQ(wheel_.expire(kStart + milliseconds(20)), 1u);
    EXPECT_EQ(fired_, (std::vector{4}));
}

TEST_F(TimerWheelTest, a_callback_that_destroys_its_timer_keeps_what_it_captured) {
    std::unique_ptr<CallbackTimer> timer;
    std::string seen;
    timer = std::make_unique<CallbackTimer>(
        [&timer, &seen, text = std::string("captured, and long enough for the heap")] {
            timer.reset();
            seen = text;
        });
    timer->arm(wheel_, kStart);
    wheel_.expire(kStart);
    EXPECT_EQ(seen, "captured, and long enough for the heap");
}

TEST_F(TimerWheelTest, a_callback_is_kept_over_rearms_and_exceptions) {
    int calls = 0;
    CallbackTimer timer([&] {
        if (++calls == 1) throw std::runtime_error("oops");
    });
    timer.arm(wheel_, kStart);
    EXPECT_THROW(wheel_.expire(kStart), std::runtime_error);
    timer.arm(wheel_, kStart);
    wheel_.expire(kStart);
    EXPECT_EQ(calls, 2);
}

TEST_F(TimerWheelTest, goes_on_behind_a_timer_that_throws) {
    CallbackTimer thrower([] { throw std::runtime_error("oops"); });
    auto behind = noting(1);
    thrower.arm(wheel_, kStart);
    behind->arm(wheel_, kStart);
    EXPECT_THROW(wheel_.expire(kStart), std::runtime_error);
    EXPECT_EQ(wheel_.expire(kStart), 1u);
}

TEST_F(TimerWheelTest, takes_time_going_backwards_as_standing_still) {
    auto timer = noting(1);
    timer->arm(wheel_, kStart + milliseconds(10));
    wheel_.expire(kStart + milliseconds(9));
    EXPECT_EQ(wheel_.expire(kStart), 0u);
    EXPECT_EQ(wheel_.expire(kStart + milliseconds(10)), 1u);
}

TEST_F(TimerWheelTest, the_farthest_deadline_is_accepted) {
    auto timer = noting(1);
    timer->arm(wheel_, MonotonicTime{std::numeric_limits<std::int64_t>::max()});
    EXPECT_EQ(wheel_.expire(kStart + hours(24 * 365 * 50)), 0u);
    timer->cancel();
    EXPECT_EQ(wheel_.size(), 0u);
}

TEST(TimerWheelDeathTest, an_armed_timer_may_not_outlive_its_wheel) {
    CallbackTimer timer([] {});
    EXPECT_DEATH(
        {
            TimerWheel wheel(kStart);
            timer.arm(wheel, kStart + seconds(1));
        },
        "CHECK failed");
}

// The model: every armed timer with its tick, searched in full.
class Model {
public:
    struct Entry {
        std::int64_t tick;
        int timer;
    };
    void arm(int timer, MonotonicTime deadline) {
        cancel(timer);
        const std::int64_t tick = (deadline.nanoseconds + 999'999) / 1'000'000;
        entries_.push_back({tick, timer});
    }
    void cancel(int timer) {
        std::erase_if(entries_, [timer](const Entry& entry) { return entry.timer == timer; });
    }
    std::vector<int> expire(MonotonicTime now) {
        tick_ = std::max(tick_, now.nanoseconds / 1'000'000);
        std::vector<Entry> due;
        for (const Entry& entry : entries_)
            if (entry.tick <= tick_) due.push_back(entry);
        std::erase_if(entries_, [this](const Entry& entry) { return entry.tick <= tick_; });
        std::vector<int> timers;
        for (const Entry& entry : due)
            timers.push_back(entry.timer);
        return timers;
    }
    std::optional<std::int64_t> first_tick() const {
        std::optional<std::int64_t> first;
        for (const Entry& entry : entries_)
            if (!first || entry.tick < *first) first = entry.tick;
        return first;
    }
    std::size_t size() const { return entries_.size(); }

private:
    std::vector<Entry> entries_;
    std::int64_t tick_ = 0;
};

class Noter final : public Timer {
public:
    void on_expired() override { log->push_back({number, arming, deadline()}); }
    struct Fired {
        int number;
        std::uint64_t arming;
        MonotonicTime deadline;
    };
    std::vector<Fired>* log = nullptr;
    int number = 0;
    std::uint64_t arming = 0;
};

Duration random_delay(std::mt19937_64& random) {
    switch (random() % 5) {
        case 0:
            return Duration(static_cast<std::int64_t>(random() % 3'000'000));
        case 1:
            return milliseconds(random() % 70);
        case 2:
            return milliseconds(random() % 5'000);
        case 3:
            return milliseconds(random() % 300'000);
        default:
            return milliseconds(random() % 100'000'000);
    }
}

std::vector<int> numbers_of(const std::vector<Noter::Fired>& fired) {
    std::vector<int> numbers;
    for (const Noter::Fired& each : fired)
        numbers.push_back(each.number);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

// By the deadline's tick, then by arming.
bool in_order(const Noter::Fired& left, const Noter::Fired& right) {
    const auto tick = [](const Noter::Fired& each) {
        return (each.deadline.nanoseconds + 999'999) / 1'000'000;
    };
    return tick(left) < tick(right) || (tick(left) == tick(right) && left.arming < right.arming);
}

TEST(TimerWheelModel, agrees_with_a_plain_list_over_random_operations) {
    constexpr int kTimers = 64;
    constexpr int kOperations = 60'000;
    for (const std::uint64_t seed : {1u, 2u, 3u}) {
        std::mt19937_64 random(seed);
        MonotonicTime now = kStart;
        TimerWheel wheel(now);
        Model model;
        std::vector<Noter::Fired> fired;
        std::vector<Noter> timers(kTimers);
        std::uint64_t armings = 0;
        for (int i = 0; i < kTimers; ++i) {
            timers[static_cast<std::size_t>(i)].log = &fired;
            timers[static_cast<std::size_t>(i)].number = i;
        }
        for (int operation = 0; operation < kOperations; ++operation) {
            const int chosen = static_cast<int>(random() % kTimers);
            Noter& timer = timers[static_cast<std::size_t>(chosen)];
            const std::uint64_t kind = random() % 10;
            if (kind < 6) {
                const MonotonicTime deadline = now + random_delay(random);
                timer.arming = ++armings;
                timer.arm(wheel, deadline);
                model.arm(chosen, deadline);
            } else if (kind < 7) {
                timer.cancel();
                model.cancel(chosen);
            } else {
                now = now + random_delay(random);
                const auto wakeup = wheel.next_wakeup();
                const auto first = model.first_tick();
                ASSERT_EQ(wakeup.has_value(), first.has_value());
                if (first) {
                    ASSERT_LE(wakeup->nanoseconds, *first * 1'000'000);
                }
                fired.clear();
                wheel.expire(now);
                std::vector<int> expected = model.expire(now);
                std::sort(expected.begin(), expected.end());
                ASSERT_EQ(numbers_of(fired), expected);
                for (std::size_t i = 1; i < fired.size(); ++i)
                    ASSERT_TRUE(in_order(fired[i - 1], fired[i]));
            }
            ASSERT_EQ(wheel.size(), model.size());
        }
        for (Noter& timer : timers)
            timer.cancel();
    }
}

}  // namespace
}  // namespace reactor
