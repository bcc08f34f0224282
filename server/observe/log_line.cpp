// The form of a log line: logfmt (key=value) or one JSON object.
#include <chrono>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "server/observe/json_text.h"
#include "server/observe/log_sink.h"

namespace server {
namespace {

bool needs_quotes(std::string_view text) {
    if (text.empty() || text.size() > kLogValueBytesMax) return true;
    for (const char letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        if (code <= ' ' || code >= 0x7f || letter == '"' || letter == '\\' || letter == '=')
            return true;
    }
    return false;
}

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    append_json_text(out, text, kLogValueBytesMax);
    out += '"';
}

void append_text(std::string& out, LogFormat format, std::string_view text) {
    if (format == LogFormat::json || needs_quotes(text))
        append_quoted(out, text);
    else
        out += text;
}

void append_value(std::string& out, LogFormat format, const base::LogField::Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return append_text(out, format, *text);
    if (const auto* flag = std::get_if<bool>(&value)) {
        out += *flag ? "true" : "false";
    } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
        fmt::format_to(std::back_inserter(out), "{}", *number);
    } else {
        const double real = std::get<double>(value);
        if (std::isfinite(real) || format == LogFormat::logfmt)
            fmt::format_to(std::back_inserter(out), "{}", real);
        else
            out += "null";  // JSON has no infinities.
    }
}

std::string time_text(std::int64_t wall_microseconds) {
    using namespace std::chrono;
    const sys_time<microseconds> time{microseconds(wall_microseconds)};
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

}  // namespace

std::string format_log_line(LogFormat format, std::int64_t wall_microseconds, base::LogLevel level,
                            std::string_view event, std::span<const base::LogField> fields) {
    std::string line;
    const auto append_key = [&](std::string_view key) {
        if (format == LogFormat::json) {
            line += line.empty() ? "{" : ",";
            append_quoted(line, key);
            line += ':';
        } else {
            if (!line.empty()) line += ' ';
            line += key;
            line += '=';
        }
    };
    append_key("time");
    append_text(line, format, time_text(wall_microseconds));
    append_key("level");
    append_text(line, format, base::name_of(level));
    append_key("event");
    append_text(line, format, event);
    for (const base::LogField& field : fields) {
        append_key(field.key);
        append_value(line, format, field.value);
    }
    if (format == LogFormat::json) line += '}';
    return line;
}

}  // namespace server
