// The four messages of SCRAM (RFC 5802 §7) as values: text in, parts out, strict. What they mean is
// decided in scram_server.cpp and scram_client.cpp. Internal to xmpp/sasl.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace xmpp::sasl {

inline constexpr std::size_t kScramNonceBytesMax = 1024;
inline constexpr std::size_t kScramAttributesMax = 32;

/// Why a message is refused: a value of `server-error-value` (RFC 5802 §7), such as
/// "extensions-not-supported". Points to a constant.
using ScramError = std::string_view;

enum class BindingFlag : char { unsupported = 'n', unused = 'y', required = 'p' };

struct ClientFirst {
    BindingFlag flag = BindingFlag::unsupported;
    std::string binding_type{};  ///< Of `p=`; otherwise empty.
    std::string authzid{};       ///< Decoded; empty when absent.
    std::string gs2_header{};    ///< As sent, up to and with the second comma.
    std::string bare{};          ///< client-first-message-bare, as sent.
    std::string username{};      ///< Decoded, not prepared.
    std::string nonce{};
};
std::expected<ClientFirst, ScramError> parse_client_first(std::string_view message);

struct ClientFinal {
    std::string binding_input{};  ///< Of `c=`, decoded: GS2 header and channel-binding data.
    std::string nonce{};
    std::string proof{};          ///< Decoded.
    std::string without_proof{};  ///< The message up to `,p=`, as sent.
};
std::expected<ClientFinal, ScramError> parse_client_final(std::string_view message);

struct ServerFirst {
    std::string nonce{};
    std::string salt{};  ///< Decoded.
    std::uint32_t iterations = 0;
};
std::expected<ServerFirst, ScramError> parse_server_first(std::string_view message);

/// The decoded verifier; the error may be what the server said after `e=`, hence a string.
std::expected<std::string, std::string> parse_server_final(std::string_view message);

/// ',' to "=2C", '=' to "=3D".
std::string encode_saslname(std::string_view name);

}  // namespace xmpp::sasl
