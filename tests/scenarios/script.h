// Script: one scenario file as steps; README.md describes the language. Reading knows layout only:
// what a step means is the player's (player.h).
#pragma once

#include "reactor/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace server::test {

/// "romeo sends raw: <a/>" or the same with the text in indented lines below.
struct Step {
    int line = 0;
    std::vector<std::string> words;  ///< Of the part before the colon.
    std::string argument;            ///< Behind the colon, or the indented lines, indent removed.

    std::string text() const;  ///< The words again.
};

struct Script {
    std::string path;
    std::string config;  ///< Settings in TOML, from `config:` lines.
    unsigned shards = 0;  ///< Of a simulated server; 0: any number will do.
    std::string simulated;  ///< Why only a simulated server will do, from `simulated:`.
    std::vector<Step> steps;
};

/// Errors: invalid_argument, as "file:line: sentence".
base::Result<Script> parse_script(std::string_view text, std::string path);
/// Errors: also those of reading the file.
base::Result<Script> load_script(const std::string& path);

}  // namespace server::test
