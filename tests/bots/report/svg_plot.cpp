#include "tests/bots/report/svg_plot.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "tests/bots/report/markup.h"

namespace bots {
namespace {

// Room around the plotting area, for labels.
constexpr int kLeft = 54;
constexpr int kRight = 18;
constexpr int kTop = 30;
constexpr int kBottom = 40;
// Series with fewer points show each of them.
constexpr std::size_t kDotsMax = 24;

class Drawing {
public:
    explicit Drawing(const Plot& plot) : plot_(plot) {}

    std::string draw() {
        add("<svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\" "
            "aria-labelledby=\"{}-title {}-desc\" xmlns=\"http://www.w3.org/2000/svg\">\n",
            plot_.width, plot_.height, plot_.id, plot_.id);
        add("<title id=\"{}-title\">{}</title>\n<desc id=\"{}-desc\">{}</desc>\n", plot_.id,
            escape_markup(plot_.title), plot_.id, escape_markup(plot_.description));
        draw_axes();
        for (std::size_t index = 0; index < plot_.series.size(); ++index)
            draw_series(plot_.series[index], index);
        draw_spots();
        out_ += "</svg>\n";
        return std::move(out_);
    }

private:
    template <class... Arguments>
    void add(fmt::format_string<Arguments...> form, Arguments&&... arguments) {
        fmt::format_to(std::back_inserter(out_), form, std::forward<Arguments>(arguments)...);
    }

    int bottom() const { return plot_.height - kBottom; }
    int right() const { return plot_.width - kRight; }
    double x_of(double value) const {
        return kLeft + std::clamp(plot_.x.place_of(value), 0.0, 1.0) * (right() - kLeft);
    }
    double y_of(double value) const {
        return bottom() - std::clamp(plot_.y.place_of(value), 0.0, 1.0) * (bottom() - kTop);
    }

    void draw_axes() {
        out_ += "<g class=\"grid\">\n";
        for (const Tick& tick : plot_.y.ticks)
            add("<line x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>\n", kLeft,
                y_of(tick.value), right(), y_of(tick.value));
        out_ += "</g>\n<g class=\"label\">\n";
        for (const Tick& tick : plot_.y.ticks)
            add("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft - 8,
                y_of(tick.value) + 4, escape_markup(tick.label));
        for (const Tick& tick : plot_.x.ticks)
            add("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x_of(tick.value),
                bottom() + 17, escape_markup(tick.label));
        add("<text class=\"axis-title\" x=\"{}\" y=\"{}\">{}</text>\n", 4, kTop - 14,
            escape_markup(with_unit(plot_.y_title, plot_.y)));
        add("<text class=\"axis-title\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", right(),
            plot_.height - 6, escape_markup(with_unit(plot_.x_title, plot_.x)));
        add("</g>\n<line class=\"base\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", kLeft,
            bottom(), right(), bottom());
    }

    static std::string with_unit(const std::string& title, const Axis& axis) {
        if (axis.unit_name.empty()) return title;
        return title.empty() ? axis.unit_name : fmt::format("{}, {}", title, axis.unit_name);
    }

    static std::string class_of(std::size_t index) {
        return fmt::format("s{}{}", index % kSeriesColours, index < kSeriesColours ? "" : " dash");
    }

    void draw_series(const Series& series, std::size_t index) {
        add("<g class=\"{}\">\n", class_of(index));
        for (auto begin = series.points.begin(); begin != series.points.end();) {
            begin = std::find_if(begin, series.points.end(),
                                 [](const Point& point) { return std::isfinite(point.y); });
            const auto end = std::find_if(begin, series.points.end(), [](const Point& point) {
                return !std::isfinite(point.y);
            });
            if (begin == end) break;
            draw_run(std::vector<Point>(begin, end), series.area);
            begin = end;
        }
        if (series.points.size() <= kDotsMax)
            for (const Point& point : series.points)
                if (std::isfinite(point.y))
                    add("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"/>\n", x_of(point.x),
                        y_of(point.y));
        out_ += "</g>\n";
    }

    // A stretch of the line without interruption.
    void draw_run(const std::vector<Point>& points, bool area) {
        std::string path;
        char command = 'M';
        for (const Point& point : points) {
            fmt::format_to(std::back_inserter(path), "{}{:.1f} {:.1f}", command, x_of(point.x),
                           y_of(point.y));
            command = 'L';
        }
        if (area)
            add("<path class=\"area\" d=\"{}L{:.1f} {}L{:.1f} {}Z\"/>\n", path,
                x_of(points.back().x), bottom(), x_of(points.front().x), bottom());
        if (points.size() == 1) {
            add("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"/>\n", x_of(points[0].x),
                y_of(points[0].y));
            return;
        }
        add("<path class=\"line\" d=\"{}\"/>\n", path);
    }

    // Each spot reaches half way to its neighbours.
    void draw_spots() {
        if (plot_.spots.empty()) return;
        out_ += "<g aria-hidden=\"true\">\n";
        double from = kLeft;
        for (std::size_t index = 0; index < plot_.spots.size(); ++index) {
            const Spot& spot = plot_.spots[index];
            const double x = x_of(spot.x);
            const double to = index + 1 < plot_.spots.size()
                                  ? (x + x_of(plot_.spots[index + 1].x)) / 2
                                  : static_cast<double>(right());
            add("<g class=\"spot\"><rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/>"
                "<line x1=\"{:.1f}\" y1=\"{}\" x2=\"{:.1f}\" y2=\"{}\"/>",
                from, kTop, std::max(to - from, 0.0), bottom() - kTop, x, kTop, x, bottom());
            for (std::size_t dot = 0; dot < spot.dots.size(); ++dot)
                if (std::isfinite(spot.dots[dot].y))
                    add("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>",
                        class_of(dot), x_of(spot.dots[dot].x), y_of(spot.dots[dot].y));
            add("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text></g>\n", right(), kTop - 14,
                escape_markup(spot.text));
            from = to;
        }
        out_ += "</g>\n";
    }

    const Plot& plot_;
    std::string out_;
};

}  // namespace

std::string svg_of(const Plot& plot) {
    return Drawing(plot).draw();
}

std::string figure_of(const Plot& plot, const std::string& after) {
    std::string out =
        fmt::format("<figure>\n<figcaption>{}</figcaption>\n", escape_markup(plot.title));
    if (plot.series.size() > 1) {
        out += "<ul class=\"legend\">\n";
        for (std::size_t index = 0; index < plot.series.size(); ++index)
            out += fmt::format("<li><span class=\"key s{}{}\"></span>{}</li>\n",
                               index % kSeriesColours, index < kSeriesColours ? "" : " dash",
                               escape_markup(plot.series[index].name));
        out += "</ul>\n";
    }
    out += fmt::format("<div class=\"scroll\">{}</div>\n{}</figure>\n", svg_of(plot), after);
    return out;
}

}  // namespace bots
