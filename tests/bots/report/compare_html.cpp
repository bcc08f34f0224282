// The comparison as a page: one table of figures with bars, and the plots of all laid over each
// other.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "reactor/base/check.h"
#include "tests/bots/measure/format.h"
#include "tests/bots/report/compare.h"
#include "tests/bots/report/compare_rows.h"
#include "tests/bots/report/html_page.h"
#include "tests/bots/report/markup.h"
#include "tests/bots/report/report_plots.h"
#include "tests/bots/report/summary.h"

namespace bots {
namespace {

std::string_view class_of(Judgement judgement) {
    if (judgement == Judgement::better) return "mark better";
    return judgement == Judgement::worse ? "mark worse" : "mark";
}

std::string span_of(std::string_view style, const std::string& text) {
    if (text.empty()) return {};
    return fmt::format("<span class=\"{}\">{}</span>", style, escape_markup(text));
}

std::string cell_of(const ComparisonCell& cell, AxisUnit unit, std::size_t index, double greatest) {
    if (!cell.figure) return "<td>–</td>";
    std::string out = "<td>" + span_of(class_of(cell.judgement), judgement_text(cell));
    out += span_of("figure", format_value(cell.figure->median, unit));
    out += span_of("spread", spread_text(cell, unit));
    if (greatest > 0 && cell.figure->median > 0)
        out += fmt::format("<span class=\"bar s{}\" style=\"width: {:.1f}%\"></span>",
                           index % kSeriesColours,
                           std::max(100 * cell.figure->median / greatest, 0.5));
    return out + "</td>";
}

std::string figures_table(const std::vector<Contender>& contenders) {
    std::string out = "<div class=\"card scroll\">\n<table class=\"versus\">\n<thead><tr><th></th>";
    for (std::size_t index = 0; index < contenders.size(); ++index)
        out += fmt::format("<th scope=\"col\"><span class=\"key s{}\"></span>{}</th>",
                           index % kSeriesColours, escape_markup(contenders[index].label));
    out += "</tr></thead>\n<tbody>\n<tr><th scope=\"row\">Verdict</th>";
    for (const Contender& contender : contenders) {
        const std::string verdict = verdicts_of(contender);
        const bool all = std::ranges::all_of(contender.runs, &RunResult::passed);
        out += fmt::format("<td>{}</td>", span_of(all ? "figure better" : "figure worse", verdict));
    }
    out += "</tr>\n";
    std::string group;
    for (const ComparisonRow& row : comparison_rows(contenders)) {
        if (row.group != group)
            out += fmt::format(
                "<tr class=\"group\"><th colspan=\"{}\" scope=\"colgroup\">{}</th></tr>\n",
                contenders.size() + 1, escape_markup(row.group));
        group = row.group;
        double greatest = 0;
        for (const ComparisonCell& cell : row.cells)
            if (cell.figure) greatest = std::max(greatest, cell.figure->median);
        out += fmt::format("<tr><th scope=\"row\">{}</th>", escape_markup(row.name));
        for (std::size_t index = 0; index < row.cells.size(); ++index)
            out += cell_of(row.cells[index], row.unit, index, greatest);
        out += "</tr>\n";
    }
    return out + "</tbody>\n</table>\n</div>\n";
}

Histogram merged(const Contender& contender, Histogram RunResult::* which) {
    Histogram all;
    for (const RunResult& run : contender.runs)
        all.add(run.*which);
    return all;
}

std::string percentiles_of(const std::vector<Contender>& contenders, const std::string& id,
                           std::string_view heading, Histogram RunResult::* which) {
    std::vector<Histogram> histograms;
    for (const Contender& contender : contenders)
        histograms.push_back(merged(contender, which));
    std::vector<Curve> curves;
    bool any = false;
    for (std::size_t index = 0; index < contenders.size(); ++index) {
        curves.push_back({contenders[index].label, &histograms[index]});
        any = any || histograms[index].count() > 0;
    }
    if (!any) return {};
    Plot plot = percentile_plot(id, "Latency by percentile, all runs", curves);
    plot.width = 1110;
    plot.height = 400;
    return section_of(heading, figure_of(plot, {}));
}

// Of several runs the one whose tail is in the middle stands for all.
const RunResult& middle_run(const Contender& contender) {
    std::vector<std::pair<base::Duration, const RunResult*>> runs;
    for (const RunResult& run : contender.runs) {
        const Histogram& latency = run.latency.count() > 0 ? run.latency : run.login_latency;
        runs.emplace_back(latency.percentile(0.99), &run);
    }
    std::ranges::sort(runs);
    return *runs[(runs.size() - 1) / 2].second;
}

std::string over_time_of(const std::vector<Contender>& contenders) {
    struct Kind {
        const char* id;
        const char* title;
        const char* y_title;
        AxisUnit unit;
        double (*value)(const Sample&);
        bool sparse;
    };
    static constexpr Kind kKinds[] = {
        {"p50", "Latency, median", "latency", AxisUnit::nanoseconds, latency_p50_of, false},
        {"p99", "Latency, 99th percentile", "latency", AxisUnit::nanoseconds, latency_p99_of,
         false},
        {"throughput", "Messages received", "messages a second", AxisUnit::number,
         messages_per_s_of, false},
        {"online", "Sessions online", "sessions", AxisUnit::number, online_of, false},
        {"logins", "Logins", "logins a second", AxisUnit::number, logins_per_s_of, false},
        {"cpu", "CPU of the server", "of one core", AxisUnit::share, server_cpu_of, false},
        {"rss", "Memory of the server, RSS", "memory", AxisUnit::bytes, server_rss_of, true},
        {"pss", "Memory of the server, PSS", "memory", AxisUnit::bytes, server_pss_of, true}};
    std::string grid;
    for (const Kind& kind : kKinds) {
        TrackPlot plot{kind.id, kind.title, kind.y_title, kind.unit, {}};
        for (const Contender& contender : contenders)
            plot.tracks.push_back(
                {contender.label, &middle_run(contender).samples, kind.value, false, kind.sparse});
        if (!is_blank(plot)) grid += figure_of(track_plot(plot), {});
    }
    if (grid.empty()) return {};
    return section_of("Over the run", "<div class=\"grid\">\n" + grid + "</div>\n");
}

std::string properties_of(const std::vector<Contender>& contenders) {
    std::vector<std::string> head = {""};
    for (const Contender& contender : contenders)
        head.push_back(contender.label);
    Table different{.caption = "Different", .head = head, .rows = {}, .texts = true};
    Table same{.caption = "The same for all", .head = {}, .rows = {}, .texts = true};
    for (const PropertyRow& row : property_rows(contenders)) {
        std::vector<std::string> cells = {row.name};
        if (!row.differs) {
            cells.push_back(row.values.front());
            same.rows.push_back(std::move(cells));
            continue;
        }
        for (const std::string& value : row.values)
            cells.push_back(value.empty() ? "–" : value);
        different.rows.push_back(std::move(cells));
    }
    std::string cards;
    for (const Table* table : {&different, &same})
        if (!table->rows.empty())
            cards += fmt::format("<div class=\"card scroll\">\n{}</div>\n", table_of(*table));
    return section_of("How it was run", "<div class=\"stack\">\n" + cards + "</div>\n");
}

}  // namespace

std::string compare_html(const std::vector<Contender>& contenders) {
    CHECK(contenders.size() >= 2);
    const RunResult& first = contenders.front().runs.front();
    std::string body = fmt::format(
        "<header>\n<p class=\"eyebrow\">parley-bots, comparison</p>\n"
        "<h1>{} <small>compared</small></h1>\n<p class=\"meta\">",
        escape_markup(first.workload));
    for (const Contender& contender : contenders)
        body += span_of("", contender.label);
    body += "</p>\n</header>\n";
    for (const std::string& remark : remarks_on(contenders))
        body += fmt::format("<p class=\"doubt\">{}</p>\n", escape_markup(remark));
    body += figures_table(contenders);
    body += percentiles_of(contenders, "latency", fmt::format("Latency of {}", measured_in(first)),
                           &RunResult::latency);
    body += over_time_of(contenders);
    body += percentiles_of(contenders, "login-latency", "Logins, from the connection to online",
                           &RunResult::login_latency);
    body += properties_of(contenders);
    body += fmt::format(
        "<footer><p>Ratios are to {}. Figures are medians where a contender has several runs, with "
        "their range; ≈ is no difference that the runs could show. Plots over time show of several "
        "runs the one in the middle. A KB is 1,024 bytes.</p></footer>\n",
        escape_markup(contenders.front().label));
    return page_of(fmt::format("{}: a comparison", first.workload), body);
}

}  // namespace bots
