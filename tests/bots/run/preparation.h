// From what the command line says to a Plan: server, certificate rules, names, limits. Everything
// here happens before the loop runs.
#pragma once

#include "tests/bots/run/options.h"
#include "tests/bots/run/target.h"

#include <memory>
#include <string>
#include <vector>

namespace bots {

struct Preparation {
    Target target;
    std::unique_ptr<Plan> plan;
    std::uint32_t cores = 1;
    /// Worth telling: "the certificate is taken as it is: …".
    std::vector<std::string> notes;
};

/// Failures are one clear line each: invalid_argument (options that will not do), not_found (the
/// server's name), io_error (the CA file), resource_exhausted (descriptors or ports).
base::Result<Preparation> prepare_run(const RunOptions& options, Settings settings);

}  // namespace bots
