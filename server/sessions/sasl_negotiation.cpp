// The SASL part of negotiation (RFC 6120 §6, XEP-0440, XEP-0178 §2): XML and base64 around a Login,
// limits on attempts, and the way to the account's shard.
#include "reactor/base/text.h"
#include "server/sessions/client_session.h"
#include "server/sessions/negotiation.h"
#include "storage/database.h"
#include "storage/tables/users.h"
#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <utility>

namespace server {
namespace {

using reactor::ChannelBinding;
using xmpp::StreamCondition;
using xmpp::StreamError;
using xmpp::sasl::SaslCondition;

constexpr std::size_t kNonceTokenBytes = 18;
constexpr std::string_view kPlus = "-PLUS";
/// In place of a binding's bytes before `bind_channel`; no mechanism gets to see it.
constexpr std::string_view kNotComputed = "?";
constexpr std::pair<ChannelBinding, std::string_view> kBindings[] = {
    {ChannelBinding::tls_exporter, xmpp::sasl::kTlsExporter},
    {ChannelBinding::tls_server_end_point, xmpp::sasl::kTlsServerEndPoint},
    {ChannelBinding::first_finished, xmpp::sasl::kTlsUnique},
};
/// A full mailbox to the account's shard is tried again so often before the client is turned away.
constexpr int kMoveAttemptsMax = 50;
constexpr base::Duration kMoveRetry = std::chrono::milliseconds(20);

xmpp::Element sasl_element(std::string_view name) {
    return xmpp::Element(name, xmpp::ns::sasl);
}

// RFC 6120 §6.4.2: no text is no data, "=" is empty data.
struct Decoded {
    std::optional<std::string> data;
    bool broken = false;
};
Decoded decode(const xmpp::Element& element) {
    const std::string text = element.text();
    if (text.empty()) return {};
    if (text == "=") return {.data = ""};
    std::optional<std::string> data = base::base64_decode(text);
    const bool broken = !data;
    return {std::move(data), broken};
}

// Empty data of <success/> is "=", as in <auth/>.
std::string encode(const std::optional<std::string>& data) {
    if (!data) return {};
    return data->empty() ? "=" : base::base64_encode(*data);
}

std::vector<std::string> external_identities(const reactor::TlsStream& tls, std::string_view host) {
    std::vector<std::string> identities;
    const std::optional<reactor::PeerCertificate> certificate = tls.peer_certificate();
    if (!certificate || !certificate->verified) return identities;
    for (const std::string& address : certificate->xmpp_addresses) {
        const base::Result<xmpp::Jid> jid = xmpp::Jid::parse(address);
        if (jid && jid->has_local() && jid->is_bare() && jid->domain() == host)
            identities.push_back(jid->text());
    }
    return identities;
}

}  // namespace

void Negotiation::describe_connection() {
    const reactor::TlsStream& tls = *session_.stream().tls();
    connection_ = {};
    connection_.host = host_;
    connection_.is_tls = true;
    connection_.anonymous_allowed = context_.settings.anonymous;
    connection_.iterations = context_.settings.scram_iterations;
    for (const auto& [type, name] : kBindings)
        if (tls.has_channel_binding(type))
            connection_.channel_bindings.push_back({std::string(name), std::string(kNotComputed)});
    if (context_.settings.external)
        connection_.external_identities = external_identities(tls, host_);
    connection_.plus_advertised = std::ranges::any_of(
        offered_mechanisms(), [](std::string_view name) { return name.ends_with(kPlus); });
}

// Their bytes are work, and most clients do not bind.
void Negotiation::bind_channel() {
    const reactor::TlsStream& tls = *session_.stream().tls();
    std::erase_if(connection_.channel_bindings, [&tls](xmpp::sasl::ChannelBinding& binding) {
        const auto* found = std::ranges::find(kBindings, binding.type,
                                              &std::pair<ChannelBinding, std::string_view>::second);
        base::Result<std::string> data = tls.channel_binding(found->first);
        if (data) binding.data = *std::move(data);
        return !data;
    });
}

std::vector<std::string_view> Negotiation::offered_mechanisms() const {
    const std::vector<std::string_view> possible = xmpp::sasl::mechanisms_to_offer(connection_);
    std::vector<std::string_view> offered;
    for (const std::string& name : context_.settings.mechanisms)
        if (std::ranges::find(possible, name) != possible.end()) offered.push_back(name);
    return offered;
}

void Negotiation::on_sasl(const xmpp::Element& element) {
    const std::string_view name = element.name();
    if (phase_ == Phase::bind || (name != "auth" && name != "response" && name != "abort"))
        return session_.fail(StreamError(StreamCondition::unsupported_stanza_type));
    if (phase_ == Phase::starttls)
        return refuse_login(SaslCondition::encryption_required, "no TLS");
    if (element.child_count() > 0)
        return refuse_login(SaslCondition::malformed_request, "elements inside");
    if (name == "auth") return on_auth(element);
    if (name == "response") return on_response(element);
    refuse_login(SaslCondition::aborted, "aborted by the client");
}

void Negotiation::on_auth(const xmpp::Element& element) {
    if (login_ != nullptr)
        return refuse_login(SaslCondition::malformed_request, "an exchange is under way");
    const std::string mechanism(element.attribute("mechanism"));
    const auto offered = offered_mechanisms();
    if (std::ranges::find(offered, mechanism) == offered.end())
        return refuse_login(SaslCondition::invalid_mechanism, "not offered");
    Decoded initial = decode(element);
    if (initial.broken) return refuse_login(SaslCondition::incorrect_encoding, "no base64");
    if (mechanism.ends_with(kPlus)) bind_channel();
    session_.stream().hold(XmlStream::Hold::task);
    task_ = begin_login(mechanism, std::move(initial.data));
}

void Negotiation::on_response(const xmpp::Element& element) {
    if (login_ == nullptr)
        return refuse_login(SaslCondition::malformed_request, "no exchange is under way");
    const std::string text = element.text();
    std::optional<std::string> data = base::base64_decode(text);
    if (!data) return refuse_login(SaslCondition::incorrect_encoding, "no base64");
    session_.stream().hold(XmlStream::Hold::task);
    task_ = continue_login(*std::move(data));
}

reactor::Deferred<void> Negotiation::begin_login(std::string mechanism,
                                                 std::optional<std::string> initial) {
    const base::Result<bool> allowed = co_await context_.keeper.may_log_in(session_.address());
    if (!session_.open()) co_return {};
    xmpp::sasl::ServerContext connection = connection_;
    if (!mechanism.ends_with(kPlus)) connection.channel_bindings.clear();
    connection.nonce = context_.world.entropy.token(kNonceTokenBytes);
    connection.fake_salt_secret = context_.fake_salt_secret;
    auto exchange = xmpp::sasl::make_server_mechanism(mechanism, std::move(connection));
    const Login::Parts parts{context_.world, context_.database, host_, context_.fake_salt_secret,
                             context_.settings.scram_iterations};
    if (exchange) login_ = std::make_unique<Login>(parts, mechanism, *std::move(exchange));
    base::Result<LoginOutcome> outcome = LoginOutcome(xmpp::sasl::Failure{
        exchange ? SaslCondition::temporary_auth_failure : exchange.error(), "refused"});
    if (exchange && allowed && *allowed) outcome = co_await login_->start(std::move(initial));
    reactor::Deferred<void> concluded = conclude(std::move(outcome));
    co_return co_await std::move(concluded);
}

reactor::Deferred<void> Negotiation::continue_login(std::string response) {
    base::Result<LoginOutcome> outcome = co_await login_->respond(std::move(response));
    reactor::Deferred<void> concluded = conclude(std::move(outcome));
    co_return co_await std::move(concluded);
}

reactor::Deferred<void> Negotiation::conclude(base::Result<LoginOutcome> result) {
    if (!session_.open()) co_return {};
    LoginOutcome outcome = xmpp::sasl::Failure{SaslCondition::temporary_auth_failure, "failed"};
    if (result) outcome = *std::move(result);
    if (auto* accepted = std::get_if<LoginAccepted>(&outcome)) {
        session_.set_account(accepted->account, login_->mechanism());
        login_.reset();
        record_login();
        if (!context_.keeper.lives_here(session_.jid()))
            co_return co_await move_home(std::move(accepted->final_data));
        welcome(accepted->final_data);
    } else if (const auto* challenge = std::get_if<xmpp::sasl::Challenge>(&outcome)) {
        xmpp::Element element = sasl_element("challenge");
        element.add_text(base::base64_encode(challenge->data));
        session_.send(element);
    } else {
        const auto& failure = std::get<xmpp::sasl::Failure>(outcome);
        refuse_login(failure.condition, failure.text);
    }
    session_.stream().release(XmlStream::Hold::task);
    co_return {};
}

// Every refusal counts, also of what was no attempt to guess: RFC 6120 §6.4.5 wants a small number.
void Negotiation::refuse_login(SaslCondition condition, std::string_view why) {
    const std::string mechanism = login_ == nullptr ? std::string() : login_->mechanism();
    login_.reset();
    context_.metrics.login_failed(mechanism, condition);
    context_.world.log.info("c2s.login_failed", {{"peer", session_.peer_text()},
                                                 {"host", host_},
                                                 {"mechanism", mechanism},
                                                 {"condition", xmpp::sasl::name_of(condition)},
                                                 {"why", why}});
    xmpp::Element failure = sasl_element("failure");
    failure.add_child(xmpp::sasl::name_of(condition));
    session_.send(failure);
    if (++login_attempts_ >= context_.settings.auth_attempts_max)
        session_.fail(StreamError(StreamCondition::policy_violation, "too many failed logins"));
}

void Negotiation::record_login() {
    context_.database
        .write([account = session_.jid(), now = context_.world.clock.wall()](
                   storage::Transaction& transaction) -> base::Result<void> {
            base::Result<void> done = storage::Users(transaction).record_login(account, now);
            // The account may just have been removed.
            if (!done && done.error().is(base::Errc::not_found)) return {};
            return done;
        })
        .detach("record_login");
}

reactor::Deferred<void> Negotiation::move_home(std::optional<std::string> final_data) {
    const std::shared_ptr<Arrival> arrival = session_.pack(std::move(final_data));
    if (arrival == nullptr) co_return {};
    for (int attempt = 0; attempt < kMoveAttemptsMax; ++attempt) {
        if (context_.keeper.move(arrival)) {
            session_.moved();
            co_return {};
        }
        (void)co_await reactor::sleep(context_.world.reactor, kMoveRetry);
    }
    context_.metrics.refused(Refusal::overloaded);
    context_.world.log.warn("c2s.move_failed", {{"jid", session_.jid().text()}});
    session_.abort(StreamEnd::connection_lost);
    co_return {};
}

void Negotiation::welcome(const std::optional<std::string>& final_data) {
    xmpp::Element success = sasl_element("success");
    success.add_text(encode(final_data));
    session_.send(success);
    phase_ = Phase::header;
    session_.stream().restart();
    session_.set_header_sent(false);
    session_.stream().set_limits(context_.settings.limits);
    session_.set_deadline(context_.world.reactor.now() + context_.settings.handshake_timeout);
}

}  // namespace server
