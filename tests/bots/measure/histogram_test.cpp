#include "tests/bots/measure/histogram.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace bots {
namespace {

using namespace std::chrono_literals;

// A repeatable sequence of values spread over all magnitudes.
class Values {
public:
    base::Duration next() {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        const double exponent = static_cast<double>(state_ >> 40) / double(1 << 24);  // 0 to 1
        return base::Duration(static_cast<std::int64_t>(1000.0 * std::pow(3.6e9, exponent)));
    }

private:
    std::uint64_t state_ = 42;
};

base::Duration exact_percentile(const std::vector<base::Duration>& sorted, double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * double(sorted.size())));
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

TEST(Histogram, is_empty_at_first) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0U);
    EXPECT_EQ(histogram.percentile(0.5), 0ns);
    EXPECT_EQ(histogram.max(), 0ns);
    EXPECT_EQ(histogram.min(), 0ns);
    EXPECT_EQ(histogram.mean(), 0ns);
    EXPECT_TRUE(histogram.buckets().empty());
    EXPECT_EQ(histogram.share_up_to(1us), 1);
}

TEST(Histogram, gives_percentiles_at_most_one_percent_above_the_true_ones_and_never_below) {
    Histogram histogram;
    std::vector<base::Duration> exact;
    Values values;
    for (int i = 0; i < 20'000; ++i) {
        exact.push_back(values.next());
        histogram.record(exact.back());
    }
    std::ranges::sort(exact);
    for (const double share : {0.0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
        const auto truth = exact_percentile(exact, share);
        EXPECT_GE(histogram.percentile(share), truth) << share;
        EXPECT_LE(double(histogram.percentile(share).count()), double(truth.count()) * 1.01)
            << share;
    }
    EXPECT_EQ(histogram.max(), exact.back());
    EXPECT_EQ(histogram.min(), exact.front());
    EXPECT_EQ(histogram.percentile(1), exact.back());
}

TEST(Histogram, counts_the_record_at_the_boundary_of_a_percentile_in) {
    Histogram histogram;
    for (int i = 1; i <= 100; ++i)
        histogram.record(std::chrono::seconds(i));
    for (int percent = 1; percent <= 100; ++percent) {
        const base::Duration truth = std::chrono::seconds(percent);
        EXPECT_GE(histogram.percentile(percent / 100.0), truth);
        EXPECT_LT(histogram.percentile(percent / 100.0), truth + truth / 100) << percent;
    }
}

TEST(Histogram, keeps_every_value_within_one_percent_of_its_bucket) {
    for (std::int64_t value = 1000; value < 3'600'000'000'000; value += 1 + value / 300) {
        Histogram histogram;
        histogram.record(base::Duration(value));
        const auto buckets = histogram.buckets();
        ASSERT_EQ(buckets.size(), 1U);
        EXPECT_GE(buckets[0].up_to.count(), value);
        EXPECT_LE(double(buckets[0].up_to.count()), double(value) * 1.01);
    }
}

TEST(Histogram, counts_what_is_out_of_range_at_its_ends) {
    Histogram histogram;
    for (const base::Duration value : {base::Duration(-5), 0ns, 999ns})
        histogram.record(value);
    EXPECT_EQ(histogram.max(), 1us);
    EXPECT_EQ(histogram.percentile(0.5), 1us);
    histogram.record(1h + 1ns);
    histogram.record(base::Duration::max());
    EXPECT_EQ(histogram.max(), 1h);
    EXPECT_EQ(histogram.percentile(1), 1h);
    EXPECT_EQ(histogram.count(), 5U);
    EXPECT_EQ(histogram.buckets().back().up_to, 1h);
}

TEST(Histogram, counts_repeated_values_at_once) {
    Histogram histogram;
    histogram.record(2ms, 3);
    histogram.record(5ms, 1);
    histogram.record(9ms, 0);
    EXPECT_EQ(histogram.count(), 4U);
    EXPECT_EQ(histogram.max(), 5ms);
    EXPECT_EQ(histogram.mean(), 2750us);
}

TEST(Histogram, has_a_mean_past_the_range_of_nanoseconds) {
    Histogram histogram;
    histogram.record(1h, 10'000'000'000);
    EXPECT_EQ(histogram.mean(), 1h);
}

TEST(Histogram, of_two_shards_adds_up_to_that_of_one) {
    Histogram one;
    Histogram other;
    Histogram both;
    Values values;
    for (int i = 0; i < 1000; ++i) {
        const base::Duration value = values.next();
        (i % 3 == 0 ? one : other).record(value);
        both.record(value);
    }
    one.add(other);
    EXPECT_EQ(one.buckets(), both.buckets());
    EXPECT_EQ(one.max(), both.max());
    EXPECT_EQ(one.min(), both.min());
    EXPECT_NEAR(double(one.mean().count()), double(both.mean().count()), 2);
    const Histogram before = both;
    both.add(Histogram());
    EXPECT_EQ(both, before);
}

TEST(Histogram, minus_an_earlier_state_is_what_came_since) {
    Histogram all;
    all.record(1ms, 10);
    all.record(1s);
    const Histogram earlier = all;
    all.record(20ms, 4);
    all.record(30ms);
    all.subtract(earlier);
    EXPECT_EQ(all.count(), 5U);
    EXPECT_NEAR(double(all.mean().count()), 22e6, 10);
    EXPECT_NEAR(double(all.min().count()), 20e6, 20e4);
    EXPECT_NEAR(double(all.max().count()), 30e6, 30e4);
    EXPECT_NEAR(double(all.percentile(0.5).count()), 20e6, 20e4);
    const Histogram same = all;
    all.subtract(same);
    EXPECT_EQ(all, Histogram());
}

TEST(Histogram, tells_the_share_up_to_a_value) {
    Histogram histogram;
    histogram.record(1ms, 90);
    histogram.record(10ms, 9);
    histogram.record(100ms, 1);
    EXPECT_EQ(histogram.share_up_to(500us), 0);
    EXPECT_DOUBLE_EQ(histogram.share_up_to(2ms), 0.90);
    EXPECT_DOUBLE_EQ(histogram.share_up_to(50ms), 0.99);
    EXPECT_EQ(histogram.share_up_to(100ms), 1);
}

TEST(Histogram, comes_back_from_its_buckets) {
    Histogram histogram;
    Values values;
    for (int i = 0; i < 500; ++i)
        histogram.record(values.next());
    Histogram restored;
    restored.record(1s);
    ASSERT_TRUE(
        restored.restore(histogram.buckets(), histogram.min(), histogram.max(), histogram.mean()));
    EXPECT_EQ(restored.buckets(), histogram.buckets());
    EXPECT_EQ(restored.percentile(0.99), histogram.percentile(0.99));
    EXPECT_EQ(restored.max(), histogram.max());
    EXPECT_EQ(restored.mean(), histogram.mean());
    ASSERT_TRUE(restored.restore({}, 0ns, 0ns, 0ns));
    EXPECT_EQ(restored, Histogram());
}

TEST(Histogram, is_not_restored_from_what_no_histogram_gives) {
    Histogram source;
    source.record(1ms);
    source.record(2ms);
    const auto good = source.buckets();
    Histogram target;
    const auto refuses = [&](std::vector<Histogram::Bucket> buckets, base::Duration least = 1ms,
                             base::Duration greatest = 2ms, base::Duration mean = 1500us) {
        const Histogram before = target;
        return !target.restore(buckets, least, greatest, mean) && target == before;
    };
    ASSERT_FALSE(refuses(good));
    EXPECT_TRUE(refuses({good[1], good[0]}));
    EXPECT_TRUE(refuses({good[0], good[0]}));
    EXPECT_TRUE(refuses({{good[0].up_to + 1ns, 1}, good[1]}));
    EXPECT_TRUE(refuses({{good[0].up_to, 0}, good[1]}));
    EXPECT_TRUE(refuses({{good[0].up_to, 1ULL << 63}, good[1]}));
    EXPECT_TRUE(refuses({{good[0].up_to, (1ULL << 63) - 1}, good[1]}));
    EXPECT_TRUE(refuses({{0ns, 1}, good[0], good[1]}));
    EXPECT_TRUE(refuses({good[0], good[1], {2h, 1}}));
    EXPECT_TRUE(refuses(good, 500us));
    EXPECT_TRUE(refuses(good, 1ms, 3ms));
    EXPECT_TRUE(refuses(good, 1ms, 2ms, 3ms));
    EXPECT_TRUE(refuses(good, 1ms, 2ms, 0ms));
    EXPECT_TRUE(refuses({}, 1ms));
}

}  // namespace
}  // namespace bots
