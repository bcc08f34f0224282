// Small text needs that std and fmt do not cover: strict base64, hex, number parsing, constant-time
// comparison, nearest-name suggestion for error messages.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace base {

/// RFC 4648 §4 with padding.
std::string base64_encode(std::string_view bytes);
/// Strict: padding required, no white space, no characters after the padding, unused bits zero.
std::optional<std::string> base64_decode(std::string_view text);

std::string hex_encode(std::string_view bytes);  ///< Lower case.
std::optional<std::string> hex_decode(std::string_view text);

/// The whole of `text` as a decimal integer; nothing else around it (no sign but '-', no spaces).
std::optional<std::int64_t> parse_integer(std::string_view text);

/// Compares without a branch on content; time depends on the lengths only.
bool equal_constant_time(std::string_view left, std::string_view right) noexcept;

bool is_valid_utf8(std::string_view text) noexcept;

/// The candidate with the least edit distance to `name`, if near enough to be a likely typo
/// (distance at most a third of the length); for "did you mean" in error messages.
std::optional<std::string_view> nearest_name(std::string_view name,
                                             std::span<const std::string_view> candidates);

std::vector<std::string_view> split(std::string_view text, char separator);

/// ASCII only, for case-insensitive protocol tokens.
std::string to_lower_ascii(std::string_view text);

}  // namespace base
