// The inside of a JSON string, for log lines (a quoted logfmt value has the same form) and for
// whatever else is made of JSON by hand.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace base {

/// Appends `text` escaped, without the quotes. No line break, control character (C0, C1, DEL) or
/// invalid UTF-8 gets through: what is written stays one line and cannot drive a terminal; invalid
/// bytes become U+FFFD. Past `bytes_max` bytes of output the rest is cut and "…" stands for it.
void append_json_text(std::string& out, std::string_view text,
                      std::size_t bytes_max = std::numeric_limits<std::size_t>::max());

}  // namespace base
