// SplitMix64 (Steele, Lea and Flood, 2014): a stream of numbers from a seed, the same everywhere.
// For simulations and for sharing load; anybody can predict it, so never for secrets.
#pragma once

#include <cstdint>

namespace base {

class SplitMix64 {
public:
    explicit constexpr SplitMix64(std::uint64_t seed) noexcept : state_(seed) {}

    constexpr std::uint64_t next() noexcept {
        std::uint64_t mixed = (state_ += 0x9E3779B97F4A7C15U);
        mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
        return mixed ^ (mixed >> 31U);
    }
    /// 0 to `limit` - 1, the lower ones a little more often; 0 when `limit` is 0, which draws
    /// nothing.
    constexpr std::uint64_t below(std::uint64_t limit) noexcept {
        return limit == 0 ? 0 : next() % limit;
    }

private:
    std::uint64_t state_;
};

}  // namespace base
