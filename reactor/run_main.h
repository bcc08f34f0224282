// run_main: a whole program around one Deferred. Twisted's task.react: one shard, TCP, the log as
// text on standard error, signals; the exit code comes from what main settles with.
#pragma once

#include "reactor/base/log.h"
#include "reactor/deferred.h"
#include "reactor/world.h"

#include <string>
#include <utility>
#include <vector>

namespace reactor {

struct RunMainOptions {
    base::LogLevel log_level = base::LogLevel::info;
};

namespace detail {
using ErasedMain = base::UniqueFunction<Deferred<int>(World&, std::vector<std::string>)>;
int run_erased_main(ErasedMain main, int argc, char** argv, const RunMainOptions& options);
}  // namespace detail

/// Calls `main(world, arguments)`, arguments without the program's name, and runs until what it
/// returns (Deferred<int> or Deferred<void>) has settled. The exit code: the int, 0 for void; 1 for
/// a failure, which is logged as "main.failed". SIGINT or SIGTERM cancels the work, which may clean
/// up and give a code of its own, else it is 128 + the signal; the second signal ends without
/// waiting. Call it once, from the thread of `main`.
template <class Main>
int run_main(Main main, int argc, char** argv, const RunMainOptions& options = {}) {
    using Returned = std::invoke_result_t<Main&, World&, std::vector<std::string>>;
    if constexpr (std::is_same_v<Returned, Deferred<int>>) {
        return detail::run_erased_main(std::move(main), argc, argv, options);
    } else {
        auto with_code = [main = std::move(main)](World& world,
                                                  std::vector<std::string> arguments) mutable {
            return main(world, std::move(arguments)).then([] { return 0; });
        };
        return detail::run_erased_main(std::move(with_code), argc, argv, options);
    }
}

}  // namespace reactor
