#include "server/observe/log_sink.h"

#include <atomic>
#include <mutex>
#include <unordered_map>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "reactor/base/log_line.h"
#include "reactor/world.h"

namespace server {
namespace {

/// Event names are literals of ours, so there are few; more than this share the last budget.
constexpr std::size_t kEventNamesMax = 1024;

/// How often one event was written in the running second.
struct Budget {
    std::int64_t second = 0;
    std::uint32_t written = 0;
    std::int64_t suppressed = 0;
};

base::Result<std::unique_ptr<spdlog::sinks::sink>> open_sink(const LogOptions& options) {
    try {
        std::unique_ptr<spdlog::sinks::sink> sink;
        if (options.file.empty())
            sink = std::make_unique<spdlog::sinks::stderr_sink_st>();
        else
            sink = std::make_unique<spdlog::sinks::basic_file_sink_st>(options.file);
        sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
        return sink;
    } catch (const spdlog::spdlog_ex& error) {
        return base::fail(base::Errc::io_error, error.what());
    }
}

}  // namespace

struct EventLogSink::Impl {
    explicit Impl(const reactor::Clock& world_clock) : clock(world_clock) {}

    const reactor::Clock& clock;
    std::atomic<base::LogLevel> least = base::LogLevel::info;

    std::mutex mutex;  // Guards all below.
    LogFormat format = LogFormat::logfmt;
    std::unique_ptr<spdlog::sinks::sink> sink;
    std::unordered_map<std::string, Budget> budgets;
    std::int64_t lost = 0;

    Budget& budget_of(std::string_view event) {
        if (budgets.size() < kEventNamesMax) return budgets[std::string(event)];
        const auto known = budgets.find(std::string(event));
        return known == budgets.end() ? budgets[""] : known->second;
    }

    bool put(std::int64_t now_microseconds, base::LogLevel level, std::string_view event,
             std::span<const base::LogField> fields) {
        const std::string line = format_log_line(format, now_microseconds, level, event, fields);
        try {
            // The time is given so that spdlog does not read the clock itself.
            sink->log(spdlog::details::log_msg(spdlog::log_clock::time_point(), {}, "",
                                               spdlog::level::info, line));
            sink->flush();
            return true;
        } catch (const spdlog::spdlog_ex&) {
            ++lost;
            return false;
        }
    }

    void put_counted(std::int64_t now_microseconds, base::LogLevel level, std::string_view event,
                     std::span<const base::LogField> fields, std::int64_t suppressed) {
        if (lost > 0) {
            const std::int64_t count = lost;
            const base::LogField count_field("lines", count);
            if (put(now_microseconds, base::LogLevel::error, "log.lost", {&count_field, 1}))
                lost -= count;
        }
        if (suppressed == 0) {
            put(now_microseconds, level, event, fields);
            return;
        }
        std::vector<base::LogField> all(fields.begin(), fields.end());
        all.emplace_back("suppressed", suppressed);
        put(now_microseconds, level, event, all);
    }
};

EventLogSink::EventLogSink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventLogSink::~EventLogSink() = default;

base::Result<std::unique_ptr<EventLogSink>> EventLogSink::create(LogOptions options,
                                                                 const reactor::Clock& clock) {
    std::unique_ptr<EventLogSink> created(new EventLogSink(std::make_unique<Impl>(clock)));
    if (auto opened = created->reopen(std::move(options)); !opened)
        return std::unexpected(opened.error());
    return created;
}

void EventLogSink::write(base::LogLevel level, std::string_view event,
                         std::span<const base::LogField> fields) {
    if (level < impl_->least.load(std::memory_order_relaxed)) return;
    const base::WallTime now = impl_->clock.wall();
    const std::scoped_lock lock(impl_->mutex);
    Budget& budget = impl_->budget_of(event);
    if (budget.second != now.seconds()) {
        budget.second = now.seconds();
        budget.written = 0;
    }
    if (budget.written == kLogLinesPerEventPerSecondMax) {
        ++budget.suppressed;
        return;
    }
    ++budget.written;
    impl_->put_counted(now.microseconds, level, event, fields, std::exchange(budget.suppressed, 0));
}

base::Result<void> EventLogSink::reopen(LogOptions options) {
    auto sink = open_sink(options);
    if (!sink) return std::unexpected(sink.error());
    const std::scoped_lock lock(impl_->mutex);
    impl_->sink = *std::move(sink);
    impl_->format = options.format;
    impl_->least.store(options.least, std::memory_order_relaxed);
    return {};
}

std::string format_log_line(LogFormat format, std::int64_t wall_microseconds, base::LogLevel level,
                            std::string_view event, std::span<const base::LogField> fields) {
    std::string line = base::format_line(
        format == LogFormat::json ? base::LineFormat::json : base::LineFormat::text,
        {wall_microseconds}, level, event, fields, kLogValueBytesMax);
    line.pop_back();  // The line break, which spdlog adds.
    return line;
}

}  // namespace server
