// EventLogSink: where the server's events become lines, logfmt or JSON, on standard error or in a
// file. Spdlog's sinks do the writing; the form of a line is ours.
//
// Lines are written at once by the thread that logs, one write per line: events are rare (logins,
// failures, never one per stanza), a crash then loses nothing, and no queue can fill up. What a
// stranger can provoke in numbers is bounded per event name and second; the rest is counted in
// `suppressed` on the next line of that event. Fields carry no bodies and no secrets: callers see
// to that (reactor/base/log.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "reactor/base/log.h"
#include "reactor/base/result.h"

namespace reactor {
class Clock;
}

namespace server {

enum class LogFormat : std::uint8_t { logfmt, json };

struct LogOptions {
    LogFormat format = LogFormat::logfmt;
    base::LogLevel least = base::LogLevel::info;
    std::string file;  ///< Appended to; empty: standard error.
};

/// The most lines of one event name in a second.
inline constexpr std::uint32_t kLogLinesPerEventPerSecondMax = 200;
/// Longer values are cut and end in "…"; a line thus stays readable and bounded.
inline constexpr std::size_t kLogValueBytesMax = 1024;

/// `write` may be called from any thread, and never throws: a line that cannot be written (disk
/// full) is counted, and the count is logged as "log.lost" once writing works again.
class EventLogSink final : public base::LogSink {
public:
    /// `clock` (its wall time stamps the lines) must outlive the sink and be safe to read from any
    /// thread. Fails when the file cannot be opened.
    static base::Result<std::unique_ptr<EventLogSink>> create(LogOptions options,
                                                              const reactor::Clock& clock);
    ~EventLogSink() override;

    void write(base::LogLevel level, std::string_view event,
               std::span<const base::LogField> fields) override;

    /// Opens the file anew (it may have been rotated away) and takes over format and level. On
    /// failure the old file stays in use. From any thread.
    base::Result<void> reopen(LogOptions options);

private:
    struct Impl;
    explicit EventLogSink(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// One line without the line break: `time=2026-11-20T18:00:00.123456Z level=info event=c2s.login
/// jid=a@example.org`. Control characters and quotes are escaped, invalid UTF-8 becomes U+FFFD.
std::string format_log_line(LogFormat format, std::int64_t wall_microseconds, base::LogLevel level,
                            std::string_view event, std::span<const base::LogField> fields);

}  // namespace server
