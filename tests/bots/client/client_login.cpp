// Client, from a connection to the end of negotiation: does what ClientNegotiation says.
#include "tests/bots/client/client_impl.h"
#include "xmpp/core/idna.h"
#include "xmpp/sasl/mechanism.h"

#include <utility>

namespace bots {
namespace {

using base::Errc;
using base::Failure;

// Under the name tls-unique goes the first Finished message on TLS 1.3 as well, where that binding
// is not defined: a server that offers -PLUS there and lists no types (ejabberd before 23.10) means
// just that. Where types are listed, tls-exporter comes first.
std::vector<xmpp::sasl::ChannelBinding> bindings_of(const reactor::TlsStream& tls) {
    using reactor::ChannelBinding;
    constexpr std::pair<ChannelBinding, std::string_view> kTypes[] = {
        {ChannelBinding::tls_exporter, xmpp::sasl::kTlsExporter},
        {ChannelBinding::first_finished, xmpp::sasl::kTlsUnique},
        {ChannelBinding::tls_server_end_point, xmpp::sasl::kTlsServerEndPoint},
    };
    std::vector<xmpp::sasl::ChannelBinding> found;
    for (const auto& [type, name] : kTypes)
        if (auto data = tls.channel_binding(type))
            found.push_back({std::string(name), *std::move(data)});
    return found;
}

// Nothing else needs the bytes.
bool may_bind(std::string_view mechanism) {
    return mechanism.empty() || mechanism.ends_with("-PLUS");
}

}  // namespace

xmpp::ClientNegotiationOptions Client::Impl::negotiation_options() {
    reactor::Entropy& entropy = shared_.world.entropy;
    xmpp::ClientNegotiationOptions options;
    options.jid = options_.jid;
    options.password = options_.password;
    options.mechanism = options_.mechanism;
    options.certificate = options_.certificate;
    options.is_tls = attempt_->place.direct_tls;
    options.use_starttls = options_.security != ClientSecurity::none;
    options.stream_management = options_.stream_management;
    options.nonce = entropy.token(xmpp::sasl::kNonceBytes);
    options.resource = entropy.token(6);
    if (sm_ != nullptr && sm_->resumable())
        options.resumption = {.jid = jid_, .id = sm_->id, .handled = sm_->inbound.handled()};
    options.login_features = shared_.login_features;
    return options;
}

void Client::Impl::begin(std::unique_ptr<reactor::ByteStream> stream, Place place) {
    attempt_->place = std::move(place);
    attempt_->has_bindings = false;
    attempt_->negotiation.emplace(negotiation_options());
    if (!attempt_->deadline.armed())
        shared_.world.reactor.arm(attempt_->deadline, options_.login_timeout);
    ConnectionOwner& owner = *this;
    connection_ = std::make_unique<Connection>(shared_, owner, std::move(stream));
    if (attempt_->place.direct_tls) start_tls();
    follow(attempt_->negotiation->start());
}

// Whatever address was reached: the certificate must be the domain's (RFC 6120 §13.7.2.1).
void Client::Impl::start_tls() {
    const auto ascii = xmpp::domain_to_ascii(options_.jid.domain());
    connection_->start_tls(ascii ? *ascii : std::string(options_.jid.domain()),
                           std::move(tls_session_));
}

void Client::Impl::keep_tls_session() {
    const reactor::TlsStream* const tls = connection_ == nullptr ? nullptr : connection_->tls();
    if (tls != nullptr && options_.tls_tickets) tls_session_ = tls->session();
}

void Client::Impl::on_stream_open(const xmpp::StreamOpen& open) {
    if (attempt_ == nullptr)
        return break_off({Errc::connection_aborted, "a second stream header"}, {});
    if (const reactor::TlsStream* const tls = connection_->tls();
        tls != nullptr && !std::exchange(attempt_->has_bindings, true) &&
        may_bind(options_.mechanism))
        attempt_->negotiation->set_channel_bindings(bindings_of(*tls));
    follow(attempt_->negotiation->on_stream_open(open));
}

void Client::Impl::follow(xmpp::NegotiationStep step) {
    if (std::holds_alternative<xmpp::NegotiationWait>(step)) return;
    if (auto* const send = std::get_if<xmpp::NegotiationSend>(&step)) {
        connection_->send(send->bytes);
    } else if (auto* const restart = std::get_if<xmpp::NegotiationRestart>(&step)) {
        connection_->restart();
        connection_->send(restart->bytes);
    } else if (std::holds_alternative<xmpp::NegotiationStartTls>(step)) {
        // What came behind <proceed/> was not protected (RFC 6120 §5.4.3.1).
        if (!connection_->drop_white_space())
            return fail_attempt({Errc::connection_aborted, "bytes behind <proceed/>"});
        start_tls();
        follow(attempt_->negotiation->on_tls_started());
    } else if (auto* const wanted = std::get_if<xmpp::sasl::NeedSaltedPassword>(&step)) {
        attempt_->work = salt(std::move(*wanted));
    } else if (auto* const ready = std::get_if<xmpp::NegotiationReady>(&step)) {
        enter(std::move(ready->result));
    } else if (auto* const refused = std::get_if<xmpp::NegotiationRefused>(&step)) {
        refuse(std::move(*refused));
    }
}

reactor::Deferred<void> Client::Impl::salt(xmpp::sasl::NeedSaltedPassword wanted) {
    co_await reactor::yield();  // So that `work` holds this before it ends the attempt.
    auto finding = shared_.salted_passwords.find(wanted, options_.password);
    base::Result<std::string> salted = co_await std::move(finding);
    if (!salted) {
        fail_attempt(std::move(salted).error().with("cannot salt the password"));
    } else {
        follow(attempt_->negotiation->provide_salted_password(*std::move(salted)));
    }
    co_return {};
}

// A redirect changes where the connection goes and nothing else: the same domain in the header and
// in the certificate, the same policy (RFC 6120 §4.9.3.19). Another host without a port is looked
// up like a domain; the host that we are connected to differs in the port alone.
void Client::Impl::refuse(xmpp::NegotiationRefused refused) {
    shared_.login_features.reset();  // The next attempt shall see for itself.
    connection_->send(refused.farewell);
    connection_->flush();
    auto place = parse_place(refused.other_host);
    if (!place || attempt_->redirects >= kRedirectsMax) return fail_attempt(std::move(refused.why));
    ++attempt_->redirects;
    connection_.reset();
    const bool look_up = place->port == 0 && place->host != attempt_->place.host;
    std::string domain = look_up ? place->host : std::string();
    if (place->port == 0) place->port = kClientPort;
    place->direct_tls = attempt_->place.direct_tls;
    std::vector<Place> places;
    if (!look_up) places.push_back(*std::move(place));
    attempt_->work = open(std::move(places), std::move(domain));
}

}  // namespace bots
