// Comparison of results side by side, for `parley-bots compare` and deploy/compare. A contender is
// one thing under test with one or more runs of it: with several, its figure is their median and
// the spread is known; differences within the spread are said to be none.
#pragma once

#include "reactor/base/result.h"
#include "tests/bots/measure/run_result.h"

#include <cstddef>
#include <string>
#include <vector>

namespace bots {

struct Contender {
    std::string label;            ///< Column head: "parleyd", "Prosody 0.12".
    std::vector<RunResult> runs;  ///< At least one.
};

/// From the command line's arguments, each "[LABEL=]FILE[,FILE…]": the results of one contender;
/// several files are runs of the same. A file whose own name holds such a sign is found as well.
/// Failures are those of `load_result`.
base::Result<std::vector<Contender>> load_contenders(const std::vector<std::string>& arguments);

/// Each result a contender of its own, told apart by software, host, setting or start.
std::vector<Contender> contenders_of(std::vector<RunResult> results);

/// Both want two contenders or more; the first is what the others are compared with.
std::string compare_text(const std::vector<Contender>& contenders);
std::string compare_html(const std::vector<Contender>& contenders);

}  // namespace bots
