#include "tests/bots/measure/progress.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/bots/measure/format.h"

namespace bots {
namespace {

constexpr std::size_t kColumnsDefault = 80;

// A piece of the line; the greater its rank, the sooner it is left out.
struct Piece {
    int rank;
    std::string text;
};

std::string whole_seconds(base::Duration duration) {
    return format_duration(std::chrono::round<std::chrono::seconds>(duration));
}

std::string clock_text(const Progress& progress) {
    const std::string elapsed = whole_seconds(progress.elapsed);
    if (!progress.remaining) return progress.elapsed < std::chrono::seconds(1) ? "0 s" : elapsed;
    return fmt::format("{} of {}", progress.elapsed < std::chrono::seconds(1) ? "0 s" : elapsed,
                       whole_seconds(progress.elapsed + *progress.remaining));
}

void add_ramp(std::vector<Piece>& pieces, const Progress& progress) {
    pieces.push_back({0, fmt::format("{} of {} online", format_count(progress.now.online),
                                     format_count(progress.users))});
    pieces.push_back({1, fmt::format("{} logins/s", format_number(progress.now.logins_per_s))});
    if (progress.remaining)
        pieces.push_back({2, progress.remaining < std::chrono::seconds(1)
                                 ? std::string("nearly there")
                                 : "about " + whole_seconds(*progress.remaining) + " to go"});
}

void add_messages(std::vector<Piece>& pieces, const Progress& progress) {
    const Sample& now = progress.now;
    if (progress.phase == Progress::Phase::measure) {
        pieces.push_back({6, format_count(now.online) + " online"});
        if (now.logins_per_s > 0)
            pieces.push_back({7, format_number(now.logins_per_s) + " logins/s"});
    }
    if (progress.messages.sent > 0)
        pieces.push_back({1, format_number(now.messages_per_s) + " msg/s"});
    if (now.latency_p99.count() > 0) {
        pieces.push_back({3, "p50 " + format_duration(now.latency_p50)});
        pieces.push_back({2, "p99 " + format_duration(now.latency_p99)});
    }
    const std::uint64_t arrived = std::min(progress.messages.received, progress.messages.sent);
    if (progress.messages.sent > arrived)
        pieces.push_back({5, format_count(progress.messages.sent - arrived) + " under way"});
}

// What is wrong is left out last.
void add_faults(std::vector<Piece>& pieces, const Progress& progress) {
    const auto add = [&](std::uint64_t count, std::string_view what) {
        if (count > 0) pieces.push_back({0, fmt::format("{} {}", format_count(count), what)});
    };
    add(progress.messages.duplicated, "duplicated");
    add(progress.messages.reordered, "reordered");
    add(progress.messages.stray, "stray");
    add(progress.messages.refused, "refused");
    add(progress.errors, progress.errors == 1 ? "error" : "errors");
}

std::string joined(const std::vector<Piece>& pieces) {
    std::string line;
    for (const Piece& piece : pieces) {
        line += "  ";
        line += piece.text;
    }
    return line;
}

// Cuts between characters.
std::string cut_to(std::string line, std::size_t columns) {
    std::size_t bytes = 0;
    for (std::size_t seen = 0; bytes < line.size(); ++bytes) {
        const bool starts = (static_cast<unsigned char>(line[bytes]) & 0xC0) != 0x80;
        if (starts && seen++ == columns) break;
    }
    line.resize(bytes);
    return line;
}

}  // namespace

std::string format_progress(const Progress& progress, std::size_t columns) {
    std::vector<Piece> pieces = {{4, printable(progress.workload)}};
    switch (progress.phase) {
        case Progress::Phase::ramp:
            add_ramp(pieces, progress);
            break;
        case Progress::Phase::measure:
            pieces.push_back({0, clock_text(progress)});
            add_messages(pieces, progress);
            break;
        case Progress::Phase::drain:
            pieces.push_back({1, "waiting for the last messages"});
            add_messages(pieces, progress);
            break;
        case Progress::Phase::clean_up:
            pieces.push_back({1, "closing sessions"});
            pieces.push_back({0, format_count(progress.now.online) + " online"});
            break;
    }
    add_faults(pieces, progress);
    while (columns_of(joined(pieces)) > columns && pieces.size() > 1) {
        const auto least = std::ranges::max_element(pieces, {}, &Piece::rank);
        if (least->rank == 0) break;
        pieces.erase(least);
    }
    return cut_to(joined(pieces), columns);
}

std::optional<base::Duration> ramp_remaining(std::uint32_t online, std::uint32_t users,
                                             base::Duration elapsed) {
    if (online == 0 || elapsed.count() <= 0) return std::nullopt;
    if (online >= users) return base::Duration(0);
    const double still = static_cast<double>(users - online) / static_cast<double>(online);
    const double nanoseconds = still * static_cast<double>(elapsed.count());
    constexpr auto kLongest = std::chrono::duration_cast<base::Duration>(std::chrono::hours(1000));
    return base::Duration(
        static_cast<std::int64_t>(std::min(nanoseconds, static_cast<double>(kLongest.count()))));
}

ProgressLine::ProgressLine(int fd) : fd_(fd), quiet_(isatty(fd) == 0) {}

ProgressLine::~ProgressLine() {
    clear();
}

void ProgressLine::show(const Progress& progress) {
    if (quiet_) return;
    winsize size{};
    const bool known = ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    // The last column stays free: some terminals wrap when it is written.
    const std::size_t columns = (known ? size.ws_col : kColumnsDefault) - 1;
    write("\r" + format_progress(progress, columns) + "\x1b[K");
    drawn_ = true;
}

void ProgressLine::clear() {
    if (std::exchange(drawn_, false)) write("\r\x1b[K");
}

// A terminal that does not take it (stopped by Ctrl-S) must not hold up the run: it loses a line
// that the next one replaces.
void ProgressLine::write(std::string_view text) const {
    pollfd ready{fd_, POLLOUT, 0};
    if (poll(&ready, 1, 0) != 1) return;
    const auto written = ::write(fd_, text.data(), text.size());
    static_cast<void>(written);
}

}  // namespace bots
