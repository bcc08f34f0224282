// Sampler: turns counters that only grow into the points of the plots: rates, shares of a core and
// latencies of each interval. Reads no clock: the runner says what time it is.
#pragma once

#include "reactor/base/clock.h"
#include "tests/bots/measure/histogram.h"
#include "tests/bots/measure/process_usage.h"
#include "tests/bots/measure/run_result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace bots {

/// All shards together, since the run began.
struct Counters {
    std::uint32_t online = 0;  ///< Now.
    std::uint64_t messages_received = 0;
    std::uint64_t logins = 0;
    double bots_cpu_s = 0;
    std::optional<ProcessUsage> server{};
};

/// Between 1 s and what keeps a run within a thousand points.
base::Duration sample_interval_for(base::Duration run);

class Sampler {
public:
    /// Points kept; past it every second one is dropped, and from then on only every second `take`
    /// is kept, so that a run of unknown length stays bounded.
    static constexpr std::size_t kSamplesMax = 2000;

    /// `start`: of the run; samples carry their distance from it.
    Sampler(base::MonotonicTime start, const Counters& counters);

    /// `latency` is everything recorded so far. The interval's sample, for the progress line.
    Sample take(base::MonotonicTime now, const Counters& counters, const Histogram& latency);

    const std::vector<Sample>& samples() const noexcept { return samples_; }
    std::vector<Sample> release() { return std::move(samples_); }

private:
    void keep(const Sample& sample);

    base::MonotonicTime start_;
    base::MonotonicTime before_at_;
    Counters before_;
    Histogram latency_before_;
    std::vector<Sample> samples_;
    std::size_t stride_ = 1;  // Of so many takes one is kept.
    std::size_t taken_ = 0;
};

}  // namespace bots
