// The server's side of SASL (RFC 4422, RFC 6120 §6) as step machines: bytes in, a Step out, no I/O.
// SCRAM-SHA-1/-256/-512 with and without -PLUS, PLAIN, EXTERNAL, ANONYMOUS. Base64 and XML are the
// session's business, and so are loading keys and running PBKDF2: a machine asks for them by a
// Step.
//
// What to advertise so that slixmpp 1.8.3 (Debian 12) logs in, tried with the real one: it prefers
// any -PLUS, does not know XEP-0440 and always binds tls-unique, on TLS 1.3 too, where Python
// yields the client's Finished message for it. Refused, it tries the other -PLUS, then SCRAM with
// the `y` flag, which RFC 5802 §6 makes us refuse as well, and then PLAIN: seven attempts, or none
// that works. So: offer -PLUS, list tls-exporter and tls-server-end-point by XEP-0440, and put
// tls-unique into channel_bindings on every TLS version (channel_binding.h), unlisted on TLS 1.3.
// ejabberd does the same. The data is still checked against the real handshake, and the `y` check
// stays whole.
#pragma once

#include "reactor/base/result.h"
#include "xmpp/sasl/channel_binding.h"
#include "xmpp/sasl/step.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xmpp::sasl {

/// All that an exchange may know of its connection. Consumed by make_server_mechanism().
struct ServerContext {
    std::string
        host;  ///< The virtual host, a prepared domain; authorization identities must be at it.
    bool is_tls = false;
    bool plain_without_tls = false;  ///< Tests and trusted loopback only.
    bool anonymous_allowed = false;  ///< By the host's configuration.
    /// Whether any -PLUS mechanism stood in the stream features of this connection.
    bool plus_advertised = false;
    std::vector<ChannelBinding> channel_bindings{};
    /// Bare JIDs (xmppAddr, RFC 6120 §13.7.1.4) of the client's verified certificate.
    std::vector<std::string> external_identities{};
    /// At least kNonceBytes fresh random bytes: the server's part of the nonce. SCRAM only.
    std::string nonce{};
    /// At least 16 random bytes, the same for the life of the host's accounts. SCRAM only.
    std::string fake_salt_secret{};
    /// Shown for accounts that do not exist; must be what new passwords are stored with.
    std::uint32_t iterations = kIterationsDefault;
};
inline constexpr std::size_t kNonceBytes = 18;

/// One exchange. Call start() once; after that, what the last Step asks for. A call that the last
/// Step did not ask for is answered with Failure{malformed_request}; after Success or Failure every
/// call is. To abort: destroy it. Owned by one session; no call blocks or waits.
class ServerMechanism {
public:
    virtual ~ServerMechanism() = default;

    /// With the initial response of <auth/>: nullopt if the element had no text, "" if it was "=".
    virtual Step start(std::optional<std::string> initial_response) = 0;
    /// The client's answer to a Challenge, base64 decoded.
    virtual Step respond(std::string response) = 0;
    /// Answer to NeedKeys; nullopt when the account or its keys of that hash do not exist.
    virtual Step provide_keys(std::optional<ScramKeys> keys);
    /// Answer to NeedPasswordCheck.
    virtual Step provide_verdict(bool password_is_right);
};

/// The mechanism of that exact name, or the condition to answer with: encryption_required for PLAIN
/// without TLS (RFC 6120 §6.5.4); invalid_mechanism for an unknown name, a -PLUS without any
/// channel binding, EXTERNAL without identities, ANONYMOUS where it is not allowed. A mechanism
/// that the configuration leaves out of the offer is the caller's to refuse.
base::Result<std::unique_ptr<ServerMechanism>, SaslCondition> make_server_mechanism(
    std::string_view name, ServerContext context);

/// All that can work on such a connection, strongest first; the views point to constants. The
/// configuration may strike some out. Needs no nonce, no secret and no plus_advertised.
std::vector<std::string_view> mechanisms_to_offer(const ServerContext& context);

}  // namespace xmpp::sasl
