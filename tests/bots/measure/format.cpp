#include "tests/bots/measure/format.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "reactor/base/text.h"

namespace bots {
namespace {

// `value` with at most `digits` behind the point, without zeros that say nothing.
std::string trimmed(double value, int digits) {
    std::string text = fmt::format("{:.{}f}", value, digits);
    if (digits > 0) {
        text.erase(text.find_last_not_of('0') + 1);
        if (text.ends_with('.')) text.pop_back();
    }
    return text;
}

// "3 min 5 s": two units, the smaller one left out when it is 0.
std::string in_two_units(std::int64_t seconds) {
    const auto pair = [](std::int64_t large, std::string_view large_unit, std::int64_t small,
                         std::string_view small_unit) {
        if (small == 0) return fmt::format("{} {}", large, large_unit);
        return fmt::format("{} {} {} {}", large, large_unit, small, small_unit);
    };
    if (seconds < 3600) return pair(seconds / 60, "min", seconds % 60, "s");
    return pair(seconds / 3600, "h", seconds % 3600 / 60, "min");
}

// The length of the UTF-8 character that `text` begins with; 0 when it is none.
std::size_t character_length(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return text.size() >= length && base::is_valid_utf8(text.substr(0, length)) ? length : 0;
}

// Of one valid character: C0, DEL, C1 (U+0080 to U+009F), U+2028 to U+202E, U+2066 to U+2069.
bool drives_a_terminal(std::string_view character) {
    const auto byte = [&](std::size_t index) {
        return static_cast<unsigned char>(character[index]);
    };
    if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
    if (character.size() == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
    if (character.size() != 3 || byte(0) != 0xE2) return false;
    return (byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE) ||
           (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9);
}

}  // namespace

std::string format_count(std::uint64_t value) {
    std::string text = std::to_string(value);
    for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3)
        text.insert(static_cast<std::size_t>(place), 1, ',');
    return text;
}

std::string format_number(double value) {
    if (!std::isfinite(value)) return "–";
    if (value < 0) return "-" + format_number(-value);
    if (value < 9.995) return trimmed(value, 2);
    if (value < 99.95) return trimmed(value, 1);
    if (value >= 1e18) return fmt::format("{:.2e}", value);
    return format_count(static_cast<std::uint64_t>(std::llround(value)));
}

std::string format_duration(base::Duration value) {
    const auto nanoseconds = static_cast<double>(value.count());
    if (value.count() == 0) return "0 ms";
    if (value.count() < 0) return "-" + format_duration(-value);
    if (nanoseconds < 999.5e3) return fmt::format("{} µs", format_number(nanoseconds / 1e3));
    if (nanoseconds < 999.5e6) return fmt::format("{} ms", format_number(nanoseconds / 1e6));
    if (nanoseconds < 119.5e9) return fmt::format("{} s", format_number(nanoseconds / 1e9));
    return in_two_units(std::llround(nanoseconds / 1e9));
}

std::string format_bytes(double bytes) {
    if (!std::isfinite(bytes)) return "–";
    if (bytes < 0) return "-" + format_bytes(-bytes);
    static constexpr std::array<std::string_view, 5> kUnits = {"B", "KB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < kUnits.size()) {
        bytes /= 1024;
        ++unit;
    }
    return fmt::format("{} {}", unit == 0 ? trimmed(bytes, 0) : format_number(bytes), kUnits[unit]);
}

std::string format_share(double share) {
    if (!std::isfinite(share)) return "–";
    const double percent = share * 100;
    return fmt::format("{} %",
                       percent < 9.95 ? trimmed(percent, 1) : format_number(std::round(percent)));
}

std::string printable(std::string_view text, std::size_t characters_max) {
    std::string out;
    for (std::size_t characters = 0; !text.empty(); ++characters) {
        if (characters == characters_max) {
            out += "…";
            break;
        }
        const std::size_t length = character_length(text);
        const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
        out += length == 0 || drives_a_terminal(character) ? "\xEF\xBF\xBD" : character;
        text.remove_prefix(character.size());
    }
    return out;
}

std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

}  // namespace bots
