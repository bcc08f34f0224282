#include "tests/sim/journal.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdio>

namespace sim {
namespace {

// Of the reactor: what nobody handled.
constexpr std::string_view kBreakdowns[] = {"reactor.turn_exception", "deferred.unhandled",
                                            "task.failed", "sim.step_limit"};

std::string text_of(const base::LogField::Value& value) {
    return std::visit([](const auto& held) { return fmt::format("{}", held); }, value);
}

// What storage refused of work that nobody waits for is worth a line in the log, and no fault.
constexpr std::string_view kStorageFailures[] = {"io_error", "no_space", "busy"};

bool is_of_storage(std::span<const base::LogField> fields) {
    for (const base::LogField& field : fields)
        for (const std::string_view failure : kStorageFailures)
            if (field.key == "failure" && text_of(field.value).starts_with(failure)) return true;
    return false;
}

}  // namespace

std::string Journal::text_of(base::MonotonicTime time) {
    const std::int64_t microseconds = time.nanoseconds / 1000;
    return fmt::format("{}.{:06}", microseconds / 1'000'000, microseconds % 1'000'000);
}

std::string Journal::now() const {
    return world_ == nullptr ? "0" : text_of(world_->now());
}

// FNV-1a.
void Journal::note(std::string_view who, std::string_view what) {
    const std::string line = fmt::format("{} {:<12} {}\n", now(), who, what);
    for (const char letter : line)
        hash_ = (hash_ ^ static_cast<unsigned char>(letter)) * 0x100000001B3U;
    if (prints_) std::fwrite(line.data(), 1, line.size(), stdout);
}

// Not part of the hash: texts in it may come from OpenSSL.
void Journal::write(base::LogLevel level, std::string_view event,
                    std::span<const base::LogField> fields) {
    bool is_breakdown =
        !server_dies_ && std::ranges::find(kBreakdowns, event) != std::end(kBreakdowns);
    if (event == "deferred.unhandled" && is_of_storage(fields)) is_breakdown = false;
    if (!prints_ && !is_breakdown) return;
    std::string line = fmt::format("{} server       {} {}", now(), base::name_of(level), event);
    for (const base::LogField& field : fields)
        line += fmt::format(" {}={}", field.key, sim::text_of(field.value));
    if (is_breakdown) breakdowns_.push_back(line);
    if (prints_) fmt::print("{}\n", line);
}

}  // namespace sim
