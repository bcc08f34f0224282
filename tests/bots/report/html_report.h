// The report of one run: a single XHTML5 file that needs nothing else (no script, no network), in
// light and dark, on screen and on paper. Plots are inline SVG with their figures in tables beside.
#pragma once

#include "tests/bots/measure/run_result.h"

#include <string>

namespace bots {

/// Well-formed XML that is HTML as well. Whatever a server said is escaped.
std::string html_report(const RunResult& result);

}  // namespace bots
