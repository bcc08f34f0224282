#include "tests/bots/workload/pacer.h"

#include "reactor/reactor.h"
#include "reactor/sim/sim_world.h"

#include <gtest/gtest.h>
#include <vector>

namespace bots {
namespace {

using namespace std::chrono_literals;
using base::MonotonicTime;

struct Event {
    MonotonicTime intended;
    MonotonicTime sent;
};

class PacerTest : public testing::Test {
protected:
    RunTimes times(base::Duration length) {
        const MonotonicTime start = sim.now() + 10ms;
        return {start, start, start + length};
    }
    std::unique_ptr<Pacer> pacer(std::uint64_t rate, base::Duration grace = 1s) {
        return std::make_unique<Pacer>(
            Pacer::Parts{sim.world(), make_alarm, rate, Turns(10, 0, 1), grace},
            [this](const Turns::Turn&, MonotonicTime intended) {
                if (sim.now() < stalled_until) return Pacer::Sent::later;
                sent.push_back({intended, sim.now()});
                return Pacer::Sent::yes;
            },
            [this](const Turns::Turn&, MonotonicTime intended) { given_up.push_back(intended); });
    }
    void run(Pacer& what, RunTimes when) {
        sim.on(sim.world(), [&] {
            auto running = what.run(when);
            if (!sim.run_until([&] { return running.settled(); }, 1min)) FAIL() << "it never ends";
            EXPECT_TRUE(running.take());
        });
    }

    reactor::SimWorld sim{reactor::SimOptions{}};
    MakeAlarm make_alarm = make_wheel_alarm;
    MonotonicTime stalled_until;
    std::vector<Event> sent;
    std::vector<MonotonicTime> given_up;
};

TEST_F(PacerTest, sends_all_that_is_due_before_the_end_and_nothing_after) {
    const RunTimes when = times(2s);
    auto paced = pacer(100);
    run(*paced, when);
    ASSERT_EQ(sent.size(), 200U);
    EXPECT_EQ(sent.front().intended, when.start);
    EXPECT_EQ(sent.back().intended, when.end - 10ms);
    for (const Event& event : sent)
        EXPECT_LE(event.sent - event.intended, 1ms);
    EXPECT_EQ(sim.now(), when.end);
}

TEST_F(PacerTest, sends_late_what_it_could_not_send_with_the_time_at_which_it_was_due) {
    const RunTimes when = times(2s);
    stalled_until = when.start + 1s;
    auto paced = pacer(100);
    run(*paced, when);
    ASSERT_EQ(sent.size(), 200U);
    for (std::size_t index = 0; index < sent.size(); ++index)
        EXPECT_EQ(sent[index].intended, when.start + 10ms * index);
    EXPECT_GE(sent.front().sent - sent.front().intended, 1s);
    EXPECT_LE(sent.back().sent - sent.back().intended, 1ms);
    EXPECT_TRUE(given_up.empty());
}

TEST_F(PacerTest, gives_up_what_is_late_by_more_than_the_grace) {
    const RunTimes when = times(1s);
    stalled_until = when.end + 1h;
    auto paced = pacer(100, 500ms);
    run(*paced, when);
    EXPECT_TRUE(sent.empty());
    ASSERT_EQ(given_up.size(), 100U);
    EXPECT_EQ(given_up.front(), when.start);
    EXPECT_GE(sim.now(), when.end + 500ms);
}

TEST_F(PacerTest, keeps_up_with_a_rate_beyond_its_alarm) {
    const RunTimes when = times(1s);
    auto paced = pacer(100'000);
    run(*paced, when);
    EXPECT_EQ(sent.size(), 100'000U);
}

TEST_F(PacerTest, stops_when_it_is_cancelled) {
    const RunTimes when = times(10s);
    auto paced = pacer(100);
    auto running = sim.on(sim.world(), [&] { return paced->run(when); });
    sim.advance(1s);
    const std::size_t before = sent.size();
    EXPECT_GT(before, 90U);
    sim.on(sim.world(), [&] { running.cancel(); });
    sim.advance(10s);
    EXPECT_EQ(sent.size(), before);
    EXPECT_TRUE(running.settled());
    sim.on(sim.world(), [&] { EXPECT_TRUE(running.take().error().is(base::Errc::cancelled)); });
    paced.reset();
}

}  // namespace
}  // namespace bots
