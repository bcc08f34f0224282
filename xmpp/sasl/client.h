// The client's side of SASL (RFC 4422, RFC 6120 §6) as step machines, for the load harness, tests
// and federation-like links. PBKDF2 is asked for by a step, so that a caller can run it elsewhere
// and keep the result: RFC 5802 §5.1 allows a client to cache SaltedPassword for an unchanged
// (salt, iterations).
#pragma once

#include "xmpp/sasl/channel_binding.h"
#include "xmpp/sasl/step.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace xmpp::sasl {

/// Send these bytes (base64; an empty initial response is "=", an empty response no text).
struct Response {
    std::string data{};
};
/// Look into the cache or run salt_password() in the pool, then call provide_salted_password().
struct NeedSaltedPassword {
    ScramHash hash = ScramHash::sha256;
    std::string salt{};
    std::uint32_t iterations = 0;
};
/// The server accepted and, where the mechanism can tell, proved that it knows the account.
struct Authenticated {};
/// Send <abort/>, or close if the server already claimed success; do not trust the stream.
struct Abort {
    std::string reason{};
};
using ClientStep = std::variant<Response, NeedSaltedPassword, Authenticated, Abort>;

struct ClientContext {
    std::string username{};
    std::string password{};
    std::string authzid{};  ///< Empty, or the bare JID to act as.
    std::vector<ChannelBinding> channel_bindings{};
    /// For -PLUS: which of them to use. For the others: empty.
    std::string binding_type{};
    /// The server listed no -PLUS although this client could have used one: sends the `y` flag.
    bool could_have_bound = false;
    std::string nonce{};  ///< At least 18 fresh random bytes. SCRAM only.
};

/// One exchange. start() once, then challenge() for each <challenge/>, success() for <success/>.
class ClientMechanism {
public:
    virtual ~ClientMechanism() = default;

    /// The initial response for <auth/>; always a Response (or Abort on unusable credentials).
    virtual ClientStep start() = 0;
    virtual ClientStep challenge(std::string data) = 0;
    virtual ClientStep provide_salted_password(std::string salted_password);
    /// `data` is the text of <success/>, nullopt if it has none. Authenticated or Abort.
    virtual ClientStep success(std::optional<std::string> data) = 0;
};

/// nullptr for an unknown name, or a -PLUS whose binding_type is not among the bindings.
std::unique_ptr<ClientMechanism> make_client_mechanism(std::string_view name,
                                                       ClientContext context);

/// What the client has to authenticate with, and over what.
struct ClientAbilities {
    bool password = true;
    bool certificate = false;  ///< Presented in the TLS handshake: EXTERNAL.
    bool anonymous = false;    ///< ANONYMOUS; only if nothing else fits.
    bool is_tls = true;        ///< PLAIN only then.
    std::span<const ChannelBinding> channel_bindings = {};
    /// Types the server lists by XEP-0440; empty: it lists none.
    std::span<const std::string_view> server_binding_types = {};
};
struct MechanismChoice {
    std::string_view name{};
    std::string_view binding_type{};  ///< Empty unless -PLUS.
    bool could_have_bound = false;    ///< For ClientContext.
};
/// The strongest common mechanism: EXTERNAL, SCRAM-SHA-512-PLUS, -256-PLUS, -1-PLUS, then the same
/// without -PLUS, PLAIN, ANONYMOUS. tls-exporter before tls-unique before tls-server-end-point;
/// tls-unique first when the server lists none (RFC 5802 §6.1).
std::optional<MechanismChoice> choose_mechanism(std::span<const std::string_view> offered,
                                                const ClientAbilities& abilities);

}  // namespace xmpp::sasl
