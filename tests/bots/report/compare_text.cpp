// The comparison for a terminal, and how contenders get their names.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "reactor/base/check.h"
#include "tests/bots/measure/format.h"
#include "tests/bots/report/compare.h"
#include "tests/bots/report/compare_rows.h"
#include "tests/bots/report/report_plots.h"
#include "tests/bots/report/summary.h"

namespace bots {
namespace {

constexpr std::size_t kLabelColumnsMax = 28;

// What tells results of the same server apart, the most telling first.
std::string detail_of(const RunResult& run, std::size_t which) {
    switch (which) {
        case 0:
            return run.workload;
        case 1:
            return run.security;
        case 2:
            return format_count(run.users) + " users";
        case 3:
            return run.server;
        case 4:
            return run.started_at;
        default:
            return {};
    }
}

// Appends the first property that is different for each of `group`, else a number.
void tell_apart(const std::vector<Contender*>& group) {
    for (std::size_t which = 0; which < 5; ++which) {
        std::set<std::string> details;
        for (const Contender* contender : group)
            details.insert(detail_of(contender->runs[0], which));
        if (details.size() != group.size() || details.contains("")) continue;
        for (Contender* contender : group)
            contender->label += fmt::format(" ({})", detail_of(contender->runs[0], which));
        return;
    }
    for (std::size_t index = 0; index < group.size(); ++index)
        group[index]->label += fmt::format(" ({})", index + 1);
}

using Cells = std::vector<std::string>;

// Columns as wide as their widest cell, two blanks between; the first is left-aligned as well.
std::string aligned(const std::vector<Cells>& rows) {
    std::vector<std::size_t> widths;
    for (const Cells& row : rows) {
        if (row.size() < 2) continue;  // A heading may run on.
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t column = 0; column < row.size(); ++column)
            widths[column] = std::max(widths[column], columns_of(row[column]));
    }
    std::string out;
    for (const Cells& row : rows) {
        std::string line;
        for (std::size_t column = 0; column < row.size(); ++column) {
            line += row[column];
            if (column + 1 < row.size())
                line.append(widths[column] - columns_of(row[column]) + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

Cells figures_line(const ComparisonRow& row) {
    Cells line = {"  " + row.name};
    for (const ComparisonCell& cell : row.cells) {
        std::string text = cell.figure ? format_value(cell.figure->median, row.unit) : "–";
        const std::string spread = spread_text(cell, row.unit);
        if (!spread.empty()) text += fmt::format(" ({})", spread);
        const std::string judgement = judgement_text(cell);
        if (!judgement.empty()) text += "  " + judgement;
        line.push_back(std::move(text));
    }
    return line;
}

}  // namespace

std::vector<Contender> contenders_of(std::vector<RunResult> results) {
    std::vector<Contender> contenders;
    for (RunResult& result : results) {
        std::string label = server_name_of(result);
        contenders.push_back({std::move(label), {}});
        contenders.back().runs.push_back(std::move(result));
    }
    std::map<std::string, std::vector<Contender*>> by_label;
    for (Contender& contender : contenders)
        by_label[contender.label].push_back(&contender);
    for (const auto& [label, group] : by_label)
        if (group.size() > 1) tell_apart(group);
    return contenders;
}

std::string compare_text(const std::vector<Contender>& contenders) {
    CHECK(contenders.size() >= 2);
    Cells labels = {""};
    Cells verdicts = {"Verdict"};
    for (const Contender& contender : contenders) {
        labels.push_back(printable(contender.label, kLabelColumnsMax));
        verdicts.push_back(verdicts_of(contender));
    }
    std::vector<Cells> lines = {labels, verdicts};
    std::string group;
    for (const ComparisonRow& row : comparison_rows(contenders)) {
        if (row.group != group) lines.push_back({row.group});
        group = row.group;
        lines.push_back(figures_line(row));
    }
    bool first = true;
    for (const PropertyRow& row : property_rows(contenders)) {
        if (!row.differs) continue;
        if (std::exchange(first, false)) lines.push_back({"Differs"});
        Cells line = {"  " + printable(row.name, kLabelColumnsMax)};
        for (const std::string& value : row.values)
            line.push_back(value.empty() ? "–" : printable(value, kLabelColumnsMax));
        lines.push_back(std::move(line));
    }
    std::string out = aligned(lines);
    out += fmt::format("\nRatios are to {}. ≈ is no difference that the runs could show.\n",
                       printable(contenders.front().label, kLabelColumnsMax));
    for (const std::string& remark : remarks_on(contenders))
        out += printable(remark, 300) + "\n";
    return out;
}

}  // namespace bots
