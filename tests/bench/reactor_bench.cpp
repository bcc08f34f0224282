// The loop and the ways between threads: turns, deferred calls, mail between shards, the pool.
#include "allocations.h"
#include "reactor/mailboxes.h"
#include "reactor/reactor.h"
#include "reactor/real_world.h"

#include <benchmark/benchmark.h>

#include <optional>

namespace reactor {
namespace {

void turn_without_polling(benchmark::State& state) {
    RealClock clock;
    Reactor reactor(clock);
    const bench::CountAllocations counting(state);
    for (auto _ : state)
        reactor.run_turn(false);
}
BENCHMARK(turn_without_polling);

void turn_with_polling(benchmark::State& state) {
    RealClock clock;
    Reactor reactor(clock);
    reactor.run_turn(true);
    const bench::CountAllocations counting(state);
    for (auto _ : state)
        reactor.run_turn(true);
}
BENCHMARK(turn_with_polling);

void soon(benchmark::State& state) {
    RealClock clock;
    Reactor reactor(clock);
    int calls = 0;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        reactor.soon([&calls] { ++calls; });
        reactor.ready_queue().run(1);
    }
}
BENCHMARK(soon);

void mail_push_and_pop(benchmark::State& state) {
    MailRing ring;
    int calls = 0;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        base::UniqueFunction<void()> call = [&calls] { ++calls; };
        ring.push(call);
        ring.pop()();
    }
}
BENCHMARK(mail_push_and_pop);

/// Two shards; `work` runs on the first and ends the run when it settles.
void on_two_shards(benchmark::State& state,
                   Deferred<> (*work)(benchmark::State& state, RealShards& shards)) {
    RealShardsOptions options;
    options.count = 2;
    RealShards shards(options, base::Log::silent(), {});
    std::optional<Deferred<>> working;
    shards.run(
        [&](ShardId id) {
            if (id == 0) working = work(state, shards);
        },
        [&](ShardId id) {
            if (id == 0) working.reset();
        });
}

// One question after the other to a shard on another thread, both asleep in between.
Deferred<> ask_one_by_one(benchmark::State& state, RealShards& shards) {
    {
        const bench::CountAllocations counting(state);
        for (auto _ : state)
            co_await shards.run_on(1, [] {});
    }
    shards.stop();
    co_return {};
}
void round_trip_between_shards(benchmark::State& state) {
    on_two_shards(state, ask_one_by_one);
}
BENCHMARK(round_trip_between_shards)->UseRealTime();

// Calls in batches that fill half the mailbox, as a busy router sends them; per call.
constexpr std::int64_t kBatch = Shards::kMailboxMax / 2;

Deferred<> post_batches(benchmark::State& state, RealShards& shards) {
    std::uint64_t arrived = 0;  // Of the other shard, until it has answered.
    {
        const bench::CountAllocations counting(state, kBatch);
        for (auto _ : state) {
            for (std::int64_t i = 1; i < kBatch; ++i)
                if (!shards.post(1, [&arrived] { ++arrived; })) std::abort();
            co_await shards.run_on(1, [] {});
        }
    }
    state.SetItemsProcessed(state.iterations() * kBatch);
    benchmark::DoNotOptimize(arrived);
    shards.stop();
    co_return {};
}
void post_between_shards_512(benchmark::State& state) {
    on_two_shards(state, post_batches);
}
BENCHMARK(post_between_shards_512)->UseRealTime()->Unit(benchmark::kMicrosecond);

Deferred<> ask_pool(benchmark::State& state, ThreadPool& pool, Reactor& reactor) {
    {
        const bench::CountAllocations counting(state);
        for (auto _ : state)
            co_await pool.run(WorkClass::misc, [] {});
    }
    reactor.stop();
    co_return {};
}
void pool_round_trip(benchmark::State& state) {
    RealClock clock;
    Reactor reactor(clock);
    ThreadPool pool({});
    std::optional<Deferred<>> asking;
    reactor.soon([&] { asking = ask_pool(state, pool, reactor); });
    reactor.run();
}
BENCHMARK(pool_round_trip)->UseRealTime();

}  // namespace
}  // namespace reactor
