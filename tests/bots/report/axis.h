// Axis: where the ticks of a plot go and what they say. Values are plain numbers whose unit the
// axis knows: durations in nanoseconds, memory in bytes, time in seconds, shares of one core.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bots {

enum class AxisUnit : std::uint8_t { number, nanoseconds, bytes, share, seconds };

enum class AxisScale : std::uint8_t {
    linear,
    logarithmic,
    nines,  ///< Shares from 0 to below 1: 90 %, 99 % and 99.9 % are equally far apart.
};

struct Tick {
    double value = 0;
    std::string label;  ///< A bare number; the unit is the axis's.
};

struct Axis {
    AxisScale scale = AxisScale::linear;
    AxisUnit unit = AxisUnit::number;
    double low = 0;  ///< Of the plot's edge; a tick or not.
    double high = 1;
    std::vector<Tick> ticks;  ///< Ascending, within [low, high].
    std::string unit_name;    ///< "ms", "MB", "%"; empty for plain numbers.

    /// 0 at low, 1 at high; outside beyond. On a nines axis `value` is a share.
    double place_of(double value) const;
};

/// From 0 (time: from `low`) to a round number at or above `high`, about `wanted` ticks.
Axis linear_axis(double low, double high, AxisUnit unit, int wanted);
/// Between round numbers around a positive range.
Axis logarithmic_axis(double low, double high, AxisUnit unit);
/// From 0 % to the share that `records` records can tell apart.
Axis nines_axis(std::uint64_t records);

}  // namespace bots
