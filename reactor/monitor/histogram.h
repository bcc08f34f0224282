// Histogram: how often which duration, in buckets that double; constant memory, no allocation.
#pragma once

#include "reactor/base/clock.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace reactor {

class Histogram {
public:
    /// Bucket 0: less than a microsecond; bucket n: less than 2^n microseconds; the last: the rest.
    static constexpr std::size_t kBuckets = 32;

    void add(base::Duration value) noexcept {
        const auto micros =
            static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0)) / 1000;
        ++buckets_[std::min<std::size_t>(std::bit_width(micros), kBuckets - 1)];
        ++count_;
        total_ += value;
        longest_ = std::max(longest_, value);
    }
    std::uint64_t count() const noexcept { return count_; }
    base::Duration total() const noexcept { return total_; }
    base::Duration longest() const noexcept { return longest_; }
    const std::array<std::uint64_t, kBuckets>& buckets() const noexcept { return buckets_; }
    /// The upper end of the bucket in which the share `part` (0 to 1) of the values is reached, but
    /// not more than the longest; zero without values.
    base::Duration quantile(double part) const noexcept {
        const auto wanted = static_cast<std::uint64_t>(static_cast<double>(count_) * part);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < kBuckets; ++i) {
            seen += buckets_[i];
            if (seen > 0 && seen >= wanted)
                return std::min(longest_, base::Duration(std::int64_t{1000} << i));
        }
        return longest_;
    }

private:
    std::array<std::uint64_t, kBuckets> buckets_{};
    std::uint64_t count_ = 0;
    base::Duration total_{};
    base::Duration longest_{};
};

}  // namespace reactor
