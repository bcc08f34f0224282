#include "tests/bots/report/axis.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bots {
namespace {

using testing::ElementsAre;

std::vector<std::string> labels_of(const Axis& axis) {
    std::vector<std::string> labels;
    for (const Tick& tick : axis.ticks)
        labels.push_back(tick.label);
    return labels;
}

TEST(Axis, has_round_ticks_from_zero_to_above_the_greatest_value) {
    const Axis axis = linear_axis(0, 1998, AxisUnit::number, 5);
    EXPECT_THAT(labels_of(axis), ElementsAre("0", "500", "1,000", "1,500", "2,000"));
    EXPECT_EQ(axis.high, 2000);
    EXPECT_EQ(axis.unit_name, "");
    EXPECT_DOUBLE_EQ(axis.place_of(1000), 0.5);
}

TEST(Axis, reads_in_the_unit_that_fits_its_top) {
    const Axis time = linear_axis(0, 2.4e6, AxisUnit::nanoseconds, 5);
    EXPECT_THAT(labels_of(time), ElementsAre("0", "0.5", "1", "1.5", "2", "2.5"));
    EXPECT_EQ(time.unit_name, "ms");
    EXPECT_EQ(linear_axis(0, 900e3, AxisUnit::nanoseconds, 5).unit_name, "µs");
    const Axis memory = linear_axis(0, 52.0 * 1024 * 1024, AxisUnit::bytes, 5);
    EXPECT_THAT(labels_of(memory), ElementsAre("0", "20", "40", "60"));
    EXPECT_EQ(memory.unit_name, "MB");
    const Axis share = linear_axis(0, 0.97, AxisUnit::share, 5);
    EXPECT_THAT(labels_of(share), ElementsAre("0", "20", "40", "60", "80", "100"));
    EXPECT_EQ(linear_axis(0, 5e6, AxisUnit::number, 5).unit_name, "millions");
}

TEST(Axis, of_time_ends_where_the_run_ends) {
    const Axis axis = linear_axis(0, 36, AxisUnit::seconds, 8);
    EXPECT_EQ(axis.high, 36);
    EXPECT_EQ(axis.ticks.back().label, "35");
    const Axis minutes = linear_axis(0, 600, AxisUnit::seconds, 6);
    EXPECT_EQ(minutes.unit_name, "min");
    EXPECT_THAT(labels_of(minutes), ElementsAre("0", "2", "4", "6", "8", "10"));
}

TEST(Axis, survives_a_range_without_extent) {
    for (const double high : {0.0, -1.0, std::nan("")}) {
        const Axis axis = linear_axis(0, high, AxisUnit::number, 5);
        EXPECT_GT(axis.high, axis.low);
        EXPECT_GE(axis.ticks.size(), 2U);
        EXPECT_TRUE(std::isfinite(axis.place_of(0)));
    }
    const Axis axis = logarithmic_axis(0, 0, AxisUnit::nanoseconds);
    EXPECT_GT(axis.high, axis.low);
    EXPECT_TRUE(std::isfinite(axis.place_of(0)));
}

TEST(Axis, on_a_logarithmic_scale_has_ticks_around_the_range) {
    const Axis axis = logarithmic_axis(180e3, 7.7e6, AxisUnit::nanoseconds);
    EXPECT_THAT(labels_of(axis), ElementsAre("0.1", "0.2", "0.5", "1", "2", "5", "10"));
    EXPECT_EQ(axis.unit_name, "ms");
    EXPECT_NEAR(axis.place_of(1e6), 0.5, 1e-9);
    const Axis wide = logarithmic_axis(1e3, 3e9, AxisUnit::nanoseconds);
    EXPECT_LE(wide.ticks.size(), 9U);
    EXPECT_GE(wide.high, 3e9);
    EXPECT_LE(wide.low, 1e3);
}

TEST(Axis, of_nines_goes_as_far_as_the_records_tell) {
    const Axis axis = nines_axis(59'940);
    EXPECT_THAT(labels_of(axis), ElementsAre("0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"));
    EXPECT_NEAR(axis.place_of(0.99) - axis.place_of(0.9), axis.place_of(0.9), 1e-9);
    EXPECT_NEAR(axis.place_of(axis.high), 1, 1e-12);
    EXPECT_EQ(nines_axis(1'000'000).ticks.back().label, "99.9999 %");
    EXPECT_EQ(nines_axis(0).ticks.back().label, "90 %");
    EXPECT_TRUE(std::isfinite(nines_axis(~0ULL).place_of(1)));
}

}  // namespace
}  // namespace bots
