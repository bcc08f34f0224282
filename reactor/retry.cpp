#include "reactor/retry.h"

#include <algorithm>
#include <cmath>

namespace reactor {

namespace {

// 53 random bits are a double in [0, 1).
double unit_random(Entropy& entropy) {
    return static_cast<double>(entropy.jitter() >> 11) * 0x1.0p-53;
}

}  // namespace

base::Duration Backoff::wait_after(std::uint32_t attempt, Entropy& entropy) const {
    const auto ceiling = static_cast<double>(max.count());
    const double grown =
        static_cast<double>(initial.count()) * std::pow(factor, attempt > 0 ? attempt - 1 : 0);
    const double wait = std::clamp(grown, 0.0, ceiling);
    const double random = unit_random(entropy);
    const double share = std::clamp(jitter, 0.0, 1.0);
    const double added =
        static_cast<double>(additive.count()) * (additive.count() > 0 ? unit_random(entropy) : 0.0);
    return base::Duration(
        static_cast<std::int64_t>(wait * (1.0 - share) + wait * share * random + added));
}

}  // namespace reactor
