// Input on which toml++ 3.3 runs into undefined behaviour instead of answering an error (it holds
// a character such as U+00FC in the place of white space for impossible), found by fuzzing. The
// loader refuses it beforehand. Private to server/config/.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace server {

struct SyntaxTrap {
    std::uint32_t line = 0;    ///< From 1.
    std::uint32_t column = 0;  ///< From 1, in bytes.
    std::string_view what;
};

/// The first of: a control character; a character beyond ASCII outside quotes and comments; a quote
/// elsewhere than at the start of a value or name. The last rules out texts over several lines, so
/// that each line can be judged by itself; no value of ours has line breaks.
std::optional<SyntaxTrap> find_syntax_trap(std::string_view text);

}  // namespace server
