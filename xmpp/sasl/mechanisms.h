// The constructors behind make_server_mechanism() and make_client_mechanism(), and the names they
// share. Internal to xmpp/sasl.
#pragma once

#include "xmpp/sasl/client.h"
#include "xmpp/sasl/mechanism.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace xmpp::sasl {

inline constexpr std::string_view kPlain = "PLAIN";
inline constexpr std::string_view kExternal = "EXTERNAL";
inline constexpr std::string_view kAnonymous = "ANONYMOUS";

struct ScramName {
    ScramHash hash = ScramHash::sha256;
    bool plus = false;
};
/// "SCRAM-SHA-256-PLUS" and its five siblings; nullopt for anything else.
std::optional<ScramName> parse_scram_name(std::string_view name) noexcept;
/// Strongest first: -512-PLUS, -256-PLUS, -1-PLUS, -512, -256, -1. Points to a constant.
std::span<const std::string_view> scram_names() noexcept;

/// `nonce` is the printable text that goes into the messages; context.nonce is not looked at.
std::unique_ptr<ServerMechanism> make_scram_server(ScramName name, ServerContext context,
                                                   std::string nonce);
std::unique_ptr<ServerMechanism> make_plain_server(ServerContext context);
std::unique_ptr<ServerMechanism> make_external_server(ServerContext context);
std::unique_ptr<ServerMechanism> make_anonymous_server();

std::unique_ptr<ClientMechanism> make_scram_client(ScramName name, ClientContext context,
                                                   std::string nonce);
std::unique_ptr<ClientMechanism> make_simple_client(std::string_view name, ClientContext context);

inline Failure malformed(std::string text) {
    return {SaslCondition::malformed_request, std::move(text)};
}

}  // namespace xmpp::sasl
