// Time as values. Nothing here reads a clock: the World's Clock does (reactor/world.h), so that the
// simulator can pass time as it likes.
#pragma once

#include <chrono>
#include <cstdint>

namespace base {

using Duration = std::chrono::nanoseconds;

/// A point on the monotonic clock of this process. Only differences mean anything.
struct MonotonicTime {
    std::int64_t nanoseconds = 0;

    friend auto operator<=>(const MonotonicTime&, const MonotonicTime&) = default;
    friend MonotonicTime operator+(MonotonicTime time, Duration step) {
        return {time.nanoseconds + step.count()};
    }
    friend MonotonicTime operator-(MonotonicTime time, Duration step) {
        return {time.nanoseconds - step.count()};
    }
    friend Duration operator-(MonotonicTime later, MonotonicTime earlier) {
        return Duration(later.nanoseconds - earlier.nanoseconds);
    }
};

/// Wall-clock time: microseconds since 1970-01-01T00:00:00Z. What goes into databases and stamps.
struct WallTime {
    std::int64_t microseconds = 0;

    friend auto operator<=>(const WallTime&, const WallTime&) = default;
    std::int64_t seconds() const { return microseconds / 1'000'000; }
    static WallTime from_seconds(std::int64_t value) { return {value * 1'000'000}; }
    friend WallTime operator+(WallTime time, Duration step) {
        return {time.microseconds + step.count() / 1000};
    }
    friend Duration operator-(WallTime later, WallTime earlier) {
        return Duration((later.microseconds - earlier.microseconds) * 1000);
    }
};

}  // namespace base
