// The figures of a comparison: medians, spreads, and which differences are more than chance. The
// terminal's table and the page show the same rows.
#pragma once

#include "tests/bots/report/axis.h"
#include "tests/bots/report/compare.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bots {

/// Of the runs of one contender.
struct Figure {
    double median = 0;  ///< Of counts of faults: the greatest.
    double low = 0;
    double high = 0;
    std::size_t runs = 0;  ///< That have this figure.
};

enum class Judgement : std::uint8_t {
    none,  ///< The first contender, or nothing to compare.
    even,  ///< Within the spread of the runs; with single runs: too close to call.
    better,
    worse,
    apart,  ///< Different, but neither is better for it.
};

struct ComparisonCell {
    std::optional<Figure> figure;
    std::optional<double> ratio;  ///< To the first contender.
    Judgement judgement = Judgement::none;
};

struct ComparisonRow {
    std::string group;
    std::string name;
    AxisUnit unit = AxisUnit::number;
    std::vector<ComparisonCell> cells;  ///< One for each contender.
};

/// Rows in which at least one contender has a figure other than 0.
std::vector<ComparisonRow> comparison_rows(const std::vector<Contender>& contenders);

/// "1.9×"; two digits.
std::string format_ratio(double ratio);
/// "1.9× worse", "≈", "0.53× better"; empty for none.
std::string judgement_text(const ComparisonCell& cell);
/// "1.1 ms to 1.2 ms"; empty for a single run or runs that agree.
std::string spread_text(const ComparisonCell& cell, AxisUnit unit);
/// "passed", "passed 2 of 3".
std::string verdicts_of(const Contender& contender);
/// What makes the comparison doubtful (different workloads, few runs); sentences.
std::vector<std::string> remarks_on(const std::vector<Contender>& contenders);

/// A property that was the same or not: settings, versions, how it was connected.
struct PropertyRow {
    std::string name;
    std::vector<std::string> values;  ///< For each contender; several joined by commas.
    bool differs = false;
};
std::vector<PropertyRow> property_rows(const std::vector<Contender>& contenders);

}  // namespace bots
