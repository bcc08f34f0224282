// RunResult as JSON: written at the end of a run, read back for comparisons, merged and replotted
// by other programs. The schema is in tests/bots/report/README.md.
#pragma once

#include "reactor/base/result.h"
#include "tests/bots/measure/run_result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace bots {

/// Raised when a reader of the old schema would misread the new one.
inline constexpr int kResultVersion = 1;
/// The largest file that is read.
inline constexpr std::size_t kResultBytesMax = 64UL * 1024 * 1024;

/// One top-level member per line, a line break at the end.
std::string result_to_json(const RunResult& result);
/// Failures, each one clear line: invalid_argument (no JSON, no result of parley-bots, a member
/// missing or of the wrong type, by its path), too_new (another version's).
base::Result<RunResult> result_from_json(std::string_view json);

/// Writes `text` whole or not at all: to a temporary file beside `path`, then renamed. For results
/// and reports.
base::Result<void> save_text(const std::string& path, std::string_view text);
/// `result_from_json` of a file; the failure names it.
base::Result<RunResult> load_result(const std::string& path);

}  // namespace bots
