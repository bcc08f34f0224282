#include "reactor/logs/line_sink.h"

#include "reactor/world.h"

#include <unistd.h>
#include <cerrno>

namespace reactor {

LineSink::LineSink(LineFormat format, const Clock& clock, Output output)
    : format_(format), clock_(clock), output_(std::move(output)) {}

void LineSink::write(base::LogLevel level, std::string_view event,
                     std::span<const base::LogField> fields) {
    const std::string line = format_line(format_, clock_.wall(), level, event, fields);
    const std::lock_guard lock(mutex_);
    output_(line);
}

LineSink::Output write_to_descriptor(int fd) {
    return [fd](std::string_view line) {
        while (!line.empty()) {
            const ssize_t written = ::write(fd, line.data(), line.size());
            if (written < 0 && errno != EINTR) return;
            if (written > 0) line.remove_prefix(static_cast<std::size_t>(written));
        }
    };
}

}  // namespace reactor
