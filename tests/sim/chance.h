// Chance: a stream of random choices from a seed. Each part of a simulation has one of its own, so
// that one more choice here changes nothing there.
#pragma once

#include "reactor/base/clock.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sim {

class Chance {
public:
    Chance(std::uint64_t seed, std::uint64_t stream) : state_(seed * 0x9E3779B97F4A7C15U + stream) {
        next();
        state_ ^= stream << 32U;
    }

    /// SplitMix64.
    std::uint64_t next() {
        std::uint64_t mixed = (state_ += 0x9E3779B97F4A7C15U);
        mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
        return mixed ^ (mixed >> 31U);
    }
    /// 0 to `limit` - 1; `limit` is not 0.
    std::uint64_t below(std::uint64_t limit) { return next() % limit; }
    bool percent(unsigned share) { return below(100) < share; }
    std::int64_t between(std::int64_t least, std::int64_t most) {
        return least +
               static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
    }
    base::Duration between(base::Duration least, base::Duration most) {
        return base::Duration(between(least.count(), most.count()));
    }
    /// Of a vector that is not empty.
    template <class T>
    const T& of(const std::vector<T>& choices) {
        return choices[below(choices.size())];
    }

private:
    std::uint64_t state_;
};

}  // namespace sim
