// Log sinks that write lines: JSON (one object a line) and logfmt text. What a line goes to is a
// function, so that files, pipes and tests look the same; `write_to_descriptor` is the usual one.
#pragma once

#include "reactor/base/log.h"
#include "reactor/base/log_line.h"
#include "reactor/base/unique_function.h"

#include <mutex>
#include <string>

namespace reactor {

class Clock;

using base::format_line;
using base::LineFormat;

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
