// parley-scenarios: plays .scn files against a server in this process on virtual time, against a
// parleyd that it starts, or against one that runs. README.md describes the language.
#include "tests/scenarios/live_venue.h"
#include "tests/scenarios/player.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace server::test {
namespace {

constexpr int kExitUsage = 2;

struct Options {
    std::vector<std::string> files;
    std::string binary;  // Of a server to start.
    std::string live;    // Of a running server: address:port.
    std::string admin_socket;
    std::uint16_t tls_port = 0;
    unsigned shards = 0;  // Of the simulated server, where the file leaves it open.

    bool in_process() const { return binary.empty() && live.empty(); }
};

std::unique_ptr<Venue> make_venue(const Options& options, const Script& script) {
    if (options.in_process()) return std::make_unique<SimVenue>(script);
    if (!options.binary.empty()) return std::make_unique<OwnServerVenue>(options.binary, script);
    const std::size_t colon = options.live.rfind(':');
    LiveServer server;
    server.address = options.live.substr(0, colon);
    server.port = static_cast<std::uint16_t>(std::strtoul(&options.live[colon + 1], nullptr, 10));
    server.tls_port = options.tls_port;
    server.admin_socket = options.admin_socket;
    return std::make_unique<LiveVenue>(std::move(server));
}

struct Counts {
    int played = 0;
    int skipped = 0;
    int failed = 0;
};

void play(const std::string& file, const Options& options, Counts& counts) {
    auto script = load_script(file);
    if (!script) {
        ++counts.failed;
        fmt::print("FAILED  {}\n", script.error().detail());
        return;
    }
    if (options.shards != 0 && script->shards == 0) script->shards = options.shards;
    if (!options.in_process()) {
        if (const auto why = needs_simulation(*script, !options.binary.empty())) {
            ++counts.skipped;
            fmt::print("skipped {}: {}\n", file, *why);
            return;
        }
    }
    try {
        const std::unique_ptr<Venue> venue = make_venue(options, *script);
        Player(*script, *venue).play();
        ++counts.played;
        fmt::print("passed  {}\n", file);
    } catch (const std::exception& failure) {
        ++counts.failed;
        fmt::print("FAILED  {}\n", failure.what());
    }
    std::fflush(stdout);
}

int run(int argc, char** argv) {
    CLI::App app{"Plays scenarios: conversations between XMPP clients and the server."};
    Options options;
    app.add_option("files", options.files, "Scenarios (.scn)")->required();
    auto* own = app.add_option("--server", options.binary,
                               "Start this parleyd for each scenario, in a temporary folder");
    auto* live = app.add_option("--live", options.live,
                                "Use the server at ADDRESS:PORT, which serves example.org and "
                                "example.net")
                     ->excludes(own);
    auto* ctl = app.add_option("--ctl", options.admin_socket, "Its admin socket")->needs(live);
    live->needs(ctl);
    app.add_option("--tls-port", options.tls_port, "Its port for direct TLS")->needs(live);
    app.add_option("--shards", options.shards,
                   "Shards of the simulated server, for files that do not say")
        ->check(CLI::Range(1, 8));
    CLI11_PARSE(app, argc, argv);
    if (!options.live.empty() && options.live.find(':') == std::string::npos) {
        fmt::print(stderr, "--live wants ADDRESS:PORT\n");
        return kExitUsage;
    }
    std::signal(SIGPIPE, SIG_IGN);
    Counts counts;
    for (const std::string& file : options.files)
        play(file, options, counts);
    fmt::print("{} passed, {} skipped, {} failed\n", counts.played, counts.skipped, counts.failed);
    return counts.failed > 0 || counts.played == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace
}  // namespace server::test

int main(int argc, char** argv) {
    return server::test::run(argc, argv);
}
