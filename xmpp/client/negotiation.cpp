// See negotiation.h. The steps of RFC 6120; what comes after the login is in binding.cpp and
// XEP-0078 in legacy_login.cpp.
#include "xmpp/client/negotiation.h"

#include <utility>

#include "xmpp/client/failures.h"
#include "xmpp/client/negotiation_texts.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/core/stanza.h"
#include "xmpp/stream/stream_header.h"

namespace xmpp {

using base::Errc;
using base::Failure;

namespace {
constexpr std::string_view kStartTls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
}  // namespace

ClientNegotiation::ClientNegotiation(ClientNegotiationOptions options)
    : options_(std::move(options)), is_tls_(options_.is_tls) {}

NegotiationStep ClientNegotiation::start(std::vector<sasl::ChannelBinding> channel_bindings) {
    channel_bindings_ = std::move(channel_bindings);
    if (is_tls_) return wait_for(Phase::header, header() + early_login());
    is_ahead_ = options_.use_starttls && knows_server();
    return wait_for(Phase::header, header() + std::string(is_ahead_ ? kStartTls : ""));
}

// With the mechanism and its first message as they were, if neither needs the handshake to be over.
std::string ClientNegotiation::early_login() {
    if (!knows_server() || options_.mechanism.empty() || options_.mechanism.ends_with("-PLUS"))
        return {};
    if (!choose_mechanism(*options_.login_features)) return {};
    auto outcome = sasl_->start();
    auto* const send = std::get_if<SaslSend>(&outcome);
    if (send == nullptr) {
        sasl_.reset();
        return {};
    }
    is_ahead_ = true;
    return std::move(send->xml);
}

// 'from' tells who is about to log in, and so goes through TLS only (RFC 6120 §4.7.1).
std::string ClientNegotiation::header() const {
    const bool name_client = is_tls_ && options_.jid.has_local();
    return stream_open_xml({.from = name_client ? options_.jid.bare_view() : std::string_view(),
                            .to = options_.jid.domain(),
                            .version = "1.0",
                            .lang = "en"});
}

NegotiationStep ClientNegotiation::wait_for(Phase phase, std::string bytes) {
    phase_ = phase;
    return NegotiationSend{std::move(bytes)};
}

NegotiationStep ClientNegotiation::on_stream_open(const StreamOpen& open) {
    if (phase_ != Phase::header) return broken("a second stream header");
    const auto error = check_stream_open(open);
    if (error && !error->is(StreamCondition::unsupported_version))
        return refuse(
            Failure(Errc::connection_aborted, "the server's stream header: " + error->text()),
            error->to_xml());
    stream_id_ = open.id;
    phase_ = Phase::features;
    // A server from before XMPP 1.0 sends no features (RFC 6120 §4.7.5).
    if (!error) return NegotiationWait{};
    if (authenticated_) return broken("the server's stream header lost its version");
    if (options_.use_starttls && !is_tls_)
        return refuse({Errc::unsupported, "the server does not speak XMPP 1.0, so no TLS"});
    return ask_legacy_fields();
}

NegotiationStep ClientNegotiation::on_element(const Element& element) {
    if (const auto error = StreamError::parse(element)) {
        phase_ = Phase::over;
        return NegotiationRefused{failure_of(*error), std::string(kStreamCloseXml),
                                  error->other_host()};
    }
    if (Stanza::is_stanza(element)) return on_stanza(element);
    switch (phase_) {
        case Phase::features:
            return element.is("features", ns::stream) ? on_features(element) : unexpected(element);
        case Phase::proceed:
            return on_proceed(element);
        case Phase::sasl:
            if (element.ns() != ns::sasl) return unexpected(element);
            return follow(sasl_->on_element(element));
        case Phase::resume:
            return on_resumption(element);
        case Phase::enable:
            return on_enabled(element);
        default:
            return unexpected(element);
    }
}

// Before the login a server has no stanzas for us but those that XEP-0078 asked for.
NegotiationStep ClientNegotiation::on_stanza(const Element& element) {
    const bool is_answer = element.name() == "iq" && (element.attribute("type") == "result" ||
                                                      element.attribute("type") == "error");
    const std::string_view id = element.attribute("id");
    if (is_answer && phase_ == Phase::bind && id == kBindId) return on_bound(element);
    if (is_answer && phase_ == Phase::session && id == kSessionId) {
        if (const auto error = error_of(element))
            return refuse(failure_of(*error).with("the server refused the session"));
        return enable_or_end();
    }
    if (is_answer && phase_ == Phase::legacy_fields && id == kFieldsId)
        return on_legacy_fields(element);
    if (is_answer && phase_ == Phase::legacy_login && id == kLoginId)
        return on_legacy_login(element);
    const bool bound = phase_ == Phase::session || phase_ == Phase::enable;
    return bound ? NegotiationStep(NegotiationPassOn{}) : unexpected(element);
}

NegotiationStep ClientNegotiation::on_features(const Element& features) {
    result_.features = features;
    const bool is_ahead = std::exchange(is_ahead_, false);
    if (authenticated_ && is_ahead) {
        if (features.child("sm", ns::stream_management) == nullptr)
            return broken("the server has no stream management any more");
        phase_ = Phase::resume;
        return NegotiationWait{};
    }
    if (authenticated_) return resume_or_bind();
    if (!is_tls_) {
        const Element* const starttls = features.child("starttls", ns::tls);
        if (options_.use_starttls) return secure(features, is_ahead);
        if (starttls != nullptr && starttls->child("required") != nullptr)
            return refuse({Errc::unsupported, "the server requires TLS"});
    }
    result_.login_features = features;
    if (!is_ahead) return log_in(features);
    phase_ = Phase::sasl;
    return NegotiationWait{};
}

NegotiationStep ClientNegotiation::secure(const Element& features, bool is_ahead) {
    if (features.child("starttls", ns::tls) == nullptr)
        return refuse({Errc::unsupported, "the server offers no STARTTLS"});
    phase_ = Phase::proceed;
    if (is_ahead) return NegotiationWait{};
    return NegotiationSend{std::string(kStartTls)};
}

NegotiationStep ClientNegotiation::on_proceed(const Element& element) {
    if (element.is("proceed", ns::tls)) {
        phase_ = Phase::over;  // Nothing may come before on_tls_started().
        return NegotiationStartTls{};
    }
    if (element.is("failure", ns::tls))
        return refuse({Errc::tls_failed, "the server could not start TLS"});
    return unexpected(element);
}

NegotiationStep ClientNegotiation::on_tls_started() {
    is_tls_ = true;
    return wait_for(Phase::header, header() + early_login());
}

void ClientNegotiation::set_channel_bindings(std::vector<sasl::ChannelBinding> bindings) {
    channel_bindings_ = std::move(bindings);
}

NegotiationStep ClientNegotiation::log_in(const Element& features) {
    if (features.child("mechanisms", ns::sasl) == nullptr) {
        if (features.child("auth", kLegacyFeature) != nullptr && options_.mechanism.empty())
            return ask_legacy_fields();
        return refuse({Errc::unsupported, "the server offers no way to log in"});
    }
    if (auto chosen = choose_mechanism(features); !chosen) return refuse(std::move(chosen).error());
    return follow(sasl_->start());
}

base::Result<void> ClientNegotiation::choose_mechanism(const Element& features) {
    SaslOptions options{.account = options_.jid.bare(),
                        .password = options_.password,
                        .mechanism = options_.mechanism,
                        .certificate = options_.certificate,
                        .is_tls = is_tls_,
                        .channel_bindings = channel_bindings_,
                        .nonce = options_.nonce};
    sasl_ = TRY(SaslExchange::choose(features, std::move(options)));
    return {};
}

NegotiationStep ClientNegotiation::provide_salted_password(std::string salted_password) {
    if (phase_ != Phase::sasl) return broken("no exchange that needs a salted password");
    return follow(sasl_->provide_salted_password(std::move(salted_password)));
}

NegotiationStep ClientNegotiation::follow(SaslOutcome outcome) {
    phase_ = Phase::sasl;
    if (auto* send = std::get_if<SaslSend>(&outcome)) return NegotiationSend{std::move(send->xml)};
    if (auto* salted = std::get_if<sasl::NeedSaltedPassword>(&outcome)) return std::move(*salted);
    if (auto* refused = std::get_if<SaslRefused>(&outcome))
        return refuse(std::move(refused->why), refused->farewell);
    result_.mechanism = sasl_->mechanism();
    sasl_.reset();
    authenticated_ = true;
    phase_ = Phase::header;
    is_ahead_ = knows_server();
    return NegotiationRestart{is_ahead_ ? header() + resume_xml() : header()};
}

NegotiationStep ClientNegotiation::refuse(Failure why, std::string_view farewell) {
    phase_ = Phase::over;
    return NegotiationRefused{std::move(why), std::string(farewell) + std::string(kStreamCloseXml)};
}

NegotiationStep ClientNegotiation::broken(std::string why) {
    return refuse({Errc::connection_aborted, std::move(why)});
}

NegotiationStep ClientNegotiation::unexpected(const Element& element) {
    return broken("unexpected <" + element.name() + "/> instead of " + std::string(waiting_for()));
}

std::string_view ClientNegotiation::waiting_for() const noexcept {
    switch (phase_) {
        case Phase::header:
            return "the server's stream header";
        case Phase::features:
            return "the stream features";
        case Phase::proceed:
            return "the answer to <starttls/>";
        case Phase::sasl:
            return "the server's SASL message";
        case Phase::resume:
            return "the answer to <resume/>";
        case Phase::bind:
            return "the answer to <bind/>";
        case Phase::session:
            return "the answer to <session/>";
        case Phase::enable:
            return "the answer to <enable/>";
        case Phase::legacy_fields:
        case Phase::legacy_login:
            return "the answer to the login of XEP-0078";
        case Phase::over:
            break;
    }
    return "nothing";
}

}  // namespace xmpp
