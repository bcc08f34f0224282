// The timer wheel: arming, re-arming, cancelling, firing.
#include "allocations.h"
#include "reactor/timers.h"

#include <benchmark/benchmark.h>

#include <random>
#include <vector>

namespace reactor {
namespace {

class IdleTimer final : public Timer {
    void on_expired() override {}
};

constexpr std::int64_t kFiveMinutes = 300'000'000'000;

/// Deadlines and an order of timers, drawn beforehand.
struct Plan {
    explicit Plan(std::size_t timers, std::int64_t horizon = kFiveMinutes) {
        std::mt19937_64 random(1);
        for (int i = 0; i < 4096; ++i) {
            deadlines.push_back(
                {static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(horizon))});
            order.push_back(static_cast<std::uint32_t>(random() % timers));
        }
    }
    std::vector<base::MonotonicTime> deadlines;
    std::vector<std::uint32_t> order;
};

void timer_rearm(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    TimerWheel wheel({0});
    std::vector<IdleTimer> timers(count);
    const Plan plan(count);
    for (std::size_t i = 0; i < count; ++i)
        timers[i].arm(wheel, plan.deadlines[i % plan.deadlines.size()]);
    std::size_t at = 0;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        at = (at + 1) % plan.order.size();
        timers[plan.order[at]].arm(wheel, plan.deadlines[at]);
    }
}
BENCHMARK(timer_rearm)->Arg(1000)->Arg(100'000);

void timer_arm_and_cancel(benchmark::State& state) {
    TimerWheel wheel({0});
    IdleTimer timer;
    const Plan plan(1);
    std::size_t at = 0;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        at = (at + 1) % plan.deadlines.size();
        timer.arm(wheel, plan.deadlines[at]);
        timer.cancel();
    }
}
BENCHMARK(timer_arm_and_cancel);

// Per timer: armed for some time of the next second, cascaded, fired by a loop that wakes up every
// millisecond.
void timer_arm_and_fire(benchmark::State& state) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    constexpr std::int64_t kTick = 1'000'000;
    const auto count = static_cast<std::size_t>(state.range(0));
    const Plan plan(count, kSecond);
    TimerWheel wheel({0});
    std::vector<IdleTimer> timers(count);
    std::int64_t now = 0;
    const bench::CountAllocations counting(state, state.range(0));
    for (auto _ : state) {
        for (std::size_t i = 0; i < count; ++i)
            timers[i].arm(wheel, {now + plan.deadlines[i % plan.deadlines.size()].nanoseconds});
        for (const std::int64_t end = now + kSecond + kTick; now < end; now += kTick)
            wheel.expire({now});
    }
    if (wheel.size() != 0) std::abort();
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(timer_arm_and_fire)->Arg(10'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace reactor
