// Workload files: TOML with `workload = "chat"` and that workload's keys, all optional but the
// first. What is printed by `parley-bots workloads --show` is such a file.
#pragma once

#include "reactor/base/result.h"
#include "tests/bots/workload/settings.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace bots {

inline constexpr std::size_t kDefinitionBytesMax = 64UL * 1024;

/// `file` names it in failures, which are one line each: "chat.toml:3: rat: the workload chat has
/// no such key; did you mean rate?"; the first in the file is told. invalid_argument.
base::Result<Settings> parse_definition(std::string_view text, std::string_view file);

/// The name of a built-in workload, or the path of a file (it has a '/' or ends in ".toml").
/// Failures: as above; not_found (neither; the nearest name is told); io_error.
base::Result<Settings> load_definition(const std::string& name_or_path);

/// A commented file with the values of `settings`.
std::string show_definition(const Settings& settings);

}  // namespace bots
