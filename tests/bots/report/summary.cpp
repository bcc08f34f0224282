#include "tests/bots/report/summary.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/bots/measure/format.h"
#include "tests/bots/report/report_plots.h"

namespace bots {
namespace {

// Errors by condition that the summary shows; the rest is a number.
constexpr std::size_t kErrorsShown = 4;
// Of the cores that the bots had; beyond it they may have been what limited the run.
constexpr double kBusyShare = 0.85;

std::string plural(std::uint64_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", format_count(count), count == 1 ? one : many);
}

// "3 lost, 1 duplicated"
std::string faults_of(const Tally& tally) {
    std::vector<std::string> faults;
    for (const auto& [count, what] : {std::pair(tally.lost, "lost"),
                                      {tally.duplicated, "duplicated"},
                                      {tally.reordered, "reordered"},
                                      {tally.stray, "stray"}})
        if (count > 0) faults.push_back(fmt::format("{} {}", format_count(count), what));
    return fmt::format("{}", fmt::join(faults, ", "));
}

std::string percentiles_of(const Histogram& latency) {
    return fmt::format(
        "p50 {}  p90 {}  p99 {}  p99.9 {}  max {}", format_duration(latency.percentile(0.5)),
        format_duration(latency.percentile(0.9)), format_duration(latency.percentile(0.99)),
        format_duration(latency.percentile(0.999)), format_duration(latency.max()));
}

class Lines {
public:
    void add(std::string_view head, const std::string& text) {
        fmt::format_to(std::back_inserter(out_), "  {:<9} {}\n", head, text);
    }
    std::string release() { return std::move(out_); }

private:
    std::string out_;
};

void add_messages(Lines& lines, const RunResult& result) {
    const Tally& tally = result.messages;
    if (tally.sent + tally.refused + tally.foreign + tally.stray > 0) {
        std::string text =
            fmt::format("{} sent, {} received, {} lost, {} duplicated, {} reordered, {} refused",
                        format_count(tally.sent), format_count(tally.received),
                        format_count(tally.lost), format_count(tally.duplicated),
                        format_count(tally.reordered), format_count(tally.refused));
        if (tally.stray > 0) text += fmt::format(", {} stray", format_count(tally.stray));
        if (tally.foreign > 0)
            text += fmt::format(", {} of another run", format_count(tally.foreign));
        lines.add("messages", text);
    }
    if (result.messages_per_s > 0)
        lines.add("rate", format_number(result.messages_per_s) + " messages/s");
    if (result.latency.count() > 0)
        lines.add("latency",
                  fmt::format("{}  ({} {})", percentiles_of(result.latency),
                              format_count(result.latency.count()), measured_in(result)));
}

void add_logins(Lines& lines, const RunResult& result) {
    std::string text = format_count(result.logins);
    if (result.logins_per_s > 0) text += fmt::format(" ({}/s)", format_number(result.logins_per_s));
    if (result.logins_failed > 0)
        text += fmt::format(", {} failed", format_count(result.logins_failed));
    lines.add("logins", text);
    if (result.login_latency.count() > 0) lines.add("", percentiles_of(result.login_latency));
    lines.add("sessions", fmt::format("{} at the peak, of {}", format_count(result.sessions_peak),
                                      format_count(result.users)));
}

void add_figures(Lines& lines, const RunResult& result) {
    std::string text;
    for (const auto& [name, value] : result.figures) {
        const NamedFigure figure = figure_named(name, value);
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", printable(figure.label, 40),
                            figure.text);
    }
    if (!text.empty()) lines.add("also", text);
}

void add_errors(Lines& lines, const RunResult& result) {
    if (result.errors.empty()) return;
    std::vector<std::pair<std::uint64_t, std::string>> errors;
    for (const auto& [text, count] : result.errors)
        errors.emplace_back(count, text);
    std::ranges::sort(errors, [](const auto& left, const auto& right) {
        return left.first != right.first ? left.first > right.first : left.second < right.second;
    });
    std::string text;
    for (std::size_t index = 0; index < std::min(errors.size(), kErrorsShown); ++index)
        text += fmt::format("{}{} {}", index == 0 ? "" : ", ", format_count(errors[index].first),
                            printable(errors[index].second, 60));
    if (errors.size() > kErrorsShown)
        text += fmt::format(", and {} other kinds", errors.size() - kErrorsShown);
    lines.add("errors", text);
}

void add_usage(Lines& lines, const RunResult& result) {
    if (const auto& usage = result.server_usage) {
        std::string cpu = fmt::format("{} s", format_number(usage->cpu_s));
        if (usage->cpu_us_per_message > 0)
            cpu += fmt::format(", {} µs a message", format_number(usage->cpu_us_per_message));
        if (usage->cpu_us_per_login > 0)
            cpu += fmt::format(", {} µs a login", format_number(usage->cpu_us_per_login));
        std::string memory = "RSS " + format_bytes(static_cast<double>(usage->rss_bytes));
        if (usage->pss_bytes > 0)
            memory += ", PSS " + format_bytes(static_cast<double>(usage->pss_bytes));
        if (usage->pss_per_session_bytes > 0)
            memory += fmt::format(", {} a session", format_bytes(usage->pss_per_session_bytes));
        lines.add("server", fmt::format("CPU {}; {}", cpu, memory));
        if (!usage->note.empty()) lines.add("", printable(usage->note));
    }
    lines.add("bots", fmt::format("CPU {} of a core, {}", format_share(result.bots_cpu_share),
                                  format_bytes(static_cast<double>(result.bots_rss_bytes))));
}

}  // namespace

