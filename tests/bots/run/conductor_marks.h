// What the conductor passes between its sources: looks at the shards and figures at the borders of
// phases. Private to them.
#pragma once

#include "tests/bots/run/conductor.h"

namespace bots {

/// One look at all shards: for the progress line and for borders.
struct Conductor::Snapshot {
    Tallies tallies;
    Tally messages;
    Histogram latency;
};

/// All that a shard has at the end.
struct Conductor::Report {
    Ledger ledger;
    Histogram latency;
    Histogram login_latency;
    Tallies tallies;
    Extras extras;
};

/// Figures at the borders of phases.
struct Conductor::Marks {
    std::optional<ProcessUsage> server_before;  // Before the first login.
    std::optional<ProcessUsage> server_after;   // When the measured phase had ended.
    base::Duration ramp_took{};
    std::uint64_t ramp_logins = 0;
    double ramp_server_cpu_s = 0;
    std::optional<base::MonotonicTime> began;  // Of the measured phase.
    std::optional<base::MonotonicTime> ended;
    double own_cpu_s = 0;  // At its beginning, then in it.
    double server_cpu_s = 0;
    std::uint64_t logins = 0;  // In the measured phase.
    std::uint32_t online = 0;  // At its end.
};

}  // namespace bots
