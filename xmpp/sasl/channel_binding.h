// Channel-binding data as values (RFC 5056, 5929, 9266). The TLS layer fills them in; nothing here
// knows TLS. What a server should put into ServerContext::channel_bindings:
// - tls-exporter on TLS 1.3, and on TLS 1.2 with extended master secret (RFC 9266 §4.2): 32 bytes
//   exported with the label below and an empty context.
// - tls-server-end-point always (XEP-0440 §3): the leaf certificate's hash, RFC 5929 §4.1.
// - tls-unique: the first Finished message, which is the client's on a full handshake and ours on a
//   resumed one; on TLS 1.2 only with extended master secret. Not defined for TLS 1.3, but see
//   mechanism.h.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xmpp::sasl {

inline constexpr std::string_view kTlsExporter = "tls-exporter";
inline constexpr std::string_view kTlsServerEndPoint = "tls-server-end-point";
inline constexpr std::string_view kTlsUnique = "tls-unique";
inline constexpr std::string_view kTlsExporterLabel = "EXPORTER-Channel-Binding";

struct ChannelBinding {
    std::string type{};  ///< IANA's unique prefix: kTlsExporter and so on.
    std::string data{};  ///< Raw bytes; an entry without data is never used.
};

/// The data for `type`, or nullptr when the connection does not offer it (or offers it without
/// data).
const ChannelBinding* find_binding(std::span<const ChannelBinding> bindings,
                                   std::string_view type) noexcept;

}  // namespace xmpp::sasl
