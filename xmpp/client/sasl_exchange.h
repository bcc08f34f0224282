// SaslExchange: the client's SASL in XML (RFC 6120 §6.4) around the step machines of xmpp/sasl:
// which mechanism, <auth/>, <response/>, <success/>, base64. Belongs to ClientNegotiation.
#pragma once

#include "reactor/base/failure.h"
#include "reactor/base/result.h"
#include "xmpp/core/element.h"
#include "xmpp/core/jid.h"
#include "xmpp/sasl/client.h"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace xmpp {

struct SaslOptions {
    Jid account;  ///< Bare; a domain alone for ANONYMOUS.
    std::string password = {};
    std::string mechanism = {};  ///< This one or none; empty: the strongest.
    bool certificate = false;    ///< Shown in the TLS handshake.
    bool is_tls = false;
    std::vector<sasl::ChannelBinding> channel_bindings = {};
    std::string nonce = {};  ///< At least sasl::kNonceBytes fresh random bytes.
};

struct SaslSend {
    std::string xml;
};
struct SaslDone {};
struct SaslRefused {
    base::Failure why;
    /// Empty, or <abort/> (RFC 6120 §6.4.4).
    std::string farewell = {};
};
using SaslOutcome = std::variant<SaslSend, sasl::NeedSaltedPassword, SaslDone, SaslRefused>;

class SaslExchange {
public:
    /// Chooses among what `features` offers. Errors: unsupported, with a text that names both
    /// sides' mechanisms.
    static base::Result<SaslExchange> choose(const Element& features, SaslOptions options);

    SaslOutcome start();
    /// For an element in the SASL namespace.
    SaslOutcome on_element(const Element& element);
    /// The answer to NeedSaltedPassword.
    SaslOutcome provide_salted_password(std::string salted_password);

    const std::string& mechanism() const noexcept { return name_; }

private:
    SaslExchange(std::string name, std::unique_ptr<sasl::ClientMechanism> mechanism)
        : name_(std::move(name)), mechanism_(std::move(mechanism)) {}
    SaslOutcome follow(sasl::ClientStep step);

    std::string name_;
    std::unique_ptr<sasl::ClientMechanism> mechanism_;
    bool started_ = false;
    bool succeeded_ = false;  // The server says so; abort() makes no sense any more.
};

}  // namespace xmpp
