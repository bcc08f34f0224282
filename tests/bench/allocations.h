// Counts heap allocations while a benchmark runs: malloc and its kin are replaced for the whole
// program, so that what expat, SQLite and OpenSSL allocate counts like `new`.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace bench {

/// Allocations so far, of all threads together.
std::uint64_t allocations() noexcept;

/// From here to its destruction, per iteration, as the counter "allocs". Make it right before the
/// loop: what is destroyed after it does not count.
class CountAllocations {
public:
    /// `per_iteration`: operations that one iteration stands for.
    explicit CountAllocations(benchmark::State& state, std::int64_t per_iteration = 1)
        : state_(state), per_iteration_(per_iteration), before_(allocations()) {}
    CountAllocations(const CountAllocations&) = delete;
    CountAllocations& operator=(const CountAllocations&) = delete;
    /// So many of them belong to something that is not measured.
    void leave_out(std::uint64_t count) noexcept { before_ += count; }
    ~CountAllocations() {
        const auto count = static_cast<double>(allocations() - before_);
        state_.counters["allocs"] = benchmark::Counter(count / static_cast<double>(per_iteration_),
                                                       benchmark::Counter::kAvgIterations);
    }

private:
    benchmark::State& state_;
    std::int64_t per_iteration_;
    std::uint64_t before_;
};

}  // namespace bench
