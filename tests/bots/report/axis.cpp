#include "tests/bots/report/axis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace bots {
namespace {

struct NamedUnit {
    double size;
    std::string_view name;
};

// The unit in which the top of the axis reads best.
NamedUnit unit_for(AxisUnit unit, double high) {
    static constexpr std::array<NamedUnit, 3> kTimes = {{{1e3, "µs"}, {1e6, "ms"}, {1e9, "s"}}};
    static constexpr std::array<NamedUnit, 5> kSizes = {
        {{1, "B"}, {1024, "KB"}, {1048576, "MB"}, {1073741824, "GB"}, {1099511627776, "TB"}}};
    const auto largest_within = [high](const auto& units) {
        NamedUnit best = units.front();
        for (const NamedUnit& candidate : units)
            if (candidate.size <= high * 1.0001) best = candidate;
        return best;
    };
    switch (unit) {
        case AxisUnit::nanoseconds:
            return largest_within(kTimes);
        case AxisUnit::bytes:
            return largest_within(kSizes);
        case AxisUnit::share:
            return {0.01, "%"};
        case AxisUnit::seconds:
            if (high < 180) return {1, "s"};
            return high < 3 * 3600 ? NamedUnit{60, "min"} : NamedUnit{3600, "h"};
        case AxisUnit::number:
            break;
    }
    if (high >= 2e6) return {1e6, "millions"};
    return {1, ""};
}

// The round number (1, 2, 2.5, 5 or 10 times a power of ten) at or above `rough`.
double round_step(double rough) {
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 2.5, 5.0})
        if (factor * power >= rough * 0.9999) return factor * power;
    return 10 * power;
}

std::string tick_label(double value) {
    if (value >= 1000) {
        std::string digits = fmt::format("{:.0f}", value);
        for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
            digits.insert(static_cast<std::size_t>(at), 1, ',');
        return digits;
    }
    return fmt::format("{:.6g}", value);
}

double nines_of(double share) {
    return -std::log10(std::max(1 - share, 1e-18));
}

}  // namespace

double Axis::place_of(double value) const {
    switch (scale) {
        case AxisScale::linear:
            return (value - low) / (high - low);
        case AxisScale::logarithmic:
            return std::log(std::max(value, low * 1e-9) / low) / std::log(high / low);
        case AxisScale::nines:
            break;
    }
    return nines_of(value) / nines_of(high);
}

Axis linear_axis(double low, double high, AxisUnit unit, int wanted) {
    if (!(high > low)) high = low + 1;
    const NamedUnit named = unit_for(unit, high);
    const double step = round_step((high - low) / named.size / std::max(wanted, 1)) * named.size;
    Axis axis{AxisScale::linear, unit, low, high, {}, std::string(named.name)};
    // Time ends where the run ends; other axes end with a tick.
    if (unit != AxisUnit::seconds) axis.high = std::ceil(high / step - 1e-6) * step;
    // Adding 0 turns the -0 that rounding up may give into 0.
    for (double number = std::ceil(low / step - 1e-6) + 0.0; number * step <= axis.high * 1.000001;
         ++number)
        axis.ticks.push_back({number * step, tick_label(number * step / named.size)});
    return axis;
}

Axis logarithmic_axis(double low, double high, AxisUnit unit) {
    low = std::max(low, 1e-9);
    high = std::max(high, low * 1.0001);
    // Round numbers around the range: 1, 2 and 5 of each power of ten if few, else every power.
    const bool few = std::log10(high / low) < 2.5;
    const auto factors = few ? std::vector<double>{1, 2, 5} : std::vector<double>{1};
    std::vector<double> rounds;
    const int last = static_cast<int>(std::ceil(std::log10(high)));
    for (int power = static_cast<int>(std::floor(std::log10(low))); power <= last; ++power)
        for (const double factor : factors)
            rounds.push_back(factor * std::pow(10.0, power));
    const auto first = std::ranges::upper_bound(rounds, low * 1.0001) - 1;
    const auto end = std::ranges::lower_bound(rounds, high * 0.9999) + 1;
    rounds = {first, std::min(end, rounds.end())};

    const NamedUnit named = unit_for(unit, rounds.back());
    Axis axis{AxisScale::logarithmic,        unit, rounds.front(),
              std::max(rounds.back(), high), {},   std::string(named.name)};
    for (const double value : rounds)
        axis.ticks.push_back({value, tick_label(value / named.size)});
    return axis;
}

Axis nines_axis(std::uint64_t records) {
    const double resolution = 1.0 / static_cast<double>(std::max<std::uint64_t>(records, 10));
    // Half a record further, so that the slowest one has a place of its own.
    Axis axis{AxisScale::nines, AxisUnit::share, 0, 1 - resolution / 2, {}, ""};
    axis.ticks = {{0, "0 %"}, {0.5, "50 %"}};
    std::string label = "90";
    for (double rest = 0.1; rest >= resolution * 0.9999 && axis.ticks.size() < 12; rest /= 10) {
        axis.ticks.push_back({1 - rest, label + " %"});
        label = label == "90" ? "99" : label == "99" ? "99.9" : label + "9";
    }
    return axis;
}

}  // namespace bots
