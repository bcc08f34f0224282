#include "server/app/welcome.h"

#include "server/config/core_keys.h"

#include <cstdio>
#include <fmt/format.h>

namespace server {

std::string admin_socket_path(const Config& config) {
    const std::string configured(config.get(keys::kAdminSocket));
    if (!configured.empty()) return configured;
    return std::string(config.get(keys::kDataDir)) + "/parleyctl.sock";
}

void print_welcome(const Config& config, const std::string& config_path, bool self_signed) {
    const std::string& host = config.hosts().front().name;
    const auto port = config.get(keys::kC2sPort);
    const auto tls_port = config.get(keys::kC2sTlsPort);
    std::string text = fmt::format("\nParley {} serves {}", PARLEY_VERSION, host);
    for (std::size_t more = 1; more < config.hosts().size(); ++more)
        text += ", " + config.hosts()[more].name;
    text += '\n';
    if (port != 0) text += fmt::format("  port {} (STARTTLS)\n", port);
    if (tls_port != 0) text += fmt::format("  port {} (direct TLS)\n", tls_port);
    text += fmt::format(
        "\nAdd a user:\n  parleyctl --socket {} add-user alice@{}\n"
        "\nConnect with any XMPP client as alice@{}, server {}, port {}.\n",
        admin_socket_path(config), host, host, host == "localhost" ? "localhost" : host,
        port != 0 ? port : tls_port);
    if (self_signed)
        text += fmt::format(
            "The certificate is self-signed ({}/self-signed.crt): clients ask before they trust "
            "it.\n",
            config.get(keys::kDataDir));
    if (config_path.empty())
        text +=
            "\nFor a real domain: write a configuration with your [[host]] and its certificate\n"
            "(parleyd --config-reference > parley.toml), point the DNS name at this machine, open\n"
            "both ports and start parleyd --config parley.toml.\n";
    text += "\nStop with Ctrl-C.\n\n";
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

}  // namespace server
