// A plausible result of a chat run for the tests of the reports: every member is filled, the same
// on every call.
#pragma once

#include "tests/bots/measure/run_result.h"

namespace bots {

/// `slowness` stretches all latencies and the server's usage; `seed` varies the noise.
RunResult example_result(double slowness = 1, unsigned seed = 1);

}  // namespace bots
