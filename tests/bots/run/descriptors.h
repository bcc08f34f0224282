// File descriptors: raised to what the system allows, and counted before they run out.
#pragma once

#include "reactor/base/result.h"

#include <cstdint>

namespace bots {

/// Raises the limit of this process to the hard one. Failure: resource_exhausted, when `sessions`
/// connections will not fit, with what to do.
base::Result<void> reserve_descriptors(std::uint64_t sessions);

}  // namespace bots
