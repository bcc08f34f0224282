#include "server/routing/creation_limit.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace server::test {
namespace {

using namespace std::chrono_literals;

AddressKey address(std::uint64_t bits) {
    return {.bits = bits, .is_v6 = false};
}

TEST(CreationLimit, lets_an_address_make_so_many_and_no_more) {
    CreationLimit limit;
    const base::MonotonicTime now = base::MonotonicTime() + 1h;
    EXPECT_TRUE(limit.allow(address(1), now, 2));
    EXPECT_TRUE(limit.allow(address(1), now, 2));
    EXPECT_FALSE(limit.allow(address(1), now, 2));
    EXPECT_TRUE(limit.allow(address(2), now, 2));
}

TEST(CreationLimit, begins_again_after_an_hour) {
    CreationLimit limit;
    const base::MonotonicTime now = base::MonotonicTime() + 2h;
    EXPECT_TRUE(limit.allow(address(1), now, 1));
    EXPECT_FALSE(limit.allow(address(1), now + 1h, 1));
    EXPECT_TRUE(limit.allow(address(1), now + 1h + 1s, 1));
}

TEST(CreationLimit, remembers_so_many_addresses) {
    CreationLimit limit;
    const base::MonotonicTime now = base::MonotonicTime() + 1h;
    for (std::size_t i = 0; i < CreationLimit::kAddressesMax; ++i)
        EXPECT_TRUE(limit.allow(address(i), now, 1));
    EXPECT_FALSE(limit.allow(address(0), now, 1));
    EXPECT_TRUE(limit.allow(address(CreationLimit::kAddressesMax), now, 1));
    EXPECT_TRUE(limit.allow(address(0), now, 1));
}

}  // namespace
}  // namespace server::test
