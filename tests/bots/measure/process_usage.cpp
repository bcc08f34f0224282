#include "tests/bots/measure/process_usage.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "reactor/base/text.h"

namespace bots {
namespace {

struct Stat {
    std::string name;
    std::uint64_t cpu_ticks = 0;
    std::uint64_t started_ticks = 0;
    std::uint64_t rss_pages = 0;
    char state = '?';
};

// Files of /proc say that they are empty; they are read to their end. Null when it cannot be read.
std::optional<std::string> read_proc(int pid, std::string_view file) {
    std::ifstream in(fmt::format("/proc/{}/{}", pid, file), std::ios::binary);
    if (!in) return std::nullopt;
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (in.bad() || text.empty()) return std::nullopt;
    return text;
}

std::uint64_t number_at(const std::vector<std::string_view>& fields, std::size_t index) {
    const auto number =
        index < fields.size() ? base::parse_integer(fields[index]) : std::optional<std::int64_t>();
    return number && *number > 0 ? static_cast<std::uint64_t>(*number) : 0;
}

// proc(5), /proc/pid/stat. The name is in parentheses and may hold any character, those too.
std::optional<Stat> read_stat(int pid) {
    const std::optional<std::string> text = read_proc(pid, "stat");
    if (!text) return std::nullopt;
    const std::size_t open = text->find('(');
    const std::size_t close = text->rfind(") ");
    if (open == std::string::npos || close == std::string::npos || close < open)
        return std::nullopt;
    const auto fields = base::split(std::string_view(*text).substr(close + 2), ' ');
    Stat stat;
    stat.name = text->substr(open + 1, close - open - 1);
    stat.state = fields[0].empty() ? '?' : fields[0][0];
    stat.cpu_ticks = number_at(fields, 11) + number_at(fields, 12);  // Fields 14, 15 of proc(5).
    stat.started_ticks = number_at(fields, 19);                      // Field 22.
    stat.rss_pages = number_at(fields, 21);                          // Field 24.
    return stat;
}

// The process's own CPU clock counts nanoseconds, /proc/pid/stat hundredths of a second.
double cpu_seconds(int pid, const Stat& stat) {
    clockid_t clock{};
    timespec used{};
    if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &used) == 0)
        return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
    return static_cast<double>(stat.cpu_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

// "Pss:      290 kB" of smaps_rollup.
std::optional<std::uint64_t> rollup_bytes(std::string_view text, std::string_view key) {
    for (const std::string_view line : base::split(text, '\n')) {
        if (!line.starts_with(key)) continue;
        std::string_view value = line.substr(key.size());
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
        const auto number = base::parse_integer(value.substr(0, value.find(' ')));
        if (number && *number >= 0) return static_cast<std::uint64_t>(*number) * 1024;
    }
    return std::nullopt;
}

struct Memory {
    std::uint64_t rss_bytes = 0;
    std::optional<std::uint64_t> pss_bytes;
};

Memory read_memory(int pid, const Stat& stat, UsageDetail detail) {
    Memory memory{stat.rss_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)), std::nullopt};
    if (detail == UsageDetail::quick) return memory;
    // Readable by whoever may trace the process: its own user, or root.
    const std::optional<std::string> rollup = read_proc(pid, "smaps_rollup");
    if (!rollup) return memory;
    // The rollup counts pages; the figure in stat may lag behind by some dozens per thread.
    memory.rss_bytes = rollup_bytes(*rollup, "Rss:").value_or(memory.rss_bytes);
    memory.pss_bytes = rollup_bytes(*rollup, "Pss:");
    return memory;
}

bool has_ended(const Stat& stat) {
    return stat.state == 'Z' || stat.state == 'X';
}

}  // namespace

base::Result<ProcessWatch> ProcessWatch::open(std::span<const int> pids) {
    if (pids.empty()) return base::fail(base::Errc::invalid_argument, "no pid was given");
    ProcessWatch watch;
    for (const int pid : pids) {
        if (pid < 1)
            return base::fail(base::Errc::invalid_argument, fmt::format("{} is no pid", pid));
        if (std::ranges::find(watch.pids_, pid) != watch.pids_.end())
            return base::fail(base::Errc::invalid_argument,
                              fmt::format("the pid {} was given twice", pid));
        const std::optional<Stat> stat = read_stat(pid);
        if (!stat || has_ended(*stat))
            return base::fail(base::Errc::not_found,
                              fmt::format("there is no process {} (of the server)", pid));
        watch.pids_.push_back(pid);
        watch.identities_.push_back({stat->name, stat->started_ticks});
    }
    return watch;
}

base::Result<ProcessUsage> ProcessWatch::read(UsageDetail detail) {
    ProcessUsage sum;
    bool pss_known = true;
    for (std::size_t index = 0; index < pids_.size(); ++index) {
        const int pid = pids_[index];
        const Identity& identity = identities_[index];
        const std::optional<Stat> stat = read_stat(pid);
        if (!stat || has_ended(*stat) || stat->started_ticks != identity.started_ticks)
            return base::fail(base::Errc::not_found,
                              fmt::format("the process {} ({}) is gone", pid, identity.name));
        const Memory memory = read_memory(pid, *stat, detail);
        sum.cpu_s += cpu_seconds(pid, *stat);
        sum.rss_bytes += memory.rss_bytes;
        sum.pss_bytes += memory.pss_bytes.value_or(0);
        if (detail == UsageDetail::full && !memory.pss_bytes) {
            pss_known = false;
            note_ = fmt::format("PSS of {} ({}) is not ours to read: run as its user or as root",
                                pid, identity.name);
        }
    }
    if (!pss_known) sum.pss_bytes = 0;  // A part of the sum would read as the whole.
    return sum;
}

ProcessUsage own_usage(UsageDetail detail) {
    ProcessUsage usage;
    rusage used{};
    if (getrusage(RUSAGE_SELF, &used) == 0) {
        const auto seconds = [](const timeval& time) {
            return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
        };
        usage.cpu_s = seconds(used.ru_utime) + seconds(used.ru_stime);
    }
    const int pid = getpid();
    if (const std::optional<Stat> stat = read_stat(pid)) {
        const Memory memory = read_memory(pid, *stat, detail);
        usage.rss_bytes = memory.rss_bytes;
        usage.pss_bytes = memory.pss_bytes.value_or(0);
    }
    return usage;
}

}  // namespace bots
