// What is printed at the end of a run: about twelve lines for a person at a terminal.
#pragma once

#include "tests/bots/measure/run_result.h"

#include <string>

namespace bots {

/// Why the run passed or failed, in words: "Passed: 60,000 messages, none lost, duplicated or
/// reordered." Text from servers in it has no control characters.
std::string verdict_of(const RunResult& result);

/// Lines that end in a line break: verdict, messages, rates, latencies, logins, errors, usage.
std::string text_summary(const RunResult& result);

}  // namespace bots
