// Histogram: durations counted in buckets of less than 1 % width (128 to each power of two), from
// 1 µs to an hour, in a fixed 32 KB: recording is a few instructions, and histograms of several
// shards add up.
#pragma once

#include "reactor/base/clock.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bots {

class Histogram {
public:
    static constexpr base::Duration kMin = std::chrono::microseconds(1);
    static constexpr base::Duration kMax = std::chrono::hours(1);

    Histogram();

    /// Below 1 µs counts as 1 µs, above an hour as an hour.
    void record(base::Duration value, std::uint64_t times = 1);
    void add(const Histogram& other);
    /// Takes an earlier state of this very histogram away: what was recorded since remains. Its
    /// least and greatest values are then known to the width of a bucket only.
    void subtract(const Histogram& earlier);
    void clear();

    std::uint64_t count() const noexcept { return count_; }
    /// The value that `share` (0 to 1) of the records do not exceed: less than 1 % above the true
    /// one, never below it and never above max(); 0 when empty.
    base::Duration percentile(double share) const;
    /// The share of records that are at most `value`, to the width of a bucket; 1 when empty.
    double share_up_to(base::Duration value) const;
    base::Duration max() const noexcept;
    base::Duration min() const noexcept;
    base::Duration mean() const;

    /// (upper bound, count) of each bucket that is not empty, ascending.
    struct Bucket {
        base::Duration up_to;
        std::uint64_t count;
        friend bool operator==(const Bucket&, const Bucket&) = default;
    };
    std::vector<Bucket> buckets() const;
    /// The histogram that has these buckets; `least`, `greatest` and `mean` are what it said of
    /// itself. False, with the histogram unchanged, when they are not what `buckets` gives: a bound
    /// that no bucket has, out of order, empty, a sum past 2^63, or values outside the buckets.
    bool restore(std::span<const Bucket> buckets, base::Duration least, base::Duration greatest,
                 base::Duration mean);

    friend bool operator==(const Histogram&, const Histogram&) = default;

private:
    void bound_by_buckets();

    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    double sum_ns_ = 0;  // Past 2^63 ns in a long run with slow answers.
    base::Duration max_{};
    base::Duration min_{};
};

}  // namespace bots
