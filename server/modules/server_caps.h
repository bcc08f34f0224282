// The server's own entity capabilities (XEP-0115 §6.2): the node and hash that stream features
// carry.
#pragma once

#include "xmpp/payloads/disco.h"

#include <string>

namespace server::modules {

inline constexpr std::string_view kServerCapsNode = "https://parley.im/caps";

/// The verification string of `info` with SHA-1, base64.
std::string server_caps_version(const xmpp::DiscoInfo& info);
/// "node#ver", what a client asks disco#info for.
std::string server_caps_node(const xmpp::DiscoInfo& info);

}  // namespace server::modules
