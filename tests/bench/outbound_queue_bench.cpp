// OutboundQueue: stanzas queued for one client and written to a connection that takes them.
#include "allocations.h"
#include "null_stream.h"
#include "reactor/outbound_buffer.h"

#include <benchmark/benchmark.h>

#include <string>

namespace reactor {
namespace {

constexpr std::size_t kStanzaBytes = 400;
constexpr std::size_t kLargeBytes = 4000;

// One stanza a turn: an idle queue gets bytes, is flushed and idle again.
void queue_one_and_flush(benchmark::State& state) {
    const std::string stanza(kStanzaBytes, 'x');
    bench::NullStream stream;
    OutboundQueue queue;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        queue.append(stanza);
        benchmark::DoNotOptimize(queue.flush(stream));
    }
}
BENCHMARK(queue_one_and_flush);

void queue_32_and_flush(benchmark::State& state) {
    const std::string stanza(kStanzaBytes, 'x');
    bench::NullStream stream;
    OutboundQueue queue;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        for (int i = 0; i < 32; ++i)
            queue.append(stanza);
        benchmark::DoNotOptimize(queue.flush(stream));
    }
    state.SetItemsProcessed(state.iterations() * 32);
}
BENCHMARK(queue_32_and_flush);

// A start tag of its own and content that all recipients share.
void queue_shared_content_and_flush(benchmark::State& state) {
    const std::string start_tag(100, 'x');
    const base::SharedBytes content(std::string(kLargeBytes, 'x'));
    bench::NullStream stream;
    OutboundQueue queue;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        queue.append(start_tag);
        queue.append(content);
        benchmark::DoNotOptimize(queue.flush(stream));
    }
}
BENCHMARK(queue_shared_content_and_flush);

// A slow reader takes 1,000 bytes at a time of 32 stanzas.
void queue_32_and_flush_slowly(benchmark::State& state) {
    const std::string stanza(kStanzaBytes, 'x');
    bench::NullStream stream(1000);
    OutboundQueue queue;
    const bench::CountAllocations counting(state);
    for (auto _ : state) {
        for (int i = 0; i < 32; ++i)
            queue.append(stanza);
        while (!queue.empty())
            benchmark::DoNotOptimize(queue.flush(stream));
    }
    state.SetItemsProcessed(state.iterations() * 32);
}
BENCHMARK(queue_32_and_flush_slowly);

}  // namespace
}  // namespace reactor
