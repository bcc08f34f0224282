// Deferreds and coroutines: created, awaited, chained, resolved, dropped.
#include "allocations.h"
#include "reactor/combine.h"
#include "reactor/deferred.h"
#include "reactor/reactor.h"
#include "reactor/real_world.h"

#include <benchmark/benchmark.h>

#include <vector>

namespace reactor {
namespace {

Deferred<int> immediate(int value) {
    co_return value;
}

void coroutine_create_and_destroy(benchmark::State& state) {
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        Deferred<int> deferred = immediate(1);
        benchmark::DoNotOptimize(deferred.take());
    }
}
BENCHMARK(coroutine_create_and_destroy);

void coroutine_await_of_a_finished_coroutine(benchmark::State& state) {
    auto loop = [](benchmark::State& run) -> Deferred<> {
        const bench::CountAllocations counting(run);
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
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        Promise<int> promise;
        Deferred<int> waiting = wait_for(promise.deferred());
        promise.try_resolve(1);
        queue.run(100);
        benchmark::DoNotOptimize(waiting.take());
    }
}
BENCHMARK(coroutine_suspend_resolve_resume);

void promise_resolve_and_take(benchmark::State& state) {
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        Promise<int> promise;
        Deferred<int> waiting = promise.deferred();
        promise.try_resolve(1);
        benchmark::DoNotOptimize(waiting.take());
    }
}
BENCHMARK(promise_resolve_and_take);

void promise_with_a_canceller_dropped(benchmark::State& state) {
    int withdrawn = 0;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        Promise<int> promise;
        const Deferred<int> waiting = promise.deferred([&withdrawn] { ++withdrawn; });
    }
    benchmark::DoNotOptimize(withdrawn);
}
BENCHMARK(promise_with_a_canceller_dropped);

// `then` so many times on a pending promise, then resolved.
void then_chain(benchmark::State& state) {
    ReadyQueue& queue = ReadyQueue::current();
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        Promise<int> promise;
        Deferred<int> waiting = promise.deferred();
        for (std::int64_t i = 0; i < state.range(0); ++i)
            waiting = std::move(waiting).then([](int value) { return value + 1; });
        promise.try_resolve(1);
        queue.run(1000);
        benchmark::DoNotOptimize(waiting.take());
    }
}
BENCHMARK(then_chain)->Arg(1)->Arg(8);

void failure_through_a_chain_of_8(benchmark::State& state) {
    ReadyQueue& queue = ReadyQueue::current();
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        Promise<int> promise;
        Deferred<int> waiting = promise.deferred();
        for (int i = 0; i < 8; ++i)
            waiting = std::move(waiting).then([](int value) { return value + 1; });
        promise.fail(base::Errc::closed);
        queue.run(1000);
        benchmark::DoNotOptimize(waiting.take());
    }
}
BENCHMARK(failure_through_a_chain_of_8);

void when_all_of_8(benchmark::State& state) {
    ReadyQueue& queue = ReadyQueue::current();
    std::vector<Promise<int>> promises;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        promises.clear();
        std::vector<Deferred<int>> parts;
        parts.reserve(8);
        for (int i = 0; i < 8; ++i)
            parts.push_back(promises.emplace_back().deferred());
        Deferred<std::vector<int>> all = when_all(std::move(parts));
        for (Promise<int>& promise : promises)
            promise.try_resolve(1);
        queue.run(1000);
        benchmark::DoNotOptimize(all.take());
    }
}
BENCHMARK(when_all_of_8);

void timeout_that_is_not_needed(benchmark::State& state) {
    RealClock clock;
    Reactor reactor(clock);
    const Reactor::Scope scope(reactor);
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        Promise<int> promise;
        Deferred<int> waiting = with_timeout(reactor, promise.deferred(), std::chrono::seconds(30));
        promise.try_resolve(1);
        reactor.ready_queue().run(100);
        benchmark::DoNotOptimize(waiting.take());
    }
}
BENCHMARK(timeout_that_is_not_needed);

}  // namespace
}  // namespace reactor