Outcome outcome_of(const RunResult& result) {
    if (!result.passed()) return Outcome::failed;
    return result.interrupted ? Outcome::interrupted : Outcome::passed;
}

std::string_view name_of(Outcome outcome) {
    if (outcome == Outcome::passed) return "Passed";
    return outcome == Outcome::failed ? "Failed" : "Interrupted";
}

std::string reason_of(const RunResult& result) {
    const Tally& tally = result.messages;
    std::string reason;
    if (!tally.clean()) {
        reason = tally.sent > 0
                     ? fmt::format("of {}: {}", plural(tally.sent, "message", "messages"),
                                   faults_of(tally))
                     : faults_of(tally) + " messages";
    } else if (result.failure.empty() && tally.received > 0) {
        reason = fmt::format("{}, none lost, duplicated or reordered",
                             plural(tally.received, "message", "messages"));
    } else if (result.failure.empty() && result.sessions_peak > 0) {
        reason = plural(result.sessions_peak, "session", "sessions") + " came online";
        if (result.logins_failed > 0)
            reason += fmt::format(", {} failed", plural(result.logins_failed, "login", "logins"));
    } else if (result.failure.empty()) {
        reason = "nothing was measured";
    }
    if (!result.failure.empty())
        reason = reason.empty() ? result.failure : fmt::format("{}; {}", result.failure, reason);
    if (result.interrupted)
        reason += fmt::format(" (interrupted after {})", format_duration(result.duration));
    return reason;
}

std::string_view measured_in(const RunResult& result) {
    if (result.workload == "iq") return "answers";
    return result.workload == "presence" ? "presence" : "messages";
}

std::string server_name_of(const RunResult& result) {
    return result.server_software.empty() ? result.server : result.server_software;
}

std::string doubt_about(const RunResult& result) {
    if (result.bots_shards == 0 || result.bots_cpu_share < kBusyShare * result.bots_shards)
        return {};
    return fmt::format(
        "The bots used {} of {} themselves: what was measured may be their limit.",
        format_share(result.bots_cpu_share),
        result.bots_shards == 1 ? "their core" : fmt::format("their {} cores", result.bots_shards));
}

NamedFigure figure_named(std::string_view name, double value) {
    struct Ending {
        std::string_view text;
        double size;
        AxisUnit unit;
    };
    static constexpr Ending kEndings[] = {
        {"_per_s", 1, AxisUnit::number},     {"_ms", 1e6, AxisUnit::nanoseconds},
        {"_us", 1e3, AxisUnit::nanoseconds}, {"_s", 1e9, AxisUnit::nanoseconds},
        {"_bytes", 1, AxisUnit::bytes},      {"_share", 1, AxisUnit::share}};
    NamedFigure figure{std::string(name), {}, value, AxisUnit::number, false};
    for (const Ending& ending : kEndings) {
        if (!name.ends_with(ending.text) || name.size() == ending.text.size()) continue;
        figure.label.resize(name.size() - ending.text.size());
        figure.value = value * ending.size;
        figure.unit = ending.unit;
        figure.rate = ending.text == "_per_s";
        break;
    }
    std::ranges::replace(figure.label, '_', ' ');
    figure.text = format_value(figure.value, figure.unit) + (figure.rate ? "/s" : "");
    return figure;
}

std::string text_summary(const RunResult& result) {
    Lines lines;
    lines.add("workload",
              fmt::format("{}, {}, {}", printable(result.workload),
                          plural(result.users, "user", "users"), format_duration(result.duration)));
    std::string server = printable(result.server);
    if (!result.server_software.empty())
        server += fmt::format(" ({})", printable(result.server_software, 60));
    for (const std::string* part : {&result.security, &result.mechanism})
        if (!part->empty()) server += ", " + printable(*part, 60);
    lines.add("server", server);
    add_messages(lines, result);
    add_logins(lines, result);
    add_figures(lines, result);
    add_errors(lines, result);
    add_usage(lines, result);
    std::string out =
        fmt::format("{}: {}.\n", name_of(outcome_of(result)), printable(reason_of(result)));
    out += lines.release();
    const std::string doubt = doubt_about(result);
    return doubt.empty() ? out : out + "  " + doubt + "\n";
}

}  // namespace bots
