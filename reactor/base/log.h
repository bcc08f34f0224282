// The event log: an event name and typed fields, never a formatted sentence, never a body, never a
// secret. `log.warn("s2s.refused", {{"peer", host}, {"why", failure.message()}});`
// A sink turns events into logfmt or JSON lines (server/observe/); tests capture them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace base {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

std::string_view name_of(LogLevel level) noexcept;

struct LogField {
    using Value = std::variant<std::string, std::int64_t, double, bool>;

    std::string_view key;
    Value value;

    LogField(std::string_view name, std::string_view text) : key(name), value(std::string(text)) {}
    LogField(std::string_view name, const std::string& text) : key(name), value(text) {}
    LogField(std::string_view name, const char* text) : key(name), value(std::string(text)) {}
    LogField(std::string_view name, bool flag) : key(name), value(flag) {}
    LogField(std::string_view name, double number) : key(name), value(number) {}
    template <class Integer>
        requires std::is_integral_v<Integer>
    LogField(std::string_view name, Integer number)
        : key(name), value(static_cast<std::int64_t>(number)) {}
};

/// Receives events. `write` may be called from any thread and must not throw or block for long.
class LogSink {
public:
    virtual ~LogSink() = default;
    virtual void write(LogLevel level, std::string_view event,
                       std::span<const LogField> fields) = 0;
};

/// A level filter in front of a sink. Cheap to copy; the sink must outlive it.
class Log {
public:
    explicit Log(LogSink& sink, LogLevel least = LogLevel::info) : sink_(&sink), least_(least) {}

    /// A log that swallows everything.
    static Log silent() noexcept;

    bool enabled(LogLevel level) const noexcept { return level >= least_; }
    void debug(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::debug, event, fields);
    }
    void info(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::info, event, fields);
    }
    void warn(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::warn, event, fields);
    }
    void error(std::string_view event, std::initializer_list<LogField> fields = {}) const {
        write(LogLevel::error, event, fields);
    }

private:
    void write(LogLevel level, std::string_view event, std::initializer_list<LogField> f) const {
        if (enabled(level)) sink_->write(level, event, std::span(f.begin(), f.size()));
    }

    LogSink* sink_;
    LogLevel least_;
};

/// Swallows everything; for tests and tools.
class NullLogSink final : public LogSink {
public:
    void write(LogLevel, std::string_view, std::span<const LogField>) override {}
};

}  // namespace base
