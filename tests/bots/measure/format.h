// Numbers as people read them: thousands separators, units that fit the size, no false precision.
// Used by the progress line, the summary, the report and the comparison.
#pragma once

#include "reactor/base/clock.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bots {

/// "1,234,567"
std::string format_count(std::uint64_t value);
/// Three digits that matter: "0.42", "12.3", "1,998".
std::string format_number(double value);
/// "850 µs", "1.92 ms", "3.4 s", "2 min 5 s", "1 h 3 min"; 0 is "0 ms".
std::string format_duration(base::Duration value);
/// "512 B", "14.1 KB", "1.2 GB"; a KB is 1,024 bytes.
std::string format_bytes(double bytes);
/// "37 %" of one core, "212 %".
std::string format_share(double share);
/// A stranger's text made fit for a terminal and one line: control characters, overrides of the
/// writing direction and invalid UTF-8 become U+FFFD; past `characters_max` it is cut with "…".
std::string printable(std::string_view text, std::size_t characters_max = 200);
/// Terminal columns of UTF-8 text without wide characters (ours).
std::size_t columns_of(std::string_view text);

}  // namespace bots
