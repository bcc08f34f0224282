// Plots as SVG that stands in an XHTML page: lines and areas over axes with round ticks. Colours
// are classes (s0, s1, …) that the page's style sheet gives a value in light, dark and print.
// Without a script, pointing at a plot shows the figures at that place.
#pragma once

#include "tests/bots/report/axis.h"

#include <string>
#include <vector>

namespace bots {

/// Colours that the style sheet has; series past them begin anew, dashed.
inline constexpr std::size_t kSeriesColours = 6;

struct Point {
    double x = 0;
    double y = 0;  ///< NaN: the line is interrupted here.
};

struct Series {
    std::string name;
    std::vector<Point> points;  ///< Ascending in x.
    bool area = false;          ///< Filled down to the axis.
};

/// What pointing at the strip around `x` shows: a line, a dot on each series, and `text`.
struct Spot {
    double x = 0;
    std::string text;
    std::vector<Point> dots;
};

struct Plot {
    std::string id;  ///< Unique in the page; letters and hyphens.
    std::string title;
    std::string description;  ///< For those who cannot see it: what it shows, the main figures.
    std::string x_title;
    std::string y_title;
    Axis x;
    Axis y;
    std::vector<Series> series;
    std::vector<Spot> spots;  ///< Ascending in x.
    int width = 560;
    int height = 260;
};

/// The <svg> element.
std::string svg_of(const Plot& plot);
/// A <figure>: the title, a legend when there are several series, the plot, and `after` (a table or
/// a note, as markup) below it.
std::string figure_of(const Plot& plot, const std::string& after);

}  // namespace bots
