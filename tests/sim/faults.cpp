#include "tests/sim/faults.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace sim {
namespace {

using namespace std::chrono_literals;

struct Kind {
    std::string_view name;
    base::Duration every;  ///< On average, where it happens seldom.
    base::Duration lasts_min;
    base::Duration lasts_max;
};

constexpr std::array<Kind, kFaultKinds> kKinds{{
    {"reset", 6s, 0s, 0s},
    {"silence", 20s, 1s, 90s},
    {"latency", 30s, 1s, 20s},
    {"write", 10s, 0s, 0s},
    {"commit", 12s, 0s, 0s},
    {"read", 15s, 0s, 0s},
    {"slow_disk", 20s, 1s, 15s},
    {"full_disk", 40s, 1s, 20s},
    {"restart", 35s, 0s, 8s},
    {"kill", 35s, 0s, 10s},
    {"power", 40s, 0s, 20s},
    {"clock", 30s, 0s, 0s},
}};

const Kind& about(FaultKind kind) {
    return kKinds[static_cast<std::size_t>(kind)];
}

}  // namespace

std::string_view name_of(FaultKind kind) {
    return about(kind).name;
}

std::optional<FaultSet> parse_faults(std::string_view names) {
    if (names == "all") return kAllFaults;
    FaultSet set = 0;
    if (names == "none") return set;
    while (!names.empty()) {
        const std::size_t comma = std::min(names.find(','), names.size());
        const std::string_view name = names.substr(0, comma);
        const auto found = std::ranges::find(kKinds, name, &Kind::name);
        if (found == kKinds.end()) return std::nullopt;
        set |= FaultSet{1} << static_cast<unsigned>(found - kKinds.begin());
        names.remove_prefix(std::min(comma + 1, names.size()));
    }
    return set;
}

std::vector<Fault> plan_faults(Chance& chance, FaultSet allowed, base::Duration time) {
    std::vector<Fault> plan;
    for (unsigned i = 0; i < kFaultKinds; ++i) {
        const auto kind = static_cast<FaultKind>(i);
        const bool chosen = chance.percent(45);
        const bool often = chance.percent(25);
        if (!contains(allowed, kind) || !chosen) continue;
        const base::Duration every = often ? about(kind).every / 4 : about(kind).every;
        for (base::Duration at{}; (at += chance.between(base::Duration(1ms), 2 * every)) < time;)
            plan.push_back({.after = at,
                            .kind = kind,
                            .lasts = chance.between(about(kind).lasts_min, about(kind).lasts_max),
                            .draw = chance.next()});
    }
    std::ranges::stable_sort(plan, {}, &Fault::after);
    return plan;
}

}  // namespace sim
