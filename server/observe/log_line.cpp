// The form of a log line: logfmt (key=value) or one JSON object.
#include <chrono>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "server/observe/log_sink.h"

namespace server {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

/// The length of the valid UTF-8 sequence at the start of `text`; 0 when there is none (RFC 3629).
std::size_t utf8_sequence(std::string_view text) {
    const auto byte = [&](std::size_t index) {
        return static_cast<unsigned char>(index < text.size() ? text[index] : '\0');
    };
    const auto tail = [&](std::size_t index, unsigned low = 0x80, unsigned high = 0xbf) {
        return byte(index) >= low && byte(index) <= high;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool second = tail(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
        return second && tail(2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool second = tail(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
        return second && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

/// Appends `text` escaped for a JSON string, which is what a quoted logfmt value is as well. No
/// line break, control character or invalid UTF-8 gets through: a line stays one line.
void append_escaped(std::string& out, std::string_view text) {
    const std::size_t room = out.size() + kLogValueBytesMax;
    while (!text.empty()) {
        if (out.size() >= room) {
            out += "…";
            return;
        }
        const std::size_t length = utf8_sequence(text);
        const auto code = static_cast<unsigned char>(text[0]);
        if (length == 0) {
            out += kReplacement;
        } else if (code == '"' || code == '\\') {
            out += '\\';
            out += text[0];
        } else if (code == '\n') {
            out += "\\n";
        } else if (code < 0x20 || code == 0x7f) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", code);
        } else if (length == 2 && code == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}",
                           static_cast<unsigned char>(text[1]));  // C1 controls drive terminals.
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
}

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
    append_escaped(out, text);
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
