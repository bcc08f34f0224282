// parley-sim: runs the whole server and a crowd of phones on virtual time, seed after seed, with
// faults. README.md tells what it looks for.
#include "tests/sim/run.h"

#include <fmt/format.h>
#include <charconv>
#include <chrono>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

namespace sim {
namespace {

constexpr int kExitUsage = 2;

struct Options {
    std::string seeds = "1-20";
    unsigned bots = 8;
    unsigned minutes = 2;
    std::string faults = "all";
    unsigned shards = 0;
    unsigned rooms = 0;
    bool trace = false;
    bool verbose = false;
};

struct Seeds {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

std::optional<Seeds> parse_seeds(std::string_view text) {
    Seeds seeds;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, seeds.first);
    if (error != std::errc{}) return std::nullopt;
    seeds.last = seeds.first;
    if (rest == end) return seeds;
    if (*rest != '-') return std::nullopt;
    const auto [last, last_error] = std::from_chars(rest + 1, end, seeds.last);
    if (last_error != std::errc{} || last != end || seeds.last < seeds.first) return std::nullopt;
    return seeds;
}

RunOptions run_options(const Options& options, FaultSet faults, std::uint64_t seed) {
    return {.seed = seed,
            .accounts = options.bots,
            .time = std::chrono::minutes(options.minutes),
            .faults = faults,
            .shards = options.shards,
            .rooms = options.rooms,
            .prints = options.trace};
}

std::string replay(const Options& options, std::uint64_t seed) {
    std::string text = fmt::format("parley-sim --seed {} --bots {} --minutes {}", seed,
                                   options.bots, options.minutes);
    if (options.faults != "all") text += " --faults " + options.faults;
    if (options.shards != 0) text += fmt::format(" --shards {}", options.shards);
    if (options.rooms != 0) text += fmt::format(" --rooms {}", options.rooms);
    return text + " --trace";
}

struct Sums {
    std::uint64_t failed = 0;
    std::uint64_t runs = 0;
    double virtual_seconds = 0;
    MessageLog::Totals totals;
    test::RoomBook::Totals rooms;

    void add(const RunReport& report) {
        ++runs;
        if (!report.violations.empty()) ++failed;
        virtual_seconds += report.virtual_seconds;
        totals.sent += report.totals.sent;
        totals.acknowledged += report.totals.acknowledged;
        totals.refused += report.totals.refused;
        totals.arrived += report.totals.arrived;
        totals.excused += report.totals.excused;
        rooms.said += report.rooms.said;
        rooms.acknowledged += report.rooms.acknowledged;
        rooms.refused += report.rooms.refused;
        rooms.heard += report.rooms.heard;
        rooms.shown += report.rooms.shown;
        rooms.kept += report.rooms.kept;
        rooms.excused += report.rooms.excused;
    }
};

void tell(const Options& options, std::uint64_t seed, const RunReport& report) {
    if (options.verbose || options.trace)
        fmt::print(
            "seed {}: hash {:016x}, {} faults, {} messages, {} arrived, {} refused, "
            "{} excused, {:.0f} s, {} turns\n",
            seed, report.hash, report.faults.size(), report.totals.sent, report.totals.arrived,
            report.totals.refused, report.totals.excused, report.virtual_seconds, report.turns);
    if (!report.violations.empty()) {
        fmt::print("FAILED seed {}: {}\n", seed, report.violations.front());
        for (std::size_t i = 1; i < report.violations.size(); ++i)
            fmt::print("  and: {}\n", report.violations[i]);
        fmt::print("  replay: {}\n", replay(options, seed));
    }
    std::fflush(stdout);
}

int command_line(int argc, char** argv) {
    CLI::App app{"Simulates the whole server and its clients on virtual time, with faults."};
    Options options;
    auto* many = app.add_option("--seeds", options.seeds, "FIRST-LAST")->capture_default_str();
    app.add_option("--seed", options.seeds, "One seed")->excludes(many);
    app.add_option("--bots", options.bots, "Accounts, most with two devices")
        ->check(CLI::Range(2, 2000))
        ->capture_default_str();
    app.add_option("--minutes", options.minutes, "With faults, in virtual time")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    app.add_option("--faults", options.faults,
                   "Kinds that may happen: all, none, or names with commas: reset silence latency "
                   "write commit read slow_disk full_disk restart kill power clock")
        ->capture_default_str();
    app.add_option("--shards", options.shards, "Of the server; 0: as the seed says")
        ->check(CLI::Range(0, 8));
    app.add_option("--rooms", options.rooms, "Rooms, each with five visitors of its own")
        ->check(CLI::Range(0, 100));
    app.add_flag("--trace", options.trace, "Print every event");
    app.add_flag("-v,--verbose", options.verbose, "A line for every seed");
    CLI11_PARSE(app, argc, argv);
    const auto seeds = parse_seeds(options.seeds);
    const auto faults = parse_faults(options.faults);
    if (!seeds || !faults) {
        fmt::print(stderr, "parley-sim: {} is not understood; see --help\n",
                   seeds ? options.faults : options.seeds);
        return kExitUsage;
    }
    const auto started = std::chrono::steady_clock::now();
    Sums sums;
    for (std::uint64_t seed = seeds->first; seed <= seeds->last; ++seed) {
        const RunReport report = run(run_options(options, *faults, seed));
        sums.add(report);
        tell(options, seed, report);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    fmt::print(
        "{} seeds, {} failed; {} messages sent, {} acknowledged, {} arrived, {} refused, "
        "{} excused; {:.0f} virtual seconds in {:.1f} s\n",
        sums.runs, sums.failed, sums.totals.sent, sums.totals.acknowledged, sums.totals.arrived,
        sums.totals.refused, sums.totals.excused, sums.virtual_seconds, took.count());
    if (options.rooms != 0)
        fmt::print(
            "rooms: {} said, {} acknowledged, {} refused, {} heard, {} shown, {} in archives, {} "
            "excused\n",
            sums.rooms.said, sums.rooms.acknowledged, sums.rooms.refused, sums.rooms.heard,
            sums.rooms.shown, sums.rooms.kept, sums.rooms.excused);
    return sums.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace sim

int main(int argc, char** argv) {
    return sim::command_line(argc, argv);
}
