// The text format of OpenMetrics 1.0 (metric families in blocks, "# EOF" at the end).
#include <iterator>

#include <fmt/format.h>

#include "server/observe/metrics.h"

namespace server {
namespace {

constexpr std::string_view kTotal = "_total";

std::string_view kind_name(MetricKind kind) {
    switch (kind) {
        case MetricKind::counter:
            return "counter";
        case MetricKind::gauge:
            return "gauge";
        case MetricKind::histogram:
            break;
    }
    return "histogram";
}

/// Backslash, quote and line feed are escaped the same way in help texts and in label values.
std::string escape(std::string_view text) {
    std::string escaped;
    for (const char letter : text) {
        if (letter == '\\' || letter == '"') escaped += '\\';
        if (letter == '\n')
            escaped += "\\n";
        else
            escaped += letter;
    }
    return escaped;
}

std::string label_text(const MetricLabels& labels, std::string_view bucket_limit = {}) {
    std::string text;
    const auto append = [&](std::string_view name, std::string_view value) {
        fmt::format_to(std::back_inserter(text), "{}{}=\"{}\"", text.empty() ? "{" : ",", name,
                       escape(value));
    };
    for (const auto& [name, value] : labels)
        append(name, value);
    if (!bucket_limit.empty()) append("le", bucket_limit);
    return text.empty() ? text : text + "}";
}

/// Floats keep a fraction, as the canonical form wants: 1.0, not 1.
std::string number_text(double value) {
    std::string text = fmt::format("{}", value);
    if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
    return text;
}

std::string family_of(const MetricSample& sample) {
    std::string_view name = sample.name;
    if (sample.kind == MetricKind::counter && name.ends_with(kTotal))
        name.remove_suffix(kTotal.size());
    return fmt::format("parley_{}", name);
}

void append_histogram(std::string& out, const std::string& family, const MetricSample& sample) {
    std::uint64_t cumulative = 0;
    for (std::size_t index = 0; index < sample.counts.size(); ++index) {
        cumulative += sample.counts[index];
        const std::string limit =
            index < sample.bounds.size() ? number_text(sample.bounds[index]) : "+Inf";
        fmt::format_to(std::back_inserter(out), "{}_bucket{} {}\n", family,
                       label_text(sample.labels, limit), cumulative);
    }
    const std::string labels = label_text(sample.labels);
    fmt::format_to(std::back_inserter(out), "{0}_count{1} {2}\n{0}_sum{1} {3}\n", family, labels,
                   cumulative, number_text(sample.sum));
}

void append_sample(std::string& out, const std::string& family, const MetricSample& sample) {
    if (sample.kind == MetricKind::histogram) return append_histogram(out, family, sample);
    fmt::format_to(std::back_inserter(out), "{}{}{} {}\n", family,
                   sample.kind == MetricKind::counter ? kTotal : "", label_text(sample.labels),
                   sample.value);
}

}  // namespace

std::string to_openmetrics(const MetricsSnapshot& snapshot) {
    std::string out;
    std::vector<bool> written(snapshot.size());
    for (std::size_t first = 0; first < snapshot.size(); ++first) {
        if (written[first]) continue;
        const std::string family = family_of(snapshot[first]);
        fmt::format_to(std::back_inserter(out), "# TYPE {0} {1}\n# HELP {0} {2}\n", family,
                       kind_name(snapshot[first].kind), escape(snapshot[first].help));
        // All series of a family stand together, wherever they were registered.
        for (std::size_t index = first; index < snapshot.size(); ++index) {
            if (snapshot[index].name != snapshot[first].name) continue;
            append_sample(out, family, snapshot[index]);
            written[index] = true;
        }
    }
    return out + "# EOF\n";
}

}  // namespace server
