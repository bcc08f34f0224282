// A periodic monitor: measures its own loop and the machine's load at regular times, without drift,
// and prints one line of JSON each. A measurement that fails is logged and the next one comes.
//   periodic_monitor [interval in ms, default 1000] [lines, default for ever]
#include "reactor/blocking_pool.h"
#include "reactor/logs/line_sink.h"
#include "reactor/looping_call.h"
#include "reactor/monitor/loop_monitor.h"
#include "reactor/run_main.h"

#include <unistd.h>
#include <cstdlib>

namespace {

using namespace reactor;

/// The first number of /proc/loadavg; the file is read on the pool, never on the loop.
Deferred<double> load_average(World& world) {
    return world.blocking.run(WorkClass::misc, []() -> base::Result<double> {
        double loads[1];
        if (getloadavg(loads, 1) != 1) return base::fail(base::Errc::unsupported, "no load");
        return loads[0];
    });
}

struct Monitor {
    World& world;
    LoopMonitor loop{world.reactor, world.clock};
    LineSink output{LineFormat::json, world.clock, write_to_descriptor(STDOUT_FILENO)};

    Deferred<void> measure(std::int64_t slots) {
        Deferred<double> asking = load_average(world);
        const base::Result<double> load = co_await std::move(asking);
        if (!load) co_return load.error();
        base::Log(output).info(
            "monitor", {{"load", *load},
                        {"missed", slots - 1},
                        {"turns", loop.turns().count()},
                        {"longest_turn_us", loop.turns().longest() / std::chrono::microseconds(1)},
                        {"stalls", loop.stalls()}});
        co_return {};
    }
};

Deferred<void> monitor_main(World& world, std::vector<std::string> arguments) {
    const long interval_ms = arguments.empty() ? 1000 : std::atol(arguments[0].c_str());
    long lines_left = arguments.size() < 2 ? -1 : std::atol(arguments[1].c_str());
    Monitor monitor{world};
    LoopingCall* looping = nullptr;
    LoopingCall loop = LoopingCall::with_count(world.reactor, [&](std::int64_t slots) {
        if (lines_left > 0 && --lines_left == 0) looping->stop();
        return monitor.measure(slots);
    });
    looping = &loop;
    loop.log_and_continue_on_error();
    Deferred<void> done = loop.start(std::chrono::milliseconds(interval_ms));
    co_return co_await std::move(done);
}

}  // namespace

int main(int argc, char** argv) {
    return run_main(monitor_main, argc, argv);
}
