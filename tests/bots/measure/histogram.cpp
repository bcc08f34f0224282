#include "tests/bots/measure/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace bots {
namespace {

// A bucket is the power of two of a value and the seven bits below its leading one: 1/128 wide.
constexpr int kSubBits = 7;
constexpr std::uint64_t kSubBuckets = 1U << kSubBits;

constexpr std::size_t raw_index_of(std::uint64_t nanoseconds) {
    const int exponent = 63 - std::countl_zero(nanoseconds);
    const std::uint64_t sub = (nanoseconds >> (exponent - kSubBits)) & (kSubBuckets - 1);
    return (static_cast<std::size_t>(exponent) << kSubBits) + sub;
}

constexpr std::size_t kFirst = raw_index_of(static_cast<std::uint64_t>(Histogram::kMin.count()));
constexpr std::size_t kBuckets =
    raw_index_of(static_cast<std::uint64_t>(Histogram::kMax.count())) - kFirst + 1;

base::Duration clamped(base::Duration value) {
    return std::clamp(value, Histogram::kMin, Histogram::kMax);
}

std::size_t index_of(base::Duration value) {
    return raw_index_of(static_cast<std::uint64_t>(clamped(value).count())) - kFirst;
}

// The least value that a bucket holds.
base::Duration lower_bound_of(std::size_t index) {
    const std::size_t raw = index + kFirst;
    const auto exponent = static_cast<int>(raw >> kSubBits);
    const std::uint64_t leading = kSubBuckets + (raw & (kSubBuckets - 1));
    return base::Duration(static_cast<std::int64_t>(leading << (exponent - kSubBits)));
}

// The greatest value that a bucket holds; an hour for the last.
base::Duration upper_bound_of(std::size_t index) {
    return std::min(lower_bound_of(index + 1) - base::Duration(1), Histogram::kMax);
}

}  // namespace

Histogram::Histogram() : counts_(kBuckets) {}

void Histogram::record(base::Duration value, std::uint64_t times) {
    if (times == 0) return;
    value = clamped(value);
    counts_[index_of(value)] += times;
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = std::max(max_, value);
    count_ += times;
    sum_ns_ += static_cast<double>(value.count()) * static_cast<double>(times);
}

void Histogram::add(const Histogram& other) {
    if (other.count_ == 0) return;
    for (std::size_t index = 0; index < kBuckets; ++index)
        counts_[index] += other.counts_[index];
    min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    count_ += other.count_;
    sum_ns_ += other.sum_ns_;
}

void Histogram::subtract(const Histogram& earlier) {
    count_ = 0;
    for (std::size_t index = 0; index < kBuckets; ++index) {
        counts_[index] -= std::min(counts_[index], earlier.counts_[index]);
        count_ += counts_[index];
    }
    sum_ns_ = std::max(sum_ns_ - earlier.sum_ns_, 0.0);
    bound_by_buckets();
}

void Histogram::clear() {
    std::ranges::fill(counts_, 0);
    count_ = 0;
    sum_ns_ = 0;
    max_ = min_ = {};
}

// After values were taken away: the old bounds still hold, those of the buckets may be tighter.
void Histogram::bound_by_buckets() {
    if (count_ == 0) {
        clear();
        return;
    }
    const auto used = [](std::uint64_t count) { return count > 0; };
    const auto first = std::ranges::find_if(counts_, used) - counts_.begin();
    const auto last = counts_.rend() - std::find_if(counts_.rbegin(), counts_.rend(), used) - 1;
    min_ = std::max({min_, kMin, lower_bound_of(static_cast<std::size_t>(first))});
    max_ = std::min(max_, upper_bound_of(static_cast<std::size_t>(last)));
}

base::Duration Histogram::percentile(double share) const {
    if (count_ == 0) return {};
    // A product that rounding put a hair above a whole number (0.07 of 100) is that number.
    const double product = std::clamp(share, 0.0, 1.0) * static_cast<double>(count_);
    const double wanted = std::ceil(product * (1 - 1e-12));
    std::uint64_t seen = 0;
    for (std::size_t index = 0; index < kBuckets; ++index) {
        seen += counts_[index];
        if (seen > 0 && static_cast<double>(seen) >= wanted)
            return std::min(upper_bound_of(index), max_);
    }
    return max_;
}

double Histogram::share_up_to(base::Duration value) const {
    if (count_ == 0 || value >= max_) return 1;
    std::uint64_t seen = 0;
    for (std::size_t index = 0; index < kBuckets && upper_bound_of(index) <= value; ++index)
        seen += counts_[index];
    return static_cast<double>(seen) / static_cast<double>(count_);
}

base::Duration Histogram::max() const noexcept {
    return max_;
}

base::Duration Histogram::min() const noexcept {
    return min_;
}

base::Duration Histogram::mean() const {
    if (count_ == 0) return {};
    return base::Duration(std::llround(sum_ns_ / static_cast<double>(count_)));
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
    std::vector<Bucket> used;
    for (std::size_t index = 0; index < kBuckets; ++index)
        if (counts_[index] > 0) used.push_back({upper_bound_of(index), counts_[index]});
    return used;
}

bool Histogram::restore(std::span<const Bucket> buckets, base::Duration least,
                        base::Duration greatest, base::Duration mean) {
    Histogram restored;
    constexpr std::uint64_t kCountMax = std::numeric_limits<std::int64_t>::max();
    base::Duration before{};
    for (const Bucket& bucket : buckets) {
        if (bucket.up_to <= before || bucket.up_to < kMin || bucket.up_to > kMax) return false;
        const std::size_t index = index_of(bucket.up_to);
        if (upper_bound_of(index) != bucket.up_to) return false;
        if (bucket.count == 0 || bucket.count > kCountMax - restored.count_) return false;
        restored.counts_[index] = bucket.count;
        restored.count_ += bucket.count;
        before = bucket.up_to;
    }
    if (buckets.empty()) {
        if (least.count() != 0 || greatest.count() != 0 || mean.count() != 0) return false;
    } else if (index_of(least) != index_of(buckets.front().up_to) || least != clamped(least) ||
               index_of(greatest) != index_of(buckets.back().up_to) ||
               greatest != clamped(greatest) || least > greatest || mean < least ||
               mean > greatest) {
        return false;
    }
    restored.min_ = least;
    restored.max_ = greatest;
    restored.sum_ns_ = static_cast<double>(mean.count()) * static_cast<double>(restored.count_);
    *this = std::move(restored);
    return true;
}

}  // namespace bots
