// Chance: a stream of random choices from a seed. Each part of a simulation has one of its own, so
// that one more choice here changes nothing there.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/split_mix.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sim {

class Chance {
public:
    Chance(std::uint64_t seed, std::uint64_t stream)
        : numbers_(((seed + 1) * 0x9E3779B97F4A7C15U + stream) ^ (stream << 32U)) {}

    std::uint64_t next() { return numbers_.next(); }
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
    base::SplitMix64 numbers_;
};

}  // namespace sim
