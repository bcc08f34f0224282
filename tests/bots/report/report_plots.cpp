#include "tests/bots/report/report_plots.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "tests/bots/measure/format.h"

namespace bots {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
// Above this, the slowest record would press the others to the floor of a linear axis.
constexpr double kLinearRatioMax = 12;
constexpr std::size_t kSpotsMax = 240;
constexpr std::array kShares = {0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 0.99999};

double or_nothing(double value) {
    return value > 0 ? value : kNothing;
}

double nanoseconds_of(base::Duration duration) {
    return static_cast<double>(duration.count());
}

double seconds_of(base::Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

std::string join(std::string text, std::string_view separator, const std::string& more) {
    if (!text.empty()) text += separator;
    return text + more;
}

// "p50 0.4 ms" among several, "0.4 ms" alone.
std::string named_value(const std::string& name, bool alone, const std::string& value) {
    return alone ? value : fmt::format("{} {}", name, value);
}

std::vector<Point> percentile_points(const Histogram& histogram, const Axis& x) {
    std::vector<Point> points;
    const auto all = static_cast<double>(histogram.count());
    if (histogram.count() == 0) return points;
    points.push_back({0, nanoseconds_of(histogram.min())});
    double seen = 0;
    for (const Histogram::Bucket& bucket : histogram.buckets()) {
        seen += static_cast<double>(bucket.count);
        const double share = std::min(seen / all, x.high);
        points.push_back({share, nanoseconds_of(std::min(bucket.up_to, histogram.max()))});
    }
    return points;
}

Axis latency_axis(const std::vector<Curve>& curves) {
    double low = std::numeric_limits<double>::max();
    double middle = std::numeric_limits<double>::max();
    double high = 0;
    for (const auto& [name, histogram] : curves) {
        if (histogram->count() == 0) continue;
        low = std::min(low, nanoseconds_of(histogram->min()));
        middle = std::min(middle, nanoseconds_of(histogram->percentile(0.5)));
        high = std::max(high, nanoseconds_of(histogram->max()));
    }
    if (high == 0) return linear_axis(0, 1e6, AxisUnit::nanoseconds, 4);
    if (high / middle <= kLinearRatioMax) return linear_axis(0, high, AxisUnit::nanoseconds, 5);
    return logarithmic_axis(low, high, AxisUnit::nanoseconds);
}

// The sample nearest to `at`; none when it is further away than a step of the track.
const Sample* sample_near(const std::vector<Sample>& samples, base::Duration at) {
    const auto after = std::ranges::lower_bound(samples, at, {}, &Sample::at);
    const Sample* best = after != samples.end() ? &*after : nullptr;
    if (after != samples.begin()) {
        const Sample& before = *std::prev(after);
        if (best == nullptr || at - before.at < best->at - at) best = &before;
    }
    if (best == nullptr || samples.size() < 2) return best;
    const base::Duration step = samples[1].at - samples[0].at;
    return std::chrono::abs(best->at - at) <= step ? best : nullptr;
}

std::vector<Spot> track_spots(const TrackPlot& wanted) {
    std::vector<Spot> spots;
    // The track that goes on longest gives the places.
    const auto longest = std::ranges::max_element(wanted.tracks, {}, [](const Track& track) {
        return track.samples->empty() ? base::Duration(0) : track.samples->back().at;
    });
    if (longest == wanted.tracks.end()) return spots;
    const std::size_t step = longest->samples->size() / kSpotsMax + 1;
    for (std::size_t index = 0; index < longest->samples->size(); index += step) {
        const base::Duration at = (*longest->samples)[index].at;
        Spot spot{seconds_of(at), {}, {}};
        std::string values;
        for (const Track& track : wanted.tracks) {
            const Sample* sample = sample_near(*track.samples, at);
            const double value = sample != nullptr ? track.value(*sample) : kNothing;
            spot.dots.push_back({spot.x, value});
            if (std::isfinite(value))
                values = join(std::move(values), "  ",
                              named_value(track.name, wanted.tracks.size() == 1,
                                          format_value(value, wanted.unit)));
        }
        const auto whole = std::chrono::round<std::chrono::milliseconds>(at);
        spot.text = fmt::format("{}:  {}", format_duration(whole), values.empty() ? "–" : values);
        spots.push_back(std::move(spot));
    }
    return spots;
}

struct Range {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
};

Range range_of(const Track& track) {
    Range range;
    for (const Sample& sample : *track.samples) {
        const double value = track.value(sample);
        if (!std::isfinite(value)) continue;
        range.low = std::min(range.low, value);
        range.high = std::max(range.high, value);
    }
    return range;
}

}  // namespace

double latency_p50_of(const Sample& sample) {
    return or_nothing(nanoseconds_of(sample.latency_p50));
}
double latency_p99_of(const Sample& sample) {
    return or_nothing(nanoseconds_of(sample.latency_p99));
}
double messages_per_s_of(const Sample& sample) {
    return sample.messages_per_s;
}
double logins_per_s_of(const Sample& sample) {
    return sample.logins_per_s;
}
double online_of(const Sample& sample) {
    return sample.online;
}
double server_rss_of(const Sample& sample) {
    return or_nothing(static_cast<double>(sample.server_rss_bytes));
}
double server_pss_of(const Sample& sample) {
    return or_nothing(static_cast<double>(sample.server_pss_bytes));
}
double server_cpu_of(const Sample& sample) {
    return sample.server_cpu_share;
}
double bots_cpu_of(const Sample& sample) {
    return sample.bots_cpu_share;
}

std::string format_value(double value, AxisUnit unit) {
    switch (unit) {
        case AxisUnit::nanoseconds:
            return format_duration(base::Duration(std::llround(std::clamp(value, -9e18, 9e18))));
        case AxisUnit::bytes:
            return format_bytes(value);
        case AxisUnit::share:
            return format_share(value);
        case AxisUnit::seconds:
            return format_number(value) + " s";
        case AxisUnit::number:
            break;
    }
    return format_number(value);
}

Plot percentile_plot(std::string id, std::string title, const std::vector<Curve>& curves) {
    std::uint64_t records = 0;
    for (const Curve& curve : curves)
        records = std::max(records, curve.histogram->count());
    Plot plot{.id = std::move(id),
              .title = std::move(title),
              .description = "Latency by percentile.",
              .x_title = "share of records that took no longer",
              .y_title = "latency",
              .x = nines_axis(records),
              .y = latency_axis(curves),
              .series = {},
              .spots = {},
              .width = 740,
              .height = 400};
    for (const auto& [name, histogram] : curves) {
        plot.series.push_back({name, percentile_points(*histogram, plot.x)});
        plot.description += fmt::format(" {}: median {}, 99th percentile {}, greatest {}.", name,
                                        format_duration(histogram->percentile(0.5)),
                                        format_duration(histogram->percentile(0.99)),
                                        format_duration(histogram->max()));
    }
    for (const double share : kShares) {
        if (share > plot.x.high) break;
        Spot spot{share, {}, {}};
        for (const auto& [name, histogram] : curves) {
            const base::Duration value = histogram->percentile(share);
            spot.dots.push_back({share, histogram->count() > 0 ? nanoseconds_of(value) : kNothing});
            spot.text = join(std::move(spot.text), "  ",
                             named_value(name, curves.size() == 1, format_duration(value)));
        }
        spot.text = fmt::format("{:.6g} %:  {}", share * 100, spot.text);
        plot.spots.push_back(std::move(spot));
    }
    return plot;
}

bool is_blank(const TrackPlot& wanted) {
    return std::ranges::none_of(wanted.tracks,
                                [](const Track& track) { return range_of(track).high > 0; });
}

Plot track_plot(const TrackPlot& wanted) {
    Plot plot{.id = wanted.id,
              .title = wanted.title,
              .description = wanted.title + " over the time of the run.",
              .x_title = "time since the start",
              .y_title = wanted.y_title,
              .x = {},
              .y = {},
              .series = {},
              .spots = track_spots(wanted)};
    double end = 0;
    double high = 0;
    for (const Track& track : wanted.tracks) {
        Series series{track.name, {}, track.area};
        for (const Sample& sample : *track.samples) {
            const double value = track.value(sample);
            if (!track.sparse || std::isfinite(value))
                series.points.push_back({seconds_of(sample.at), value});
        }
        if (!series.points.empty()) end = std::max(end, series.points.back().x);
        const Range range = range_of(track);
        if (range.high >= range.low) {
            high = std::max(high, range.high);
            plot.description +=
                fmt::format(" {}: from {} to {}.", track.name, format_value(range.low, wanted.unit),
                            format_value(range.high, wanted.unit));
        }
        plot.series.push_back(std::move(series));
    }
    plot.x = linear_axis(0, end, AxisUnit::seconds, 8);
    plot.y = linear_axis(0, high, wanted.unit, 5);
    return plot;
}

}  // namespace bots
