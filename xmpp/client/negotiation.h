// ClientNegotiation: the client's side of stream negotiation (RFC 6120 §4 to §7) as a step machine:
// from the stream header over STARTTLS, SASL, resumption (XEP-0198 §5), binding and the session of
// RFC 3921 to a stream that is ready. Servers without SASL are logged in to by XEP-0078. No I/O:
// the caller feeds what a StreamParser yields and does what the steps say.
#pragma once

#include "reactor/base/failure.h"
#include "xmpp/client/sasl_exchange.h"
#include "xmpp/core/element.h"
#include "xmpp/core/jid.h"
#include "xmpp/sasl/client.h"
#include "xmpp/stream/sm_elements.h"
#include "xmpp/xml/parser.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace xmpp {

/// A session of XEP-0198 to go on with.
struct SmResumption {
    Jid jid;  ///< Full.
    std::string id;
    std::uint32_t handled = 0;  ///< Stanzas that this side handled.
};

struct ClientNegotiationOptions {
    /// Bare: the server chooses the resource. Full: that one is asked for. A domain alone:
    /// ANONYMOUS.
    Jid jid;
    std::string password = {};
    std::string mechanism = {};      ///< One SASL mechanism by name; empty: the strongest.
    bool certificate = false;        ///< Shown in the TLS handshake: EXTERNAL.
    bool is_tls = false;             ///< From the first byte.
    bool use_starttls = false;       ///< Needed then: a server without it is refused.
    bool stream_management = false;  ///< Enabled, with resumption, where offered.
    std::optional<SmResumption> resumption = {};
    /// Negotiated::login_features of an earlier stream. With `resumption`: what the server offers
    /// is known, and what it is needed for is sent before it has said so (XEP-0305).
    std::shared_ptr<const Element> login_features = {};
    std::string nonce = {};     ///< At least sasl::kNonceBytes fresh random bytes.
    std::string resource = {};  ///< For XEP-0078, which needs one, if the JID has none.
};

/// What came of it.
struct Negotiated {
    Jid jid;                ///< Full. Of the former stream when `resumed`.
    std::string mechanism;  ///< "SCRAM-SHA-256-PLUS"; "XEP-0078 digest" and "… plain" otherwise.
    bool resumed = false;
    /// What the server said of its count of the former stream: with `resumed` always, else perhaps.
    std::optional<std::uint32_t> former_handled = {};
    /// Set when stream management was enabled on this stream (not when resumed).
    std::optional<SmEnabled> management = {};
    Element features;             ///< The last <features/>; without name when there were none.
    Element login_features = {};  ///< Those with the SASL mechanisms; likewise.
};

/// Nothing to do but to feed on.
struct NegotiationWait {};
struct NegotiationSend {
    std::string bytes;
};
/// A new stream begins: reset the parser, then send.
struct NegotiationRestart {
    std::string bytes;
};
/// Put TLS under the connection, reset the parser, then call on_tls_started(). Bytes that came
/// behind the element must be refused (RFC 6120 §5.4.2.3): the caller's business.
struct NegotiationStartTls {};
/// A stanza that has nothing to do with negotiation; handle it once the stream is ready.
struct NegotiationPassOn {};
struct NegotiationReady {
    Negotiated result;
};
struct NegotiationRefused {
    base::Failure why;
    /// What to send before closing; may be empty.
    std::string farewell = {};
    /// Of a see-other-host error: where to go instead (RFC 6120 §4.9.3.19), as the server wrote it.
    std::string other_host = {};
};
using NegotiationStep =
    std::variant<NegotiationWait, NegotiationSend, NegotiationRestart, NegotiationStartTls,
                 NegotiationPassOn, NegotiationReady, NegotiationRefused, sasl::NeedSaltedPassword>;

/// One negotiation over one connection. After Ready or Refused it is good for nothing more.
/// Failures are: unsupported (a feature is missing, nothing in common), permission_denied (the
/// account or the password), busy (temporary-auth-failure), connection_aborted (the server breaks
/// the protocol), and those of failure_of(StreamError) and failure_of(StanzaError).
class ClientNegotiation {
public:
    explicit ClientNegotiation(ClientNegotiationOptions options);

    /// The first stream header. Over direct TLS with the bindings of the handshake.
    NegotiationStep start(std::vector<sasl::ChannelBinding> channel_bindings = {});
    NegotiationStep on_stream_open(const StreamOpen& open);
    NegotiationStep on_element(const Element& element);
    /// TLS runs or is about to: what is sent now goes through it.
    NegotiationStep on_tls_started();
    /// The channel bindings, once the handshake is done: before the header that comes through it.
    void set_channel_bindings(std::vector<sasl::ChannelBinding> bindings);
    /// The answer to NeedSaltedPassword.
    NegotiationStep provide_salted_password(std::string salted_password);

    /// What is being waited for, for the text of a timeout: "the answer to <auth/>".
    std::string_view waiting_for() const noexcept;

private:
    enum class Phase : std::uint8_t {
        header,
        features,
        proceed,
        sasl,
        resume,
        bind,
        session,
        enable,
        legacy_fields,
        legacy_login,
        over,
    };

    std::string header() const;
    bool knows_server() const noexcept {
        return options_.resumption.has_value() && options_.login_features != nullptr;
    }
    std::string early_login();
    std::string resume_xml() const;
    base::Result<void> choose_mechanism(const Element& features);
    NegotiationStep wait_for(Phase phase, std::string bytes);
    NegotiationStep on_features(const Element& features);
    NegotiationStep secure(const Element& features, bool is_ahead);
    NegotiationStep log_in(const Element& features);
    NegotiationStep follow(SaslOutcome outcome);
    NegotiationStep on_proceed(const Element& element);
    NegotiationStep on_stanza(const Element& element);

    NegotiationStep resume_or_bind();
    NegotiationStep on_resumption(const Element& element);
    NegotiationStep bind();
    NegotiationStep on_bound(const Element& iq);
    NegotiationStep session_or_enable();
    NegotiationStep enable_or_end();
    NegotiationStep on_enabled(const Element& element);
    NegotiationStep end();

    NegotiationStep ask_legacy_fields();
    NegotiationStep on_legacy_fields(const Element& iq);
    NegotiationStep on_legacy_login(const Element& iq);

    NegotiationStep refuse(base::Failure why, std::string_view farewell = {});
    NegotiationStep broken(std::string why);
    NegotiationStep unexpected(const Element& element);

    ClientNegotiationOptions options_;
    std::vector<sasl::ChannelBinding> channel_bindings_;
    std::optional<SaslExchange> sasl_;
    Negotiated result_;
    std::string stream_id_;
    Phase phase_ = Phase::header;
    bool is_tls_ = false;
    bool authenticated_ = false;
    bool is_ahead_ = false;  // What the features are needed for was sent before them.
};

}  // namespace xmpp
