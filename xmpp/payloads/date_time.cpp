#include "xmpp/payloads/date_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace xmpp {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::microseconds;
using std::chrono::sys_days;
using std::chrono::sys_time;
using std::chrono::year_month_day;

constexpr sys_time<microseconds> kEarliest = sys_days(std::chrono::year(1) / 1 / 1);
constexpr sys_time<microseconds> kLatest =
    sys_days(std::chrono::year(9999) / 12 / 31) + std::chrono::hours(24) - microseconds(1);

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Takes what the profile has in a fixed place off the front of the text; once something is
/// missing, everything after it fails too.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    int number(std::size_t digits) {
        if (rest_.size() < digits ||
            !std::all_of(rest_.begin(), rest_.begin() + length(digits), is_digit)) {
            failed_ = true;
            return 0;
        }
        int value = 0;
        for (const char c : rest_.substr(0, digits))
            value = value * 10 + (c - '0');
        rest_.remove_prefix(digits);
        return value;
    }
    bool optional(char c) {
        if (failed_ || !rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char c) {
        if (!optional(c)) failed_ = true;
    }
    /// "." 1*DIGIT, to the microsecond.
    microseconds fraction() {
        if (!optional('.')) return {};
        if (rest_.empty() || !is_digit(rest_[0])) failed_ = true;
        std::int64_t value = 0;
        std::int64_t unit = 100'000;
        while (!rest_.empty() && is_digit(rest_[0])) {
            value += unit * (rest_[0] - '0');
            unit /= 10;
            rest_.remove_prefix(1);
        }
        return microseconds(value);
    }
    bool finished() const { return !failed_ && rest_.empty(); }

private:
    static std::ptrdiff_t length(std::size_t digits) { return static_cast<std::ptrdiff_t>(digits); }

    std::string_view rest_;
    bool failed_ = false;
};

std::optional<sys_days> scan_date(Scanner& scanner) {
    const int year = scanner.number(4);
    scanner.expect('-');
    const int month = scanner.number(2);
    scanner.expect('-');
    const int day = scanner.number(2);
    const year_month_day date{std::chrono::year(year),
                              std::chrono::month(static_cast<unsigned>(month)),
                              std::chrono::day(static_cast<unsigned>(day))};
    if (year < 1 || !date.ok()) return std::nullopt;
    return sys_days(date);
}

std::optional<microseconds> scan_time(Scanner& scanner) {
    const int hour = scanner.number(2);
    scanner.expect(':');
    const int minute = scanner.number(2);
    scanner.expect(':');
    const int second = scanner.number(2);
    const microseconds fraction = scanner.fraction();
    const bool end_of_day = hour == 24 && minute == 0 && second == 0 && fraction.count() == 0;
    if ((hour > 23 && !end_of_day) || minute > 59 || second > 59) return std::nullopt;
    return std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) +
           fraction;
}

// What to subtract to come to UTC.
std::optional<std::chrono::minutes> scan_zone(Scanner& scanner) {
    if (scanner.optional('Z')) return std::chrono::minutes(0);
    const bool behind = scanner.optional('-');
    if (!behind) scanner.expect('+');
    const int hours = scanner.number(2);
    scanner.expect(':');
    const int minutes = scanner.number(2);
    if (hours > 14 || minutes > 59 || (hours == 14 && minutes > 0)) return std::nullopt;
    const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    return behind ? -offset : offset;
}

sys_time<microseconds> clamped(base::WallTime time) {
    return std::clamp(sys_time<microseconds>(microseconds(time.microseconds)), kEarliest, kLatest);
}

std::string date_text(sys_days day) {
    const year_month_day date(day);
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

}  // namespace

std::string format_date_time(base::WallTime time, DateTimePrecision precision) {
    const auto point = clamped(time);
    const auto day = floor<days>(point);
    const std::int64_t of_day = (point - day).count();
    const std::int64_t second = of_day / 1'000'000;
    std::string text = fmt::format("{}T{:02}:{:02}:{:02}", date_text(day), second / 3600,
                                   second / 60 % 60, second % 60);
    const std::int64_t fraction = of_day % 1'000'000;
    if (precision == DateTimePrecision::milliseconds)
        text += fmt::format(".{:03}", fraction / 1000);
    if (precision == DateTimePrecision::microseconds) text += fmt::format(".{:06}", fraction);
    return text + 'Z';
}

std::string format_date(base::WallTime time) {
    return date_text(floor<days>(clamped(time)));
}

std::optional<base::WallTime> parse_date_time(std::string_view text) {
    if (text.size() > kDateTimeBytesMax) return std::nullopt;
    Scanner scanner(text);
    const auto date = scan_date(scanner);
    scanner.expect('T');
    const auto time = scan_time(scanner);
    const auto zone = scan_zone(scanner);
    if (!date || !time || !zone || !scanner.finished()) return std::nullopt;
    const sys_time<microseconds> point = *date + *time - *zone;
    return base::WallTime{point.time_since_epoch().count()};
}

std::optional<base::WallTime> parse_date(std::string_view text) {
    Scanner scanner(text);
    const auto date = scan_date(scanner);
    if (!date || !scanner.finished()) return std::nullopt;
    return base::WallTime{microseconds(date->time_since_epoch()).count()};
}

}  // namespace xmpp
