#include "server/config/notation.h"

#include <array>
#include <limits>

#include <fmt/format.h>

#include "reactor/base/text.h"

namespace server {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

constexpr std::array<Unit, 7> kDurationUnits = {{{"d", 86'400'000'000'000},
                                                 {"h", 3'600'000'000'000},
                                                 {"m", 60'000'000'000},
                                                 {"s", 1'000'000'000},
                                                 {"ms", 1'000'000},
                                                 {"us", 1'000},
                                                 {"ns", 1}}};
constexpr std::array<Unit, 7> kSizeUnits = {{{"GiB", 1LL << 30},
                                             {"MiB", 1LL << 20},
                                             {"KiB", 1LL << 10},
                                             {"GB", 1'000'000'000},
                                             {"MB", 1'000'000},
                                             {"kB", 1'000},
                                             {"B", 1}}};
constexpr std::size_t kBinaryUnits = 3;  // The leading entries of kSizeUnits.

/// Splits "12abc…" into 12 and "abc…". Nothing without digits or past 18 of them, which fit.
std::optional<std::int64_t> take_number(std::string_view& text) {
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
        ++digits;
    if (digits == 0 || digits > 18) return std::nullopt;
    const auto value = base::parse_integer(text.substr(0, digits));
    text.remove_prefix(digits);
    return value;
}

bool fits(std::int64_t count, std::int64_t factor, std::int64_t already) {
    return count <= (std::numeric_limits<std::int64_t>::max() - already) / factor;
}

std::string_view take_unit(std::string_view& text) {
    std::size_t letters = 0;
    while (letters < text.size() && (text[letters] < '0' || text[letters] > '9'))
        ++letters;
    const std::string_view unit = text.substr(0, letters);
    text.remove_prefix(letters);
    return unit;
}

std::string number_text(const KeySpec& spec, std::int64_t value) {
    switch (spec.type) {
        case KeyType::duration:
            return format_duration(base::Duration(value));
        case KeyType::size:
            return format_size(value);
        default:
            return fmt::format("{}", value);
    }
}

std::string quoted_list(const NameList& names) {
    std::string text;
    for (const std::string_view name : names)
        text += (text.empty() ? "" : ", ") + quote_toml(name);
    return text;
}

}  // namespace

std::optional<base::Duration> parse_duration(std::string_view text) {
    if (text == "0") return base::Duration(0);
    std::int64_t total = 0;
    std::size_t next_unit = 0;
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        const auto count = take_number(text);
        if (!count) return std::nullopt;
        const std::string_view name = take_unit(text);
        while (next_unit < kDurationUnits.size() && kDurationUnits[next_unit].name != name)
            ++next_unit;
        if (next_unit == kDurationUnits.size()) return std::nullopt;
        const std::int64_t factor = kDurationUnits[next_unit++].factor;
        if (!fits(*count, factor, total)) return std::nullopt;
        total += *count * factor;
    }
    return base::Duration(total);
}

std::string format_duration(base::Duration value) {
    std::int64_t rest = value.count();
    if (rest <= 0) return "0s";
    std::string text;
    for (const Unit& unit : kDurationUnits) {
        if (rest < unit.factor) continue;
        fmt::format_to(std::back_inserter(text), "{}{}", rest / unit.factor, unit.name);
        rest %= unit.factor;
    }
    return text;
}

std::optional<std::int64_t> parse_size(std::string_view text) {
    const auto count = take_number(text);
    if (!count) return std::nullopt;
    if (text.empty()) return count;
    for (const Unit& unit : kSizeUnits) {
        if (text != unit.name) continue;
        if (!fits(*count, unit.factor, 0)) return std::nullopt;
        return *count * unit.factor;
    }
    return std::nullopt;
}

std::string format_size(std::int64_t bytes) {
    for (std::size_t index = 0; index < kBinaryUnits; ++index) {
        const Unit& unit = kSizeUnits[index];
        if (bytes >= unit.factor && bytes % unit.factor == 0)
            return fmt::format("{}{}", bytes / unit.factor, unit.name);
    }
    return fmt::format("{}", bytes);
}

std::string quote_toml(std::string_view text) {
    std::string quoted = "\"";
    for (const char letter : text) {
        const auto code = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') {
            quoted += '\\';
            quoted += letter;
        } else if (code < 0x20 || code == 0x7f) {
            fmt::format_to(std::back_inserter(quoted), "\\u{:04X}", code);
        } else {
            quoted += letter;
        }
    }
    return quoted + '"';
}

std::string describe_range(const KeySpec& spec) {
    switch (spec.type) {
        case KeyType::integer:
            return fmt::format("a number from {} to {}", spec.min, spec.max);
        case KeyType::duration:
            return fmt::format("a duration from \"{}\" to \"{}\"", number_text(spec, spec.min),
                               number_text(spec, spec.max));
        case KeyType::size:
            return fmt::format("a size from \"{}\" to \"{}\"", number_text(spec, spec.min),
                               number_text(spec, spec.max));
        case KeyType::boolean:
            return "true or false";
        case KeyType::choice:
            return "one of " + quoted_list(spec.choices);
        case KeyType::string_list:
            if (spec.choices.size() > 0) return "a list of any of " + quoted_list(spec.choices);
            if (spec.check) return fmt::format("a list, each of it {}", spec.check({}));
            return "a list of texts in quotes";
        case KeyType::path:
            return "a path in quotes";
        case KeyType::string:
            break;
    }
    return "a text in quotes";
}

std::string default_text(const KeySpec& spec) {
    switch (spec.type) {
        case KeyType::integer:
            return fmt::format("{}", spec.number);
        case KeyType::duration:
        case KeyType::size:
            return quote_toml(number_text(spec, spec.number));
        case KeyType::boolean:
            return spec.number != 0 ? "true" : "false";
        case KeyType::choice:
            return quote_toml(spec.choices[static_cast<std::size_t>(spec.number)]);
        case KeyType::string_list:
            return "[" + quoted_list(spec.names) + "]";
        case KeyType::path:
        case KeyType::string:
            break;
    }
    return quote_toml(spec.text);
}

}  // namespace server
