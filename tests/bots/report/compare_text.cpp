// The comparison for a terminal.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "reactor/base/check.h"
#include "tests/bots/measure/format.h"
#include "tests/bots/report/compare.h"
#include "tests/bots/report/compare_rows.h"
#include "tests/bots/report/report_plots.h"

namespace bots {
namespace {

constexpr std::size_t kLabelColumnsMax = 28;

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
