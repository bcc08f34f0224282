#include "server/config/syntax_traps.h"

#include <algorithm>

namespace server {
namespace {

constexpr std::string_view kBlank = " \t";

std::optional<std::size_t> find_control_character(std::string_view row) {
    for (std::size_t index = 0; index < row.size(); ++index) {
        const auto code = static_cast<unsigned char>(row[index]);
        const bool white = code == '\t' || (code == '\r' && index + 1 == row.size());
        if ((code < 0x20 && !white) || code == 0x7f) return index;
    }
    return std::nullopt;
}

struct Finding {
    std::size_t index;
    std::string_view what;
};

/// Walks over one row, in and out of quotes.
std::optional<Finding> find_misplaced(std::string_view row) {
    constexpr std::string_view kBeforeQuote = "=,[{.";
    char quote = '\0';
    char previous = '=';  // The last one that is not blank; the start of a row is as good as '='.
    for (std::size_t index = 0; index < row.size(); ++index) {
        const char letter = row[index];
        if (quote != '\0') {
            if (letter == '\\' && quote == '"')
                ++index;
            else if (letter == quote)
                quote = '\0';
        } else if (letter == '#') {
            return std::nullopt;
        } else if (static_cast<unsigned char>(letter) >= 0x80) {
            return Finding{index, "there is a character beyond ASCII outside quotes"};
        } else if (letter == '"' || letter == '\'') {
            if (kBeforeQuote.find(previous) == std::string_view::npos)
                return Finding{index, "a quote stands where none may be"};
            quote = letter;
        }
        if (kBlank.find(letter) == std::string_view::npos) previous = letter;
    }
    return std::nullopt;
}

}  // namespace

std::optional<SyntaxTrap> find_syntax_trap(std::string_view text) {
    for (std::uint32_t line = 1; !text.empty(); ++line) {
        const std::string_view row = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(row.size() + 1, text.size()));
        const auto trap = [&](std::size_t index, std::string_view what) {
            return SyntaxTrap{line, static_cast<std::uint32_t>(index + 1), what};
        };
        if (const auto index = find_control_character(row))
            return trap(*index, "there is a control character");
        if (const auto found = find_misplaced(row)) return trap(found->index, found->what);
    }
    return std::nullopt;
}

}  // namespace server
