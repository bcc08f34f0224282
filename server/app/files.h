// Files of the data folder: made private, written whole or not at all. Blocking: for start-up and
// for jobs in the pool, never on a shard.
#pragma once

#include "reactor/base/result.h"

#include <string>

namespace server {

/// Makes the folder (mode 0700, parents too) if it is missing and checks that it can be written to.
/// The failure's text names the folder, the reason and the mend.
base::Result<void> prepare_folder(const std::string& path);

/// Errors: not_found, permission_denied, io_error, each naming the file. At most 1 MiB.
base::Result<std::string> read_file(const std::string& path);

/// Replaces the file atomically, mode 0600, on disk when it returns.
base::Result<void> write_private_file(const std::string& path, const std::string& content);

}  // namespace server
