// Histogram: durations counted in buckets of at most 1 % width, from 1 µs to an hour, in a fixed
// 20-odd KB: recording is a few instructions, and histograms of several shards add up.
#pragma once

#include "reactor/base/clock.h"

#include <array>
#include <cstdint>
#include <vector>

namespace bots {

class Histogram {
public:
    Histogram();

    /// Below 1 µs counts as 1 µs, above an hour as an hour.
    void record(base::Duration value, std::uint64_t times = 1);
    void add(const Histogram& other);
    void clear();

    std::uint64_t count() const noexcept { return count_; }
    /// The value that `share` (0 to 1) of the records do not exceed, to within 1 %; 0 when empty.
    base::Duration percentile(double share) const;
    base::Duration max() const noexcept;
    base::Duration min() const noexcept;
    base::Duration mean() const;

    /// (upper bound, count) of each bucket that is not empty, ascending.
    struct Bucket {
        base::Duration up_to;
        std::uint64_t count;
    };
    std::vector<Bucket> buckets() const;

private:
    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    base::Duration sum_{};
    base::Duration max_{};
    base::Duration min_{};
};

}  // namespace bots
