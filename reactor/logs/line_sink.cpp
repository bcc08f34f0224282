#include "reactor/logs/line_sink.h"

#include "reactor/world.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <unistd.h>
#include <cerrno>
#include <cmath>

namespace reactor {

namespace {

// Bytes of the UTF-8 sequence at the start of `text` (RFC 3629); 0: not one.
std::size_t sequence_at(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;  // Overlong.
    if (first == 0xED && byte(1) > 0x9F) return 0;  // Surrogates.
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return length;
}

void append_quoted(std::string& line, std::string_view text) {
    line.push_back('"');
    while (!text.empty()) {
        const std::size_t length = sequence_at(text);
        const auto first = static_cast<unsigned char>(text.front());
        if (length == 0) {
            line.append("\xEF\xBF\xBD");
        } else if (first == '"' || first == '\\') {
            line.push_back('\\');
            line.push_back(text.front());
        } else if (first == '\n') {
            line.append("\\n");
        } else if (first < 0x20 || first == 0x7F) {
            line.append(fmt::format("\\u{:04x}", first));
        } else {
            line.append(text.substr(0, length));
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    line.push_back('"');
}

bool is_plain(std::string_view text) noexcept {
    if (text.empty()) return false;
    for (const char c : text)
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c > '~') return false;
    return true;
}

void append_value(std::string& line, LineFormat format, const base::LogField::Value& value) {
    struct Append {
        std::string& line;
        LineFormat format;
        void operator()(const std::string& text) const {
            if (format == LineFormat::text && is_plain(text)) {
                line.append(text);
            } else {
                append_quoted(line, text);
            }
        }
        void operator()(std::int64_t number) const { line.append(fmt::to_string(number)); }
        void operator()(double number) const {
            // JSON knows no infinity.
            line.append(std::isfinite(number) ? fmt::to_string(number) : "null");
        }
        void operator()(bool flag) const { line.append(flag ? "true" : "false"); }
    };
    std::visit(Append{line, format}, value);
}

void append_field(std::string& line, LineFormat format, std::string_view key,
                  const base::LogField::Value& value) {
    if (format == LineFormat::json) {
        line.push_back(line.empty() ? '{' : ',');
        append_quoted(line, key);
        line.push_back(':');
    } else {
        if (!line.empty()) line.push_back(' ');
        line.append(key).push_back('=');
    }
    append_value(line, format, value);
}

std::string stamp(base::WallTime time) {
    const std::int64_t part = ((time.microseconds % 1'000'000) + 1'000'000) % 1'000'000;
    const std::time_t seconds = (time.microseconds - part) / 1'000'000;
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(seconds), part);
}

}  // namespace

std::string format_line(LineFormat format, base::WallTime time, base::LogLevel level,
                        std::string_view event, std::span<const base::LogField> fields) {
    std::string line;
    append_field(line, format, "time", stamp(time));
    append_field(line, format, "level", std::string(base::name_of(level)));
    append_field(line, format, "event", std::string(event));
    for (const base::LogField& field : fields) {
        const bool taken = field.key == "time" || field.key == "level" || field.key == "event";
        append_field(line, format, taken ? std::string(field.key) + "_" : std::string(field.key),
                     field.value);
    }
    line.append(format == LineFormat::json ? "}\n" : "\n");
    return line;
}

LineSink::LineSink(LineFormat format, const Clock& clock, Output output)
    : format_(format), clock_(clock), output_(std::move(output)) {}

void LineSink::write(base::LogLevel level, std::string_view event,
                     std::span<const base::LogField> fields) {
    const std::string line = format_line(format_, clock_.wall(), level, event, fields);
    const std::lock_guard lock(mutex_);
    output_(line);
}

LineSink::Output write_to_descriptor(int fd) {
    return [fd](std::string_view line) {
        while (!line.empty()) {
            const ssize_t written = ::write(fd, line.data(), line.size());
            if (written < 0 && errno != EINTR) return;
            if (written > 0) line.remove_prefix(static_cast<std::size_t>(written));
        }
    };
}

}  // namespace reactor
