// For the tests of whole runs: whether a server that sins is found out.
#pragma once

#include "tests/sim/run.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace sim {

inline bool complains(const RunReport& report, std::string_view words) {
    return std::ranges::any_of(report.violations,
                               [&](const std::string& line) { return line.contains(words); });
}

/// Whether a run complains so; with seeds from 1 on, at most twenty.
inline bool is_found_out(RunOptions options, std::string_view words) {
    for (options.seed = 1; options.seed <= 20; ++options.seed)
        if (complains(run(options), words)) return true;
    return false;
}

}  // namespace sim
