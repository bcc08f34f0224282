#include "reactor/run_main.h"

#include "reactor/logs/line_sink.h"
#include "reactor/real_world.h"
#include "reactor/signals.h"
#include "reactor/tcp_network.h"

#include <unistd.h>
#include <csignal>
#include <optional>

namespace reactor::detail {

namespace {

Deferred<int> call_main(ErasedMain& main, World& world, std::vector<std::string> arguments) {
    try {
        return main(world, std::move(arguments));
    } catch (...) {
        return failure_of_current_exception();
    }
}

}  // namespace

int run_erased_main(ErasedMain main, int argc, char** argv, const RunMainOptions& options) {
    const RealClock clock;
    LineSink sink(LineFormat::text, clock, write_to_descriptor(STDERR_FILENO));
    RealShards shards(RealShardsOptions{}, base::Log(sink, options.log_level),
                      [](World& world) { return make_tcp_network(world); });
    World& world = shards.world(0);
    int code = 1;
    int signal = 0;
    std::optional<Deferred<void>> work;
    std::optional<SignalWatch> signals;
    const auto settled = [&](base::Result<int> result) {
        if (result) {
            code = *result;
        } else if (signal != 0 && result.error().is(base::Errc::cancelled)) {
            code = 128 + signal;
        } else {
            world.log.error("main.failed", {{"failure", result.error().traceback()}});
        }
        shards.stop();
    };
    const auto on_signal = [&](int number) {
        if (signal != 0) {
            code = 128 + number;
            shards.stop();
        } else {
            signal = number;
            if (work) work->cancel();
        }
    };
    shards.run(
        [&](ShardId) {
            signals.emplace(world.reactor, std::initializer_list<int>{SIGINT, SIGTERM}, on_signal);
            std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
            work.emplace(call_main(main, world, std::move(arguments)).both(settled));
        },
        [&](ShardId) {
            work.reset();
            signals.reset();
        });
    return code;
}

}  // namespace reactor::detail
