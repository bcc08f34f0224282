// What the loop's primitives cost: timers, coroutines, continuations, turns, mail between shards.
// Figures, never limits: the budgets are in the design's table.
#include "reactor/combine.h"
#include "reactor/deferred.h"
#include "reactor/mailboxes.h"
#include "reactor/reactor.h"
#include "reactor/real_world.h"
#include "reactor/timers.h"

#include <benchmark/benchmark.h>

#include <random>
#include <vector>

namespace reactor {
namespace {

class IdleTimer final : public Timer {
    void on_expired() override {}
};

void timer_rearm(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    TimerWheel wheel({0});
    std::vector<IdleTimer> timers(count);
    std::mt19937_64 random(1);
    std::vector<base::MonotonicTime> deadlines(4096);
    for (auto& deadline : deadlines)
        deadline = {static_cast<std::int64_t>(random() % 300'000'000'000)};
    std::vector<std::uint32_t> order(4096);
    for (auto& index : order)
        index = static_cast<std::uint32_t>(random() % count);
    for (std::size_t i = 0; i < count; ++i)
        timers[i].arm(wheel, deadlines[i % deadlines.size()]);
    std::size_t at = 0;
    for (auto _ : state) {
        at = (at + 1) % order.size();
        timers[order[at]].arm(wheel, deadlines[at]);
    }
}
BENCHMARK(timer_rearm)->Arg(1000)->Arg(100'000);

Deferred<int> immediate(int value) {
    co_return value;
}

void coroutine_create_and_destroy(benchmark::State& state) {
    for (auto _ : state) {
        Deferred<int> deferred = immediate(1);
        benchmark::DoNotOptimize(deferred.take());
    }
}
BENCHMARK(coroutine_create_and_destroy);

void coroutine_await_of_a_finished_coroutine(benchmark::State& state) {
    auto loop = [](benchmark::State& run) -> Deferred<> {
        for (auto _ : run) {
            auto value = co_await immediate(1);
            benchmark::DoNotOptimize(value);
        }
        co_return {};
    };
    Deferred<> done = loop(state);
    while (!done.settled())
        ReadyQueue::current().run(1'000'000);
}
BENCHMARK(coroutine_await_of_a_finished_coroutine);

Deferred<int> wait_for(Deferred<int> value) {
    auto result = co_await std::move(value);
    co_return result;
}

void coroutine_suspend_resolve_resume(benchmark::State& state) {
    ReadyQueue& queue = ReadyQueue::current();
    for (auto _ : state) {
        Promise<int> promise;
        Deferred<int> waiting = wait_for(promise.deferred());
        promise.try_resolve(1);
        queue.run(100);
        benchmark::DoNotOptimize(waiting.take());
    }
}
BENCHMARK(coroutine_suspend_resolve_resume);

void then_on_a_pending_promise(benchmark::State& state) {
    ReadyQueue& queue = ReadyQueue::current();
    for (auto _ : state) {
        Promise<int> promise;
        Deferred<int> waiting = promise.deferred().then([](int value) { return value + 1; });
        promise.try_resolve(1);
        queue.run(100);
        benchmark::DoNotOptimize(waiting.take());
    }
}
BENCHMARK(then_on_a_pending_promise);

void turn_without_polling(benchmark::State& state) {
    RealClock clock;
    Reactor reactor(clock);
    for (auto _ : state)
        reactor.run_turn(false);
}
BENCHMARK(turn_without_polling);

void turn_with_polling(benchmark::State& state) {
    RealClock clock;
    Reactor reactor(clock);
    for (auto _ : state)
        reactor.run_turn(true);
}
BENCHMARK(turn_with_polling);

void soon(benchmark::State& state) {
    RealClock clock;
    Reactor reactor(clock);
    int calls = 0;
    for (auto _ : state) {
        reactor.soon([&calls] { ++calls; });
        reactor.ready_queue().run(1);
    }
}
BENCHMARK(soon);

void mail_push_and_pop(benchmark::State& state) {
    MailRing ring;
    int calls = 0;
    for (auto _ : state) {
        base::UniqueFunction<void()> call = [&calls] { ++calls; };
        ring.push(call);
        ring.pop()();
    }
}
BENCHMARK(mail_push_and_pop);

// One question after the other to a shard on another thread, both asleep in between.
void round_trip_between_shards(benchmark::State& state) {
    RealShardsOptions options;
    options.count = 2;
    RealShards shards(options, base::Log::silent(), {});
    std::optional<Deferred<>> asking;
    auto ask = [](benchmark::State& run, RealShards& all) -> Deferred<> {
        for (auto _ : run)
            co_await all.run_on(1, [] {});
        all.stop();
        co_return {};
    };
    shards.run(
        [&](ShardId id) {
            if (id == 0) asking = ask(state, shards);
        },
        [&](ShardId id) {
            if (id == 0) asking.reset();
        });
}
BENCHMARK(round_trip_between_shards)->UseRealTime();

void pool_round_trip(benchmark::State& state) {
    RealClock clock;
    Reactor reactor(clock);
    ThreadPool pool({});
    auto ask = [](benchmark::State& run, ThreadPool& work, Reactor& loop) -> Deferred<> {
        for (auto _ : run)
            co_await work.run(WorkClass::misc, [] {});
        loop.stop();
        co_return {};
    };
    std::optional<Deferred<>> asking;
    reactor.soon([&] { asking = ask(state, pool, reactor); });
    reactor.run();
}
BENCHMARK(pool_round_trip)->UseRealTime();

}  // namespace
}  // namespace reactor

BENCHMARK_MAIN();
