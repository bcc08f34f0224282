// The command line of parleyctl: parses it, asks the server, shows the answer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/ctl/admin_client.h"
#include "server/ctl/console.h"

namespace server::ctl {

inline constexpr int kExitRefused = 1;      ///< The server refused, or its status is not good.
inline constexpr int kExitUsage = 2;        ///< Wrong arguments, or a question answered with no.
inline constexpr int kExitUnreachable = 3;  ///< No server, or it did not answer.

using ConnectFunction = std::function<std::unique_ptr<AdminClient>(const std::string& socket)>;

/// `arguments` without the name of the program; `connect` makes the client for what --socket says
/// (empty: not given). Answers the exit code. Never throws.
int run(std::vector<std::string> arguments, Console& console, const ConnectFunction& connect);

}  // namespace server::ctl
