// The real alarm, on the kernel's clock.
#include "tests/bots/run/alarm.h"

#include "reactor/reactor.h"
#include "tests/bots/run/real_run.h"

#include <gtest/gtest.h>
#include <chrono>
#include <vector>

namespace bots {
namespace {

using namespace std::chrono_literals;

TEST(ExactAlarm, rings_once_for_each_time_it_is_set_and_never_early) {
    RealRun real(1);
    std::vector<base::Duration> late;
    real.execute([&]() -> reactor::Deferred<void> {
        const reactor::Clock& clock = real.world().clock;
        base::MonotonicTime due = clock.monotonic() + 3ms;
        reactor::Promise<void> done;
        std::unique_ptr<Alarm> alarm;
        alarm = make_exact_alarm(real.world(), [&] {
            late.push_back(clock.monotonic() - due);
            if (late.size() == 5) return done.resolve();
            due = due + 1500us;
            alarm->set(due);
        });
        alarm->set(due - 1ms);
        alarm->set(due);
        auto ringing = done.deferred();
        co_await std::move(ringing);
        // One that is taken back does not ring.
        alarm->set(clock.monotonic() + 1ms);
        alarm->cancel();
        co_await reactor::sleep(real.world().reactor, 5ms);
        co_return {};
    });
    ASSERT_EQ(late.size(), 5U);
    for (const base::Duration each : late)
        EXPECT_GE(each, 0ns);
}

TEST(ExactAlarm, rings_at_once_for_a_time_that_has_passed) {
    RealRun real(1);
    bool rung = false;
    real.execute([&]() -> reactor::Deferred<void> {
        reactor::Promise<void> done;
        const auto alarm = make_exact_alarm(real.world(), [&] {
            rung = true;
            done.resolve();
        });
        alarm->set({});
        auto ringing = done.deferred();
        co_await std::move(ringing);
        co_return {};
    });
    EXPECT_TRUE(rung);
}

}  // namespace
}  // namespace bots
