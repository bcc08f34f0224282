// Log sinks that write lines: JSON (one object a line) and logfmt text. What a line goes to is a
// function, so that files, pipes and tests look the same; `write_to_descriptor` is the usual one.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/log.h"
#include "reactor/base/unique_function.h"

#include <mutex>
#include <string>

namespace reactor {

class Clock;

enum class LineFormat : std::uint8_t { json, text };

/// {"time":"2026-01-01T00:00:00.000000Z","level":"info","event":"…",…} or the same as
/// time=… level=… event=…. A field named like one of the first three gets an underscore behind it.
/// Control characters are escaped, and bytes that are no UTF-8 become U+FFFD: a line is a line.
std::string format_line(LineFormat format, base::WallTime time, base::LogLevel level,
                        std::string_view event, std::span<const base::LogField> fields);

/// Any thread; lines do not mix.
class LineSink final : public base::LogSink {
public:
    using Output = base::UniqueFunction<void(std::string_view line)>;

    /// `clock` must outlive this and be readable from any thread. `output` gets the line with its
    /// line feed.
    LineSink(LineFormat format, const Clock& clock, Output output);
    void write(base::LogLevel level, std::string_view event,
               std::span<const base::LogField> fields) override;

private:
    LineFormat format_;
    const Clock& clock_;
    std::mutex mutex_;
    Output output_;
};

/// Writes whole lines to a descriptor, which stays the caller's; what cannot be written is lost.
LineSink::Output write_to_descriptor(int fd);

}  // namespace reactor
