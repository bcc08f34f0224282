// run_process: a program run to its end with everything it said, within limits.
#pragma once

#include "reactor/process/process.h"

#include <string>

namespace reactor {

struct World;

struct RunLimits {
    std::string input = {};  ///< For its standard input, which is closed behind it.
    std::size_t out_bytes_max = 1'048'576;
    std::size_t error_bytes_max = 262'144;
    base::Duration timeout = std::chrono::seconds(60);
    /// How long output may stay open after the exit (grandchildren that hold it).
    base::Duration pipe_grace = std::chrono::seconds(1);
};

struct ProcessOutput {
    std::string out;
    std::string error;
    ExitStatus status;
    bool pipes_abandoned = false;
};

/// The descriptors 0 to 2 of `spec` are replaced by pipes. A program that fails is a value: look at
/// `status`. Fails as `spawn` does, with resource_exhausted (more output than allowed) or
/// timed_out; in both cases its group is killed and reaped first. Cancelling or dropping kills it.
Deferred<ProcessOutput> run_process(World& world, ProcessSpawner& spawner, ProcessSpec spec,
                                    RunLimits limits = {});

}  // namespace reactor
