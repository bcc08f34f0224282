#include "reactor/base/log.h"

namespace base {

std::string_view name_of(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warn:
            return "warn";
        case LogLevel::error:
            return "error";
    }
    return "unknown";
}

Log Log::silent() noexcept {
    // Stateless, so sharing the one object between threads shares nothing.
    static constinit NullLogSink sink;
    return Log(sink, LogLevel::error);
}

}  // namespace base
