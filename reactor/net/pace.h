// Pace: a token bucket as one number (the generic cell rate algorithm), for one per connection. It
// says for how long to stop reading from somebody who is ahead of the permitted rate; nothing is
// lost, TCP slows the sender. For a stream that throttles itself see reactor/net/token_bucket.h.
#pragma once

#include "reactor/base/clock.h"

#include <algorithm>
#include <cstdint>

namespace reactor {

struct PaceLimit {
    std::uint64_t per_second = 1;
    std::uint64_t burst = 1;  ///< What may come at once after a rest.
};

class Pace {
public:
    /// Takes `count` units at `now`. Zero: within the limit. Else how long to wait until the bucket
    /// is level again.
    base::Duration take(const PaceLimit& limit, std::uint64_t count, base::MonotonicTime now) {
        const double nanoseconds_each = 1e9 / static_cast<double>(limit.per_second);
        const auto cost = static_cast<std::int64_t>(nanoseconds_each * static_cast<double>(count));
        const auto allowance =
            static_cast<std::int64_t>(nanoseconds_each * static_cast<double>(limit.burst));
        spent_until_ = std::max(spent_until_, now.nanoseconds) + cost;
        return base::Duration(
            std::max<std::int64_t>(0, spent_until_ - now.nanoseconds - allowance));
    }

    /// Whether `count` more are within the limit; takes them if so.
    bool try_take(const PaceLimit& limit, std::uint64_t count, base::MonotonicTime now) {
        const std::int64_t before = spent_until_;
        if (take(limit, count, now) == base::Duration::zero()) return true;
        spent_until_ = before;
        return false;
    }

    /// Nothing of the allowance is used.
    bool rested(base::MonotonicTime now) const { return spent_until_ <= now.nanoseconds; }

private:
    std::int64_t spent_until_ = 0;  // When all that was taken would have come at the steady rate.
};

}  // namespace reactor
