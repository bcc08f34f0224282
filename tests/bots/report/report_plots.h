// The plots of reports and comparisons, built from results: latency by percentile, and figures over
// the time of the run.
#pragma once

#include "tests/bots/measure/histogram.h"
#include "tests/bots/measure/run_result.h"
#include "tests/bots/report/svg_plot.h"

#include <string>
#include <vector>

namespace bots {

/// How a value of a plot or table reads, with its unit: "1.9 ms", "14.1 KB", "37 %".
std::string format_value(double value, AxisUnit unit);

struct Curve {
    std::string name;
    const Histogram* histogram;  ///< Not null; may be empty.
};
/// Latency over the share of records that are no slower; the far end is drawn out, since that is
/// where servers differ.
Plot percentile_plot(std::string id, std::string title, const std::vector<Curve>& curves);

struct Track {
    std::string name;
    const std::vector<Sample>* samples;  ///< Not null.
    double (*value)(const Sample&);      ///< NaN where there is none.
    bool area = false;
    bool sparse = false;  ///< Samples without a value do not interrupt the line.
};
/// What a plot over time is called and measures.
struct TrackPlot {
    std::string id;
    std::string title;
    std::string y_title;
    AxisUnit unit = AxisUnit::number;
    std::vector<Track> tracks;
};
/// True when no track has a value other than 0: nothing to draw.
bool is_blank(const TrackPlot& wanted);
Plot track_plot(const TrackPlot& wanted);

/// Values of a sample for tracks; NaN where it has none.
double latency_p50_of(const Sample& sample);
double latency_p99_of(const Sample& sample);
double messages_per_s_of(const Sample& sample);
double logins_per_s_of(const Sample& sample);
double online_of(const Sample& sample);
double server_rss_of(const Sample& sample);
double server_pss_of(const Sample& sample);
double server_cpu_of(const Sample& sample);
double bots_cpu_of(const Sample& sample);

}  // namespace bots
