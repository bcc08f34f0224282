// Limits of the process that a server wants raised.
#pragma once

#include "reactor/base/log.h"

namespace server {

/// Raises the soft limit of open files to the hard one, and says in the log when that is little.
void raise_descriptor_limit(const base::Log& log);

}  // namespace server
