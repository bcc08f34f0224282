// What a person who just started the server needs to know next.
#pragma once

#include "server/config/config.h"

#include <string>

namespace server {

/// Where parleyctl finds the server.
std::string admin_socket_path(const Config& config);

/// Prints the addresses, how to add a user, how to connect and what a real domain needs. Standard
/// output; `config_path` is empty for the embedded default.
void print_welcome(const Config& config, const std::string& config_path, bool self_signed);

}  // namespace server
