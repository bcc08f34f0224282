#include "reactor/base/log_line.h"

#include "reactor/base/json_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <variant>

namespace base {

namespace {

struct Form {
    LineFormat format;
    std::size_t value_bytes_max;
};

void append_quoted(std::string& line, Form form, std::string_view text) {
    line.push_back('"');
    append_json_text(line, text, form.value_bytes_max);
    line.push_back('"');
}

bool is_plain(std::string_view text) noexcept {
    if (text.empty()) return false;
    for (const char c : text)
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c > '~') return false;
    return true;
}

void append_value(std::string& line, Form form, const LogField::Value& value) {
    struct Append {
        std::string& line;
        Form form;
        void operator()(const std::string& text) const {
            if (form.format == LineFormat::text && text.size() <= form.value_bytes_max &&
                is_plain(text)) {
                line.append(text);
            } else {
                append_quoted(line, form, text);
            }
        }
        void operator()(std::int64_t number) const { line.append(fmt::to_string(number)); }
        void operator()(double number) const {
            // JSON knows no infinity.
            line.append(std::isfinite(number) ? fmt::to_string(number) : "null");
        }
        void operator()(bool flag) const { line.append(flag ? "true" : "false"); }
    };
    std::visit(Append{line, form}, value);
}

void append_field(std::string& line, Form form, std::string_view key,
                  const LogField::Value& value) {
    if (form.format == LineFormat::json) {
        line.push_back(line.empty() ? '{' : ',');
        append_quoted(line, form, key);
        line.push_back(':');
    } else {
        if (!line.empty()) line.push_back(' ');
        line.append(key).push_back('=');
    }
    append_value(line, form, value);
}

std::string stamp(WallTime time) {
    const std::int64_t part = ((time.microseconds % 1'000'000) + 1'000'000) % 1'000'000;
    const std::time_t seconds = (time.microseconds - part) / 1'000'000;
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(seconds), part);
}

}  // namespace

std::string format_line(LineFormat format, WallTime time, LogLevel level, std::string_view event,
                        std::span<const LogField> fields, std::size_t value_bytes_max) {
    std::string line;
    const Form form{format, value_bytes_max};
    append_field(line, form, "time", stamp(time));
    append_field(line, form, "level", std::string(name_of(level)));
    append_field(line, form, "event", std::string(event));
    for (const LogField& field : fields) {
        const bool taken = field.key == "time" || field.key == "level" || field.key == "event";
        append_field(line, form, taken ? std::string(field.key) + "_" : std::string(field.key),
                     field.value);
    }
    line.append(format == LineFormat::json ? "}\n" : "\n");
    return line;
}

}  // namespace base
