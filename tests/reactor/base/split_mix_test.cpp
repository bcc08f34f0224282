// SplitMix64: the numbers that every implementation draws.
#include "reactor/base/split_mix.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(SplitMix64, draws_what_the_reference_implementation_draws) {
    SplitMix64 zero(0);
    EXPECT_EQ(zero.next(), 0xE220A8397B1DCDAFU);
    EXPECT_EQ(zero.next(), 0x6E789E6AA1B965F4U);
    EXPECT_EQ(zero.next(), 0x06C45D188009454FU);
    SplitMix64 seeded(1234567);
    EXPECT_EQ(seeded.next(), 6457827717110365317U);
    EXPECT_EQ(seeded.next(), 3203168211198807973U);
}

TEST(SplitMix64, stays_below_a_limit) {
    SplitMix64 numbers(7);
    bool drawn[5] = {};
    for (int i = 0; i < 1000; ++i) {
        const std::uint64_t number = numbers.below(5);
        ASSERT_LT(number, 5U);
        drawn[number] = true;
    }
    for (const bool each : drawn)
        EXPECT_TRUE(each);
}

TEST(SplitMix64, draws_nothing_below_zero) {
    SplitMix64 numbers(7);
    EXPECT_EQ(numbers.below(0), 0U);
    EXPECT_EQ(numbers.next(), SplitMix64(7).next());
}

}  // namespace
}  // namespace base
