// ProcessUsage: what processes use, read from /proc: the server's when its pids were given, and our
// own. Reads no clock that tells the time: CPU time is a figure of the process, and whoever wants a
// share of a core divides by the World's clock.
#pragma once

#include "reactor/base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bots {

struct ProcessUsage {
    double cpu_s = 0;  ///< User and system, of all threads, since each process began.
    std::uint64_t rss_bytes = 0;
    std::uint64_t pss_bytes = 0;  ///< 0 when not asked for or not permitted.
};

enum class UsageDetail : std::uint8_t {
    quick,  ///< CPU and RSS: cheap for us and for the process looked at.
    full,   ///< PSS as well: the kernel walks the process's pages and holds up its mmap calls for
            ///< milliseconds per GB, so not while latencies are measured.
};

/// Processes under observation, together. Notices that one is gone or that its pid was given to
/// another.
class ProcessWatch {
public:
    /// Failures: not_found (no such process), invalid_argument (no pid at all, below 1, or twice).
    static base::Result<ProcessWatch> open(std::span<const int> pids);

    /// The sum over all. Failures: not_found, "the process 123 (beam.smp) is gone".
    base::Result<ProcessUsage> read(UsageDetail detail);

    const std::vector<int>& pids() const noexcept { return pids_; }
    /// What could not be had, for the report ("PSS of 123 (beam.smp) is not ours to read: …");
    /// empty when nothing.
    const std::string& note() const noexcept { return note_; }

private:
    struct Identity {
        std::string name;
        std::uint64_t started_ticks = 0;  // Since boot: a pid that is used again has another.
    };

    std::vector<int> pids_;
    std::vector<Identity> identities_;
    std::string note_;
};

/// Of this process, PSS included when asked for. Cannot fail: what cannot be read is 0.
ProcessUsage own_usage(UsageDetail detail = UsageDetail::quick);

}  // namespace bots
