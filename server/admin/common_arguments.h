// What several admin commands ask for: a page of a list, and a reason that people are shown.
#pragma once

#include "server/admin/admin_command.h"

#include <cstddef>
#include <string>

namespace server {

inline constexpr AdminArgument kPageAfter{"after", ArgumentType::text, false,
                                          "Where the previous page ended: its \"next\"."};

/// "limit": entries of a page, 100 if not given; invalid_argument unless it is 1 to `most`.
base::Result<std::size_t> page_limit_of(const AdminArguments& arguments, std::size_t most);

/// "reason"; invalid_argument when it is too long.
base::Result<std::string> reason_of(const AdminArguments& arguments);

}  // namespace server
