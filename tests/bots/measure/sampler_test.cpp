#include "tests/bots/measure/sampler.h"

#include <chrono>

#include <gtest/gtest.h>

namespace bots {
namespace {

using namespace std::chrono_literals;

constexpr base::MonotonicTime kStart{5'000'000'000};

TEST(Sampler, turns_counters_into_rates_and_shares) {
    Counters counters{.bots_cpu_s = 1.0, .server = ProcessUsage{.cpu_s = 10.0}};
    Sampler sampler(kStart, counters);
    Histogram latency;
    latency.record(1ms, 100);
    counters = {.online = 20,
                .messages_received = 500,
                .logins = 20,
                .bots_cpu_s = 1.5,
                .server = ProcessUsage{.cpu_s = 13.0, .rss_bytes = 4096, .pss_bytes = 2048}};
    const Sample sample = sampler.take(kStart + 2s, counters, latency);
    EXPECT_EQ(sample.at, 2s);
    EXPECT_EQ(sample.online, 20U);
    EXPECT_DOUBLE_EQ(sample.messages_per_s, 250);
    EXPECT_DOUBLE_EQ(sample.logins_per_s, 10);
    EXPECT_DOUBLE_EQ(sample.bots_cpu_share, 0.25);
    EXPECT_DOUBLE_EQ(sample.server_cpu_share, 1.5);
    EXPECT_EQ(sample.server_rss_bytes, 4096U);
    EXPECT_EQ(sample.server_pss_bytes, 2048U);
    ASSERT_EQ(sampler.samples().size(), 1U);
}

TEST(Sampler, gives_the_latencies_of_the_interval_alone) {
    Counters counters;
    Sampler sampler(kStart, counters);
    Histogram latency;
    latency.record(1ms, 1'000'000);
    sampler.take(kStart + 1s, counters, latency);
    latency.record(50ms, 10);
    const Sample second = sampler.take(kStart + 2s, counters, latency);
    EXPECT_NEAR(double(second.latency_p50.count()), 50e6, 50e4);
    EXPECT_NEAR(double(second.latency_p99.count()), 50e6, 50e4);
    const Sample third = sampler.take(kStart + 3s, counters, latency);
    EXPECT_EQ(third.latency_p99, 0ns);
}

TEST(Sampler, survives_moments_without_distance_and_counters_that_go_back) {
    Counters counters{.messages_received = 10, .bots_cpu_s = 2};
    Sampler sampler(kStart, counters);
    EXPECT_EQ(sampler.take(kStart, counters, Histogram()).messages_per_s, 0);
    counters.messages_received = 5;
    counters.bots_cpu_s = 1;
    const Sample sample = sampler.take(kStart + 1s, counters, Histogram());
    EXPECT_EQ(sample.messages_per_s, 0);
    EXPECT_EQ(sample.bots_cpu_share, 0);
}

TEST(Sampler, keeps_a_bounded_number_of_points_spread_over_the_run) {
    Counters counters;
    Sampler sampler(kStart, counters);
    constexpr int kTakes = 5 * static_cast<int>(Sampler::kSamplesMax) + 3;
    for (int second = 1; second <= kTakes; ++second) {
        sampler.take(kStart + std::chrono::seconds(second), counters, Histogram());
        if (second == static_cast<int>(Sampler::kSamplesMax)) {
            ASSERT_EQ(sampler.samples().size(), Sampler::kSamplesMax);
        }
        ASSERT_LE(sampler.samples().size(), Sampler::kSamplesMax);
    }
    const auto samples = sampler.release();
    EXPECT_GT(samples.size(), Sampler::kSamplesMax / 2);
    const base::Duration step = samples[1].at - samples[0].at;
    for (std::size_t index = 1; index < samples.size(); ++index)
        ASSERT_EQ(samples[index].at - samples[index - 1].at, step) << index;
}

TEST(Sampler, has_an_interval_that_fits_the_run) {
    EXPECT_EQ(sample_interval_for(30s), 1s);
    EXPECT_EQ(sample_interval_for(1000s), 1s);
    EXPECT_EQ(sample_interval_for(1h), 4s);
    EXPECT_EQ(sample_interval_for(24h), 87s);
}

}  // namespace
}  // namespace bots
