#include "tests/bots/report/html_report.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tests/bots/measure/format.h"
#include "tests/bots/report/html_page.h"
#include "tests/bots/report/markup.h"
#include "tests/bots/report/report_plots.h"
#include "tests/bots/report/summary.h"

namespace bots {
namespace {

constexpr std::size_t kSampleRowsMax = 60;
constexpr std::size_t kErrorRowsMax = 100;

std::string bytes_text(std::uint64_t bytes) {
    return bytes > 0 ? format_bytes(static_cast<double>(bytes)) : "–";
}

std::string_view icon_of(Outcome outcome) {
    // A tick, a cross, and a pause sign in a ring.
    switch (outcome) {
        case Outcome::passed:
            return "M9.5 17.5l5 5 10-11";
        case Outcome::failed:
            return "M11 11l12 12M23 11l-12 12";
        case Outcome::interrupted:
            break;
    }
    return "M13.5 11v12M20.5 11v12";
}

std::string header_of(const RunResult& result) {
    std::vector<std::string> facts = {result.server, format_count(result.users) + " users",
                                      format_duration(result.duration)};
    for (const std::string* fact :
         {&result.security, &result.tls, &result.mechanism, &result.started_at})
        if (!fact->empty()) facts.push_back(*fact);
    std::string meta;
    for (const std::string& fact : facts)
        meta += fmt::format("<span>{}</span>", escape_markup(fact));
    return fmt::format(
        "<header>\n<p class=\"eyebrow\">parley-bots, report of a run</p>\n"
        "<h1>{} <small>against {}</small></h1>\n<p class=\"meta\">{}</p>\n</header>\n",
        escape_markup(result.workload), escape_markup(server_name_of(result)), meta);
}

std::string verdict_box(const RunResult& result) {
    const Outcome outcome = outcome_of(result);
    std::string name(name_of(outcome));
    std::string style = name;
    style[0] = static_cast<char>(style[0] - 'A' + 'a');
    std::string reason = reason_of(result);
    if (!reason.empty() && reason[0] >= 'a' && reason[0] <= 'z')
        reason[0] = static_cast<char>(reason[0] - 'a' + 'A');
    std::string out = fmt::format(
        "<div class=\"verdict {}\" role=\"status\">\n"
        "<svg viewBox=\"0 0 34 34\" aria-hidden=\"true\" xmlns=\"http://www.w3.org/2000/svg\">"
        "<circle cx=\"17\" cy=\"17\" r=\"15\" fill=\"none\" stroke=\"currentColor\" "
        "stroke-width=\"2.5\"/>"
        "<path d=\"{}\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"3\" "
        "stroke-linecap=\"round\" stroke-linejoin=\"round\"/></svg>\n"
        "<div><strong>{}</strong><p>{}.</p></div>\n</div>\n",
        style, icon_of(outcome), name, escape_markup(reason));
    const std::string doubt = doubt_about(result);
    if (!doubt.empty()) out += fmt::format("<p class=\"doubt\">{}</p>\n", escape_markup(doubt));
    return out;
}

void add_latency_tiles(std::vector<Tile>& tiles, const RunResult& result) {
    const Histogram& latency = result.latency.count() > 0 ? result.latency : result.login_latency;
    if (latency.count() == 0) return;
    const std::string_view of = &latency == &result.login_latency ? "login" : "latency";
    tiles.push_back({fmt::format("Median {}", of), format_duration(latency.percentile(0.5)),
                     "90 %: " + format_duration(latency.percentile(0.9))});
    tiles.push_back({"99th percentile", format_duration(latency.percentile(0.99)),
                     "greatest: " + format_duration(latency.max())});
}

std::vector<Tile> tiles_for(const RunResult& result) {
    std::vector<Tile> tiles;
    const Tally& tally = result.messages;
    if (tally.sent > 0) {
        tiles.push_back({"Messages a second", format_number(result.messages_per_s),
                         format_count(tally.received) + " received"});
        const std::uint64_t wrong = tally.lost + tally.duplicated + tally.reordered + tally.stray;
        tiles.push_back({"Lost, doubled, disordered", format_count(wrong),
                         fmt::format("of {} sent", format_count(tally.sent)), wrong > 0});
    }
    add_latency_tiles(tiles, result);
    tiles.push_back({"Sessions online", format_count(result.sessions_peak),
                     fmt::format("at the peak, of {}", format_count(result.users))});
    if (result.logins_per_s > 0)
        tiles.push_back({"Logins a second", format_number(result.logins_per_s),
                         fmt::format("{} in all, {} failed", format_count(result.logins),
                                     format_count(result.logins_failed)),
                         result.logins_failed > 0});
    if (const auto& usage = result.server_usage) {
        if (usage->pss_per_session_bytes > 0)
            tiles.push_back({"Server memory a session", format_bytes(usage->pss_per_session_bytes),
                             "RSS " + bytes_text(usage->rss_bytes)});
        if (usage->cpu_us_per_message > 0)
            tiles.push_back({"Server CPU a message",
                             format_number(usage->cpu_us_per_message) + " µs",
                             format_number(usage->cpu_s) + " s in all"});
        else if (usage->cpu_us_per_login > 0)
            tiles.push_back({"Server CPU a login", format_number(usage->cpu_us_per_login) + " µs",
                             format_number(usage->cpu_s) + " s in all"});
    }
    return tiles;
}

Table percentile_table(const Histogram& histogram) {
    Table table{.caption = {}, .head = {"", "latency"}, .rows = {}};
    static constexpr std::pair<double, std::string_view> kRows[] = {
        {0.5, "50 % (median)"}, {0.75, "75 %"},    {0.9, "90 %"},      {0.95, "95 %"},
        {0.99, "99 %"},         {0.999, "99.9 %"}, {0.9999, "99.99 %"}};
    table.rows.push_back({"least", format_duration(histogram.min())});
    for (const auto& [share, name] : kRows)
        // A percentile that fewer than one record lies beyond is the maximum under another name.
        if (static_cast<double>(histogram.count()) * (1 - share) >= 0.999)
            table.rows.push_back({std::string(name), format_duration(histogram.percentile(share))});
    table.rows.push_back({"greatest", format_duration(histogram.max())});
    table.rows.push_back({"mean", format_duration(histogram.mean())});
    table.rows.push_back({"records", format_count(histogram.count())});
    return table;
}

std::string latency_section(std::string_view heading, const std::string& id,
                            const Histogram& histogram) {
    if (histogram.count() == 0) return {};
    Plot plot = percentile_plot(id, "Latency by percentile", {{"latency", &histogram}});
    return section_of(
        heading, fmt::format("<div class=\"pair\">\n{}<div class=\"card\">\n{}</div>\n</div>\n",
                             figure_of(plot, {}), table_of(percentile_table(histogram))));
}

std::string samples_table(const std::vector<Sample>& samples) {
    Table table{.caption = {},
                .head = {"time", "online", "messages/s", "logins/s", "p50", "p99", "server CPU",
                         "bots' CPU", "server RSS", "server PSS"},
                .rows = {}};
    const std::size_t step = (samples.size() + kSampleRowsMax - 1) / kSampleRowsMax;
    for (std::size_t index = 0; index < samples.size(); index += step) {
        const Sample& sample = samples[index];
        const auto latency = [](base::Duration value) {
            return value.count() > 0 ? format_duration(value) : std::string("–");
        };
        table.rows.push_back(
            {format_duration(std::chrono::round<std::chrono::milliseconds>(sample.at)),
             format_count(sample.online), format_number(sample.messages_per_s),
             format_number(sample.logins_per_s), latency(sample.latency_p50),
             latency(sample.latency_p99), format_share(sample.server_cpu_share),
             format_share(sample.bots_cpu_share), bytes_text(sample.server_rss_bytes),
             bytes_text(sample.server_pss_bytes)});
    }
    return fmt::format(
        "<details>\n<summary>The figures behind these plots</summary>\n"
        "<div class=\"card scroll\">{}</div>\n</details>\n",
        table_of(table));
}

std::string over_time_section(const RunResult& result) {
    const std::vector<Sample>* samples = &result.samples;
    if (samples->empty()) return {};
    const bool server = result.server_usage.has_value();
    std::vector<TrackPlot> plots = {
        {"latency-time",
         "Latency",
         "latency",
         AxisUnit::nanoseconds,
         {{"p50", samples, latency_p50_of}, {"p99", samples, latency_p99_of}}},
        {"throughput",
         "Messages received",
         "messages a second",
         AxisUnit::number,
         {{"messages/s", samples, messages_per_s_of, true}}},
        {"online",
         "Sessions online",
         "sessions",
         AxisUnit::number,
         {{"online", samples, online_of, true}}},
        {"logins",
         "Logins",
         "logins a second",
         AxisUnit::number,
         {{"logins/s", samples, logins_per_s_of, true}}},
        {"cpu", "CPU", "of one core", AxisUnit::share, {{"bots", samples, bots_cpu_of}}}};
    if (server) {
        plots.back().tracks.insert(plots.back().tracks.begin(), {"server", samples, server_cpu_of});
        plots.push_back({"memory",
                         "Memory of the server",
                         "memory",
                         AxisUnit::bytes,
                         {{"RSS", samples, server_rss_of}}});
        if (std::ranges::any_of(*samples, [](const Sample& at) { return at.server_pss_bytes > 0; }))
            plots.back().tracks.push_back({"PSS", samples, server_pss_of, false, true});
    }
    std::string grid = "<div class=\"grid\">\n";
    for (const TrackPlot& plot : plots)
        if (!is_blank(plot)) grid += figure_of(track_plot(plot), {});
    return section_of("Over the run", grid + "</div>\n" + samples_table(*samples));
}

std::string card(const std::string& content) {
    return fmt::format("<div class=\"card\">\n{}</div>\n", content);
}

std::string messages_card(const RunResult& result) {
    const Tally& tally = result.messages;
    Table table{.caption = "Messages", .head = {}, .rows = {}};
    for (const auto& [name, count] : {std::pair("sent", tally.sent),
                                      {"received", tally.received},
                                      {"lost", tally.lost},
                                      {"duplicated", tally.duplicated},
                                      {"reordered", tally.reordered},
                                      {"refused", tally.refused},
                                      {"stray", tally.stray},
                                      {"of another run", tally.foreign}})
        table.rows.push_back({name, format_count(count)});
    table.rows.push_back({"stanzas sent", format_count(result.stanzas_sent)});
    table.rows.push_back({"stanzas received", format_count(result.stanzas_received)});
    return card(table_of(table));
}

std::string figures_card(const RunResult& result) {
    if (result.figures.empty()) return {};
    Table table{.caption = "Of this workload alone", .head = {}, .rows = {}};
    for (const auto& [name, value] : result.figures) {
        NamedFigure figure = figure_named(name, value);
        table.rows.push_back({std::move(figure.label), std::move(figure.text)});
    }
    return card(table_of(table));
}

std::string errors_card(const RunResult& result) {
    std::vector<std::pair<std::string, std::uint64_t>> errors(result.errors.begin(),
                                                              result.errors.end());
    std::ranges::sort(errors, [](const auto& left, const auto& right) {
        return left.second != right.second ? left.second > right.second : left.first < right.first;
    });
    Table table{.caption = "Errors", .head = {}, .rows = {}};
    for (std::size_t index = 0; index < std::min(errors.size(), kErrorRowsMax); ++index)
        table.rows.push_back({errors[index].first, format_count(errors[index].second)});
    if (errors.size() > kErrorRowsMax)
        table.rows.push_back({"other kinds", format_count(errors.size() - kErrorRowsMax)});
    if (errors.empty()) table.rows.push_back({"none"});
    return card(table_of(table));
}

std::string usage_card(const RunResult& result) {
    Table table{.caption = "CPU and memory", .head = {"", "server", "bots"}, .rows = {}};
    const ServerUsage usage = result.server_usage.value_or(ServerUsage{});
    const auto cpu = [](double seconds) {
        return seconds > 0 ? format_number(seconds) + " s" : std::string("–");
    };
    table.rows.push_back({"CPU", cpu(usage.cpu_s), cpu(result.bots_cpu_s)});
    const double seconds = std::chrono::duration<double>(result.duration).count();
    table.rows.push_back(
        {"of one core", usage.cpu_s > 0 && seconds > 0 ? format_share(usage.cpu_s / seconds) : "–",
         format_share(result.bots_cpu_share)});
    table.rows.push_back({"RSS", bytes_text(usage.rss_bytes), bytes_text(result.bots_rss_bytes)});
    table.rows.push_back({"PSS", bytes_text(usage.pss_bytes), ""});
    table.rows.push_back({"RSS before", bytes_text(usage.rss_before_bytes), ""});
    table.rows.push_back({"PSS before", bytes_text(usage.pss_before_bytes), ""});
    std::string out = table_of(table);
    if (!result.server_usage)
        out += "<p class=\"eyebrow\">The server's pid was not given.</p>\n";
    else if (!usage.note.empty())
        out += fmt::format("<p class=\"eyebrow\">{}</p>\n", escape_markup(usage.note));
    return card(out);
}

std::string run_section(const RunResult& result) {
    Table settings{.caption = "Settings", .head = {}, .rows = {}, .texts = true};
    for (const auto& [name, value] : result.settings)
        settings.rows.push_back({name, value});
    if (settings.rows.empty()) settings.rows.push_back({"none recorded"});
    Table setting{.caption = "Where and when", .head = {}, .rows = {}, .texts = true};
    const auto text = [](const std::string& value) {
        return value.empty() ? std::string("–") : value;
    };
    setting.rows = {{"server", text(result.server)},
                    {"software", text(result.server_software)},
                    {"security", text(result.security)},
                    {"TLS", text(result.tls)},
                    {"mechanism", text(result.mechanism)},
                    {"started", text(result.started_at)},
                    {"measured for", format_duration(result.duration)},
                    {"parley-bots", text(result.bots_version)}};
    if (result.bots_shards > 0)
        setting.rows.push_back({"bots' loops", format_count(result.bots_shards)});
    if (result.server_usage) {
        std::string pids;
        for (const int pid : result.server_usage->pids)
            fmt::format_to(std::back_inserter(pids), "{}{}", pids.empty() ? "" : ", ", pid);
        setting.rows.push_back({"server's pids", pids});
    }
    return section_of("How it was run",
                      fmt::format("<div class=\"cards\">\n{}{}</div>\n", card(table_of(settings)),
                                  card(table_of(setting))));
}

}  // namespace

std::string html_report(const RunResult& result) {
    std::string body = header_of(result);
    body += verdict_box(result);
    body += tiles_of(tiles_for(result));
    body += latency_section(fmt::format("Latency of {}", measured_in(result)), "latency",
                            result.latency);
    body += over_time_section(result);
    body += latency_section("Logins, from the connection to online", "login-latency",
                            result.login_latency);
    body += section_of("The books",
                       fmt::format("<div class=\"cards\">\n{}{}{}{}</div>\n", messages_card(result),
                                   figures_card(result), usage_card(result), errors_card(result)));
    body += run_section(result);
    body +=
        "<footer><p>Latencies run from the moment a message was due to be sent to its arrival, "
        "so that a stalled server cannot hide behind a late sender. Percentiles are exact to "
        "1 %. A KB is 1,024 bytes; CPU shares are of one core.</p></footer>\n";
    return page_of(fmt::format("{} against {}", result.workload, server_name_of(result)), body);
}

}  // namespace bots
