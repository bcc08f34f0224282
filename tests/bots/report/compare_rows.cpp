#include "tests/bots/report/compare_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/bots/measure/format.h"
#include "tests/bots/report/report_plots.h"
#include "tests/bots/report/summary.h"

namespace bots {
namespace {

enum class Direction : std::uint8_t { less_is_better, more_is_better, neither };

struct Metric {
    std::string_view group;
    std::string_view name;
    AxisUnit unit;
    Direction direction;
    /// The relative difference that two single runs are not told apart by. 0: a count of faults,
    /// where the worst run speaks for all and nothing is chance.
    double tolerance;
    /// Nothing when the run did not measure it.
    std::optional<double> (*value)(const RunResult&);
};

// Runs that happen to agree closely still differ by this much from day to day.
constexpr double kSpreadMin = 0.02;

std::optional<double> measured(double value) {
    return value > 0 ? std::optional(value) : std::nullopt;
}

// A percentile with less than one record beyond it is the greatest value under another name.
std::optional<double> percentile(const Histogram& histogram, double share) {
    if (static_cast<double>(histogram.count()) * (1 - share) < 0.999) return std::nullopt;
    return static_cast<double>(histogram.percentile(share).count());
}

std::optional<double> faults(const RunResult& run) {
    const Tally& tally = run.messages;
    if (tally.sent == 0) return std::nullopt;
    return static_cast<double>(tally.lost + tally.duplicated + tally.reordered + tally.stray);
}

template <auto Member>
std::optional<double> usage(const RunResult& run) {
    if (!run.server_usage) return std::nullopt;
    return measured(static_cast<double>((*run.server_usage).*Member));
}

// Microseconds in nanoseconds, the unit of durations.
std::optional<double> from_microseconds(std::optional<double> value) {
    return value ? std::optional(*value * 1000) : std::nullopt;
}

using enum Direction;
constexpr auto kTime = AxisUnit::nanoseconds;
constexpr std::array kMetrics = {
    Metric{"Messages", "a second", AxisUnit::number, more_is_better, 0.05,
           [](const RunResult& run) { return measured(run.messages_per_s); }},
    Metric{"Messages", "lost, doubled, disordered", AxisUnit::number, less_is_better, 0, faults},
    Metric{"Messages", "refused", AxisUnit::number, less_is_better, 0,
           [](const RunResult& run) {
               return run.messages.sent > 0 ? std::optional(double(run.messages.refused))
                                            : std::nullopt;
           }},
    Metric{"Latency", "median", kTime, less_is_better, 0.10,
           [](const RunResult& run) { return percentile(run.latency, 0.5); }},
    Metric{"Latency", "90 %", kTime, less_is_better, 0.10,
           [](const RunResult& run) { return percentile(run.latency, 0.9); }},
    Metric{"Latency", "99 %", kTime, less_is_better, 0.15,
           [](const RunResult& run) { return percentile(run.latency, 0.99); }},
    Metric{"Latency", "99.9 %", kTime, less_is_better, 0.30,
           [](const RunResult& run) { return percentile(run.latency, 0.999); }},
    Metric{"Latency", "greatest", kTime, neither, 0.50,
           [](const RunResult& run) { return measured(double(run.latency.max().count())); }},
    Metric{"Logins", "a second", AxisUnit::number, more_is_better, 0.05,
           [](const RunResult& run) { return measured(run.logins_per_s); }},
    Metric{"Logins", "median", kTime, less_is_better, 0.10,
           [](const RunResult& run) { return percentile(run.login_latency, 0.5); }},
    Metric{"Logins", "99 %", kTime, less_is_better, 0.15,
           [](const RunResult& run) { return percentile(run.login_latency, 0.99); }},
    Metric{"Logins", "failed", AxisUnit::number, less_is_better, 0,
           [](const RunResult& run) { return std::optional(double(run.logins_failed)); }},
    Metric{"Server", "CPU a message", kTime, less_is_better, 0.10,
           [](const RunResult& run) {
               return from_microseconds(usage<&ServerUsage::cpu_us_per_message>(run));
           }},
    Metric{"Server", "CPU a login", kTime, less_is_better, 0.10,
           [](const RunResult& run) {
               return from_microseconds(usage<&ServerUsage::cpu_us_per_login>(run));
           }},
    Metric{"Server", "CPU in all, s", AxisUnit::number, neither, 0.10, usage<&ServerUsage::cpu_s>},
    Metric{"Server", "memory a session", AxisUnit::bytes, less_is_better, 0.05,
           usage<&ServerUsage::pss_per_session_bytes>},
    Metric{"Server", "PSS", AxisUnit::bytes, less_is_better, 0.05, usage<&ServerUsage::pss_bytes>},
    Metric{"Server", "RSS", AxisUnit::bytes, less_is_better, 0.05, usage<&ServerUsage::rss_bytes>},
    Metric{"Bots", "CPU, of one core", AxisUnit::share, neither, 0.15,
           [](const RunResult& run) { return measured(run.bots_cpu_share); }},
};

template <class Value>
std::optional<Figure> figure_of(const Contender& contender, const Metric& metric, Value value_of) {
    std::vector<double> values;
    for (const RunResult& run : contender.runs)
        if (const auto value = value_of(run)) values.push_back(*value);
    if (values.empty()) return std::nullopt;
    std::ranges::sort(values);
    if (metric.tolerance == 0)
        return Figure{values.back(), values.front(), values.back(), values.size()};
    const std::size_t middle = values.size() / 2;
    const double median =
        values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    return Figure{median, values.front(), values.back(), values.size()};
}

Judgement judge(const Figure& first, const Figure& other, const Metric& metric) {
    const double difference = other.median - first.median;
    if (metric.tolerance == 0 && difference == 0) return Judgement::none;
    const bool repeated = first.runs > 1 && other.runs > 1;
    const double chance = std::max({first.high - first.low, other.high - other.low,
                                    first.median * (repeated ? kSpreadMin : metric.tolerance)});
    if (metric.tolerance > 0 && std::abs(difference) <= chance) return Judgement::even;
    if (metric.direction == neither) return Judgement::apart;
    return (difference > 0) == (metric.direction == more_is_better) ? Judgement::better
                                                                    : Judgement::worse;
}

template <class Value>
ComparisonRow row_of(const std::vector<Contender>& contenders, const Metric& metric,
                     Value value_of) {
    ComparisonRow row{std::string(metric.group), std::string(metric.name), metric.unit, {}};
    for (const Contender& contender : contenders) {
        ComparisonCell cell{figure_of(contender, metric, value_of), std::nullopt, Judgement::none};
        if (!row.cells.empty() && row.cells[0].figure && cell.figure) {
            const Figure& first = *row.cells[0].figure;
            if (first.median > 0) cell.ratio = cell.figure->median / first.median;
            cell.judgement = judge(first, *cell.figure, metric);
        }
        row.cells.push_back(cell);
    }
    return row;
}

// What only this workload measures; the names tell the unit and which way is better.
void add_own_figures(std::vector<ComparisonRow>& rows, const std::vector<Contender>& contenders) {
    std::set<std::string> names;
    for (const Contender& contender : contenders)
        for (const RunResult& run : contender.runs)
            for (const auto& [name, value] : run.figures)
                names.insert(name);
    for (const std::string& name : names) {
        const NamedFigure named = figure_named(name, 0);
        const bool time = named.unit == AxisUnit::nanoseconds;
        const std::string label = named.rate ? named.label + " a second" : named.label;
        Metric metric{"Of this workload alone", label, named.unit, neither, 0.05, nullptr};
        if (named.rate) metric.direction = more_is_better;
        if (time || named.unit == AxisUnit::bytes) metric.direction = less_is_better;
        if (time) metric.tolerance = 0.15;
        rows.push_back(row_of(contenders, metric, [&name](const RunResult& run) {
            const auto found = run.figures.find(name);
            return found != run.figures.end()
                       ? std::optional(figure_named(name, found->second).value)
                       : std::nullopt;
        }));
    }
}

bool says_something(const ComparisonRow& row) {
    return std::ranges::any_of(row.cells, [](const ComparisonCell& cell) {
        return cell.figure && cell.figure->high != 0;
    });
}

template <class Get>
PropertyRow property_row(const std::vector<Contender>& contenders, std::string name, Get get) {
    PropertyRow row{std::move(name), {}, false};
    for (const Contender& contender : contenders) {
        std::set<std::string> values;
        for (const RunResult& run : contender.runs)
            values.insert(get(run));
        row.values.push_back(fmt::format("{}", fmt::join(values, ", ")));
    }
    row.differs = std::ranges::any_of(
        row.values, [&](const std::string& value) { return value != row.values.front(); });
    return row;
}

}  // namespace

std::vector<ComparisonRow> comparison_rows(const std::vector<Contender>& contenders) {
    std::vector<ComparisonRow> rows;
    add_own_figures(rows, contenders);
    for (const Metric& metric : kMetrics) {
        ComparisonRow row = row_of(contenders, metric, metric.value);
        // That nothing was lost is worth a line; that nothing else happened is not.
        if (says_something(row) || metric.value == &faults) rows.push_back(std::move(row));
    }
    return rows;
}

std::string format_ratio(double ratio) {
    if (ratio < 0.095) return fmt::format("{:.2g}×", ratio);
    if (ratio < 0.995) return fmt::format("{:.2f}×", ratio);
    return ratio < 9.95
               ? fmt::format("{:.1f}×", ratio)
               : format_count(static_cast<std::uint64_t>(std::llround(std::min(ratio, 1e15)))) +
                     "×";
}

std::string judgement_text(const ComparisonCell& cell) {
    if (cell.judgement == Judgement::none) return {};
    if (cell.judgement == Judgement::even) return "≈";
    std::string_view word;
    if (cell.judgement == Judgement::better) word = " better";
    if (cell.judgement == Judgement::worse) word = " worse";
    if (cell.ratio) return format_ratio(*cell.ratio) + std::string(word);
    return std::string(word.substr(word.empty() ? 0 : 1));
}

std::string spread_text(const ComparisonCell& cell, AxisUnit unit) {
    if (!cell.figure || cell.figure->runs < 2) return {};
    const std::string low = format_value(cell.figure->low, unit);
    const std::string high = format_value(cell.figure->high, unit);
    return low == high ? std::string() : fmt::format("{} to {}", low, high);
}

std::string verdicts_of(const Contender& contender) {
    const auto passed = std::ranges::count_if(
        contender.runs, [](const RunResult& run) { return outcome_of(run) == Outcome::passed; });
    const auto runs = std::ssize(contender.runs);
    if (passed == runs) return runs == 1 ? "passed" : fmt::format("passed, all {}", runs);
    if (runs > 1) return fmt::format("passed {} of {}", passed, runs);
    return outcome_of(contender.runs[0]) == Outcome::failed ? "failed" : "interrupted";
}

std::vector<std::string> remarks_on(const std::vector<Contender>& contenders) {
    std::vector<std::string> remarks;
    std::set<std::string> workloads;
    bool single = false;
    for (const Contender& contender : contenders) {
        single = single || contender.runs.size() == 1;
        for (const RunResult& run : contender.runs) {
            workloads.insert(run.workload);
            if (outcome_of(run) == Outcome::failed)
                remarks.push_back(fmt::format("{} failed: {}.", contender.label, reason_of(run)));
            const std::string doubt = doubt_about(run);
            if (!doubt.empty()) remarks.push_back(fmt::format("{}: {}", contender.label, doubt));
        }
    }
    if (workloads.size() > 1)
        remarks.push_back(
            fmt::format("These are different workloads: {}.", fmt::join(workloads, ", ")));
    if (single)
        remarks.push_back(
            "The spread of a single run is not known: differences as small as two runs of the same "
            "often show are marked ≈.");
    return remarks;
}

std::vector<PropertyRow> property_rows(const std::vector<Contender>& contenders) {
    std::vector<PropertyRow> rows;
    const auto add = [&](std::string name, auto get) {
        PropertyRow row = property_row(contenders, std::move(name), get);
        if (std::ranges::any_of(row.values, [](const auto& value) { return !value.empty(); }))
            rows.push_back(std::move(row));
    };
    add("software", [](const RunResult& run) { return run.server_software; });
    add("server", [](const RunResult& run) { return run.server; });
    add("workload", [](const RunResult& run) { return run.workload; });
    add("users", [](const RunResult& run) { return format_count(run.users); });
    add("security", [](const RunResult& run) { return run.security; });
    add("TLS", [](const RunResult& run) { return run.tls; });
    add("mechanism", [](const RunResult& run) { return run.mechanism; });
    add("started", [](const RunResult& run) { return run.started_at; });
    add("parley-bots", [](const RunResult& run) { return run.bots_version; });
    std::set<std::string> names;
    for (const Contender& contender : contenders)
        for (const RunResult& run : contender.runs)
            for (const auto& [name, value] : run.settings)
                names.insert(name);
    for (const std::string& name : names)
        add(name, [&name](const RunResult& run) {
            const auto found = run.settings.find(name);
            return found != run.settings.end() ? found->second : std::string();
        });
    return rows;
}

}  // namespace bots
