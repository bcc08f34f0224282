#include "reactor/base/json_text.h"

#include <iterator>

#include <fmt/format.h>

namespace base {
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

}  // namespace

void append_json_text(std::string& out, std::string_view text, std::size_t bytes_max) {
    const std::size_t before = out.size();
    while (!text.empty()) {
        if (out.size() - before >= bytes_max) {
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

}  // namespace base
