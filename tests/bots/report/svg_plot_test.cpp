#include "tests/bots/report/svg_plot.h"

#include <cmath>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bots/report/well_formed.h"

namespace bots {
namespace {

using testing::HasSubstr;
using testing::Not;

Plot example_plot() {
    return {.id = "example",
            .title = "A <plot>",
            .description = "What & why.",
            .x_title = "time",
            .y_title = "latency",
            .x = linear_axis(0, 10, AxisUnit::seconds, 5),
            .y = linear_axis(0, 4e6, AxisUnit::nanoseconds, 4),
            .series = {{"p50", {{0, 1e6}, {5, 2e6}, {10, 4e6}}, true}},
            .spots = {{5, "5 s: <2 ms>", {{5, 2e6}}}}};
}

std::size_t count_of(std::string_view text, std::string_view what) {
    std::size_t count = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
        ++count;
    return count;
}

TEST(SvgPlot, is_well_formed_and_escapes_texts) {
    const std::string svg = svg_of(example_plot());
    EXPECT_EQ(complaint_about(svg), "");
    EXPECT_THAT(svg, HasSubstr("A &lt;plot&gt;"));
    EXPECT_THAT(svg, HasSubstr("What &amp; why."));
    EXPECT_THAT(svg, HasSubstr("5 s: &lt;2 ms&gt;"));
}

TEST(SvgPlot, puts_values_where_they_belong) {
    const std::string svg = svg_of(example_plot());
    // 560 by 260, less the room for labels: x from 54 to 542, y from 220 up to 30.
    EXPECT_THAT(svg, HasSubstr("<path class=\"line\" d=\"M54.0 172.5L298.0 125.0L542.0 30.0\"/>"));
    EXPECT_THAT(svg, HasSubstr("L542.0 220L54.0 220Z"));
    EXPECT_THAT(svg, HasSubstr("latency, ms"));
}

TEST(SvgPlot, interrupts_the_line_where_there_is_no_value) {
    Plot plot = example_plot();
    plot.series[0].area = false;
    plot.series[0].points = {{0, 1e6}, {1, 1e6},          {2, std::nan("")}, {3, 1e6},
                             {4, 1e6}, {5, std::nan("")}, {6, 1e6}};
    const std::string svg = svg_of(plot);
    EXPECT_EQ(count_of(svg, "class=\"line\""), 2U);
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(SvgPlot, keeps_values_out_of_range_inside) {
    Plot plot = example_plot();
    plot.series[0].points = {{-5, -1e6}, {20, 9e9}, {21, INFINITY}};
    const std::string svg = svg_of(plot);
    EXPECT_THAT(svg, HasSubstr("M54.0 220.0L542.0 30.0"));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(SvgPlot, draws_nothing_of_nothing) {
    Plot plot = example_plot();
    plot.series = {{"empty", {}}};
    plot.spots.clear();
    EXPECT_EQ(complaint_about(svg_of(plot)), "");
}

TEST(SvgPlot, has_a_legend_for_several_series_and_dashes_past_the_colours) {
    Plot plot = example_plot();
    EXPECT_THAT(figure_of(plot, ""), Not(HasSubstr("legend")));
    while (plot.series.size() <= kSeriesColours)
        plot.series.push_back({"more", {{0, 1}, {1, 1}}});
    const std::string figure = figure_of(plot, "<p>after</p>");
    EXPECT_EQ(complaint_about(figure), "");
    EXPECT_THAT(figure, HasSubstr("<span class=\"key s0\">"));
    EXPECT_THAT(figure, HasSubstr("<span class=\"key s0 dash\">"));
    EXPECT_THAT(figure, HasSubstr("<p>after</p>"));
}

}  // namespace
}  // namespace bots
