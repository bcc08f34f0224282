#include "reactor/retry.h"

#include <algorithm>
#include <cmath>

namespace reactor {

base::Duration Backoff::wait_after(std::uint32_t attempt, Entropy& entropy) const {
    const auto ceiling = static_cast<double>(max.count());
    const double grown =
        static_cast<double>(initial.count()) * std::pow(factor, attempt > 0 ? attempt - 1 : 0);
    const double wait = std::clamp(grown, 0.0, ceiling);
    // 53 random bits are a double in [0, 1).
    const double random = static_cast<double>(entropy.jitter() >> 11) * 0x1.0p-53;
    const double share = std::clamp(jitter, 0.0, 1.0);
    return base::Duration(static_cast<std::int64_t>(wait * (1.0 - share) + wait * share * random));
}

}  // namespace reactor
