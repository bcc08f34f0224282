// One event of the log as one line: JSON (an object) or logfmt text. What writes lines is a sink
// (reactor/logs/line_sink.h, server/observe/log_sink.h).
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/log.h"

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace base {

enum class LineFormat : std::uint8_t { json, text };

/// {"time":"2026-01-01T00:00:00.000000Z","level":"info","event":"…",…} or the same as
/// time=… level=… event=…. A field named like one of the first three gets an underscore behind it.
/// Control characters are escaped, and bytes that are no UTF-8 become U+FFFD: a line is a line.
/// What a value has beyond `value_bytes_max` bytes of output is cut, and "…" stands for it.
std::string format_line(LineFormat format, WallTime time, LogLevel level, std::string_view event,
                        std::span<const LogField> fields,
                        std::size_t value_bytes_max = std::numeric_limits<std::size_t>::max());

}  // namespace base
