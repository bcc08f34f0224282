// What a shard's crew counts: for the progress line every second, and for the result at the end.
#pragma once

#include "tests/bots/measure/histogram.h"
#include "tests/bots/measure/ledger.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>

namespace bots {

/// How many of something came, and between when. Adds up over shards.
struct Stretch {
    std::uint64_t count = 0;
    base::MonotonicTime first = kNever;
    base::MonotonicTime last;

    /// 0 times: the stretch reaches to `at`, as when something began.
    void note(base::MonotonicTime at, std::uint64_t times = 1) {
        first = std::min(first, at);
        last = std::max(last, at);
        count += times;
    }
    void add(const Stretch& other) {
        first = std::min(first, other.first);
        last = std::max(last, other.last);
        count += other.count;
    }
    /// 0 when there is nothing to divide by.
    double per_second() const {
        if (last <= first) return 0;
        return static_cast<double>(count) * 1e9 / static_cast<double>((last - first).count());
    }

private:
    static constexpr base::MonotonicTime kNever{std::numeric_limits<std::int64_t>::max()};
};

/// Of a workload's own, by name ("stored", "reconnect"): they become "stored_per_s" and
/// "reconnect_p99_ms" in the result.
struct Extras {
    std::map<std::string, Stretch, std::less<>> stretches;
    std::map<std::string, Histogram, std::less<>> latencies;

    void add(const Extras& other) {
        for (const auto& [name, stretch] : other.stretches)
            stretches[name].add(stretch);
        for (const auto& [name, latency] : other.latencies)
            latencies[name].add(latency);
    }
};

struct Tallies {
    std::uint32_t online = 0;  ///< Now.
    std::uint64_t logins = 0;
    std::uint64_t logins_failed = 0;  ///< Attempts, also those that a later one made up for.
    std::uint64_t sessions_lost = 0;  ///< Ended by the server or the network.
    std::uint64_t stanzas_sent = 0;
    std::uint64_t stanzas_received = 0;
    std::uint64_t arrivals_measured = 0;  ///< Messages that came in the measured phase.
    std::map<std::string, std::uint64_t, std::less<>> errors;

    void add(const Tallies& other) {
        online += other.online;
        logins += other.logins;
        logins_failed += other.logins_failed;
        sessions_lost += other.sessions_lost;
        stanzas_sent += other.stanzas_sent;
        stanzas_received += other.stanzas_received;
        arrivals_measured += other.arrivals_measured;
        for (const auto& [what, count] : other.errors)
            errors[what] += count;
    }
};

}  // namespace bots
