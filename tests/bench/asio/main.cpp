// asio_comparison: this library against plain Boost.Asio, the same jobs in one run, in turns; the
// median of several rounds. Prints a table: see "Beside Boost.Asio" in reactor/README.md.
#include "tests/bench/asio/child.h"
#include "tests/bench/asio/load.h"
#include "tests/bench/asio/sides.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>

namespace {

using namespace bench;

struct Scale {
    std::size_t rounds = 5;
    double seconds = 2;
    std::size_t connections_max = 10'000;
    std::size_t idle = 2'000;
    std::size_t timers = 100'000;
    std::size_t posts = 1'000'000;
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// `rounds` of both in turns; prints a row. More is better, or less is.
void compare(const Scale& scale, const char* job, const char* unit, bool more,
             const std::function<double()>& ours, const std::function<double()>& theirs) {
    std::vector<double> mine;
    std::vector<double> others;
    for (std::size_t i = 0; i < scale.rounds; ++i) {
        mine.push_back(ours());
        others.push_back(theirs());
    }
    const double a = median(mine);
    const double b = median(others);
    std::printf("| %s | %.1f %s | %.1f %s | %.2f |\n", job, a, unit, b, unit, more ? a / b : b / a);
    std::fflush(stdout);
}

/// Thousand round trips per CPU second of the server.
double echo(const Scale& scale, const Serve& serve, std::size_t connections) {
    const Child server(serve);
    EchoLoad load(server.port(), connections);
    load.run(scale.seconds / 4);
    const double before = server.cpu_seconds();
    const auto round_trips = static_cast<double>(load.run(scale.seconds));
    return round_trips / (server.cpu_seconds() - before) / 1000;
}

double bytes_per_idle_connection(const Scale& scale, const Serve& serve, bool tls) {
    const Child server(serve);
    const IdleLoad warm(server.port(), 50, tls);
    const std::int64_t before = server.memory_bytes();
    const IdleLoad load(server.port(), scale.idle, tls);
    return static_cast<double>(server.memory_bytes() - before) / static_cast<double>(scale.idle);
}

TimerPlan plan_timers(const Scale& scale) {
    std::mt19937_64 random(1);
    TimerPlan plan;
    const auto up_to = [&](std::chrono::nanoseconds most) {
        return std::chrono::nanoseconds(
            static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most.count())));
    };
    for (std::size_t i = 0; i < scale.timers; ++i) {
        plan.delays.push_back(std::chrono::minutes(1) + up_to(std::chrono::minutes(5)));
        plan.again.emplace_back(random() % scale.timers,
                                std::chrono::minutes(1) + up_to(std::chrono::minutes(5)));
        plan.soon.push_back(std::chrono::milliseconds(1));
    }
    return plan;
}

void compare_posts(const Scale& scale) {
    const double per_post = 1e9 / static_cast<double>(scale.posts);
    compare(
        scale, "post from another thread", "ns", false,
        [&] { return reactor_posts(scale.posts) * per_post; },
        [&] { return asio_posts(scale.posts) * per_post; });
    compare(
        scale, "mail between loops, batches of 512", "ns", false,
        [&] { return reactor_mail(scale.posts) * per_post; },
        [&] { return asio_mail(scale.posts) * per_post; });
}

void compare_loops(const Scale& scale) {
    const TimerPlan plan = plan_timers(scale);
    const double per_timer = 1e9 / static_cast<double>(scale.timers);
    const auto part = [&](double TimerTimes::* which, TimerTimes (*side)(const TimerPlan&)) {
        return [&plan, per_timer, which, side] { return side(plan).*which * per_timer; };
    };
    const auto row = [&](const char* job, double TimerTimes::* which) {
        compare(scale, job, "ns", false, part(which, reactor_timers), part(which, asio_timers));
    };
    row("timer armed, 100,000 live", &TimerTimes::arm);
    row("timer re-armed", &TimerTimes::rearm);
    row("timer fired", &TimerTimes::fire);
    compare_posts(scale);
}

void compare_echo(const Scale& scale) {
    char job[100];
    for (const std::size_t connections :
         {std::size_t{1}, std::size_t{100}, scale.connections_max}) {
        std::snprintf(job, sizeof job, "echo by callbacks, %zu connections", connections);
        compare(
            scale, job, "k/CPU s", true, [&] { return echo(scale, reactor_echo, connections); },
            [&] { return echo(scale, asio_echo, connections); });
        std::snprintf(job, sizeof job, "echo by coroutines, %zu connections", connections);
        compare(
            scale, job, "k/CPU s", true,
            [&] { return echo(scale, reactor_coroutine_echo, connections); },
            [&] { return echo(scale, asio_coroutine_echo, connections); });
    }
}

void compare_memory(const Scale& scale) {
    const auto [certificate, key] = certificate_and_key();
    const auto tls = [&](auto serve) -> Serve {
        return [serve, &certificate = certificate, &key = key](const Ready& ready) {
            serve(ready, certificate, key);
        };
    };
    const auto row = [&](const char* job, const Serve& ours, const Serve& theirs, bool with_tls) {
        compare(
            scale, job, "bytes", false,
            [&] { return bytes_per_idle_connection(scale, ours, with_tls); },
            [&] { return bytes_per_idle_connection(scale, theirs, with_tls); });
    };
    row("idle TCP connection, callbacks", reactor_echo, asio_echo, false);
    row("idle TCP connection, coroutines", reactor_coroutine_echo, asio_coroutine_echo, false);
    row("idle TLS 1.3 connection, callbacks", tls(reactor_tls_echo), tls(asio_tls_echo), true);
}

constexpr const char* kUsage =
    "The same jobs with the reactor and with plain Boost.Asio, in turns, as a table of medians.\n"
    "  asio_comparison [ROUNDS [SECONDS [JOBS]]]  ROUNDS of each job (5), SECONDS of each echo "
    "(2);\n"
    "                                             JOBS: echo, memory or loop (all)\n"
    "  asio_comparison quick                      everything once, for a moment\n";

}  // namespace

int main(int argc, char** argv) {
    Scale scale;
    if (argc > 1 && std::string_view(argv[1]).starts_with("-")) {
        std::fputs(kUsage, stdout);
        return 0;
    }
    if (argc > 1 && std::string_view(argv[1]) == "quick") {
        scale = {.rounds = 1,
                 .seconds = 0.05,
                 .connections_max = 200,
                 .idle = 50,
                 .timers = 1000,
                 .posts = 1000};
    } else {
        if (argc > 1) scale.rounds = static_cast<std::size_t>(std::max(1, std::atoi(argv[1])));
        if (argc > 2) scale.seconds = std::max(0.1, std::atof(argv[2]));
    }
    const std::string_view only = argc > 3 ? argv[3] : "";
    std::printf("| job | reactor | Boost.Asio | ahead by |\n|---|---|---|---|\n");
    // Processes are forked while there is one thread.
    if (only.empty() || only == "echo") compare_echo(scale);
    if (only.empty() || only == "memory") compare_memory(scale);
    if (only.empty() || only == "loop") compare_loops(scale);
    return 0;
}
