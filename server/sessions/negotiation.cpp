#include "server/sessions/negotiation.h"

#include "reactor/base/text.h"
#include "server/routing/iq_routes.h"
#include "server/sessions/before_login.h"
#include "server/sessions/client_session.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/stream/features.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace server {
namespace {

using xmpp::StreamCondition;
using xmpp::StreamError;

constexpr std::string_view kProceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
constexpr std::string_view kTlsFailure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
/// Ours for texts of our own (RFC 6120 §4.7.4).
constexpr std::string_view kOwnLang = "en";

bool is_stanza_name(const xmpp::Element& element) {
    return element.name() == "message" || element.name() == "presence" || element.name() == "iq";
}

std::uint64_t whole_seconds(base::Duration duration) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

}  // namespace

Negotiation::Negotiation(ClientSession& session)
    : session_(session),
      context_(session.context()),
      started_at_(context_.world.reactor.now()),
      host_(session.jid().domain()) {
    const ClientSettings& settings = context_.settings;
    session_.set_deadline(started_at_ +
                          std::min(settings.handshake_timeout, settings.authentication_timeout));
}

Negotiation::~Negotiation() = default;

void Negotiation::on_stream_open(const xmpp::StreamOpen& open) {
    if (phase_ != Phase::header) return session_.fail(StreamError(StreamCondition::bad_format));
    session_.set_lang(open.lang);
    const base::Result<xmpp::Jid> client = xmpp::Jid::parse(open.from);
    client_ = client ? client->bare_view() : std::string_view();
    if (const auto error = judge_header(open)) return session_.fail(*error);
    send_header(host_);
    if (session_.stream().tls() == nullptr) {
        phase_ = Phase::starttls;
    } else if (session_.jid().empty()) {
        phase_ = Phase::login;
        describe_connection();
        session_.set_deadline(started_at_ + context_.settings.authentication_timeout);
    } else {
        phase_ = Phase::bind;
    }
    offer_features();
}

std::optional<StreamError> Negotiation::judge_header(const xmpp::StreamOpen& open) {
    const base::Result<xmpp::Jid> to = xmpp::Jid::parse(open.to);
    const bool is_ours = to && to->is_domain() && context_.hosts.contains(to->domain());
    // The header that an error needs before it comes from the host that was asked for, if it can.
    if (is_ours) host_ = to->domain();
    if (auto error = xmpp::check_stream_open(open)) return error;
    if (!to || !to->is_domain())
        return StreamError(StreamCondition::improper_addressing, "'to' must be a domain");
    const xmpp::Jid& account = session_.jid();
    if (!is_ours || (!account.empty() && account.domain() != host_))
        return StreamError(StreamCondition::host_unknown);
    if (!open.has_from) return std::nullopt;
    const base::Result<xmpp::Jid> from = xmpp::Jid::parse(open.from);
    if (!from) return StreamError(StreamCondition::improper_addressing, "'from' is not an address");
    if (!account.empty() && !from->same_bare(account))
        return StreamError(StreamCondition::invalid_from);
    return std::nullopt;
}

void Negotiation::send_header(std::string_view host) {
    const std::string id = context_.world.entropy.token();
    session_.send(xmpp::stream_open_xml(
        {.from = host, .to = client_, .id = id, .version = "1.0", .lang = kOwnLang}));
    session_.set_header_sent(true);
}

void Negotiation::send_default_header() {
    send_header(host_.empty() ? context_.hosts.names().front() : std::string_view(host_));
}

void Negotiation::offer_features() {
    const ClientSettings& settings = context_.settings;
    xmpp::StreamFeatures features;
    switch (phase_) {
        case Phase::header:
            return;
        case Phase::starttls:
            features.starttls = xmpp::StreamFeatures::StartTls::required;
            break;
        case Phase::login:
            for (const std::string_view name : offered_mechanisms())
                features.mechanisms.emplace_back(name);
            // What only clients bind that do not know better is checked, but not offered.
            for (const auto& binding : connection_.channel_bindings)
                if (binding.type != xmpp::sasl::kTlsUnique)
                    features.channel_bindings.push_back(binding.type);
            features.registration =
                context_.before_login != nullptr && context_.before_login->is_open(host_);
            features.limits = {.bytes_max = settings.limits_before_login.stanza_bytes_max};
            break;
        case Phase::bind:
            return session_.send(bind_features());
    }
    session_.send(features.to_xml());
}

const std::string& Negotiation::bind_features() {
    std::string& made = context_.bind_features[host_];
    if (!made.empty()) return made;
    const ClientSettings& settings = context_.settings;
    xmpp::StreamFeatures features;
    features.bind = true;
    features.session = true;
    features.roster_versions = true;
    features.pre_approval = true;
    features.limits = {.bytes_max = settings.limits.stanza_bytes_max,
                       .idle_seconds = whole_seconds(settings.ping_after)};
    features.others.emplace_back("sm", xmpp::ns::stream_management);
    for (const auto& make : context_.features)
        features.others.push_back(make(host_));
    made = features.to_xml();
    return made;
}

void Negotiation::on_element(xmpp::StanzaElement element) {
    const xmpp::Element& root = element.element;
    if (root.ns() == xmpp::ns::tls && root.name() == "starttls")
        return phase_ == Phase::starttls ? start_tls() : refuse_tls();
    if (root.ns() == xmpp::ns::sasl) return on_sasl(root);
    if (root.ns() == xmpp::ns::stream_management) return on_management(root);
    if (root.is("error", xmpp::ns::stream)) return session_.end_stream({}, StreamEnd::by_client);
    if (xmpp::Stanza::is_stanza(root)) return on_stanza(std::move(element));
    if (root.ns() == xmpp::ns::server && is_stanza_name(root))
        return session_.fail(StreamError(StreamCondition::invalid_namespace));
    session_.fail(StreamError(StreamCondition::unsupported_stanza_type));
}

// Whatever came behind <starttls/> was not protected and could be anybody's (RFC 6120 §13.9.1). A
// line break, with which go-sendxmpp ends its stanzas, says nothing and is dropped.
void Negotiation::start_tls() {
    if (!session_.stream().drop_white_space())
        return session_.fail(
            StreamError(StreamCondition::policy_violation, "bytes behind <starttls/>"));
    session_.stream().start_tls(kProceed, context_.tls.starttls);
}

void Negotiation::refuse_tls() {
    session_.end_stream(kTlsFailure, StreamEnd::tls_failed);
}

void Negotiation::on_tls_started() {
    phase_ = Phase::header;
    host_.clear();
    client_.clear();
}

void Negotiation::on_deadline() {
    session_.fail(StreamError(StreamCondition::connection_timeout));
}

void Negotiation::on_stanza(xmpp::StanzaElement element) {
    if (phase_ == Phase::bind) return on_bind(std::move(element));
    const xmpp::Element* payload = element.element.first_child();
    const bool registers = phase_ == Phase::login && element.element.name() == "iq" &&
                           payload != nullptr && payload->is("query", xmpp::ns::registration) &&
                           context_.before_login != nullptr &&
                           context_.before_login->is_open(host_);
    if (!registers) return session_.fail(StreamError(StreamCondition::not_authorized));
    xmpp::Element& root = element.element;
    root.remove_attribute("from");
    auto request = xmpp::Stanza::from_element(std::move(root), std::move(element.raw_inner));
    if (!request) {
        if (auto reply = xmpp::Stanza::error_reply(root, request.error())) session_.send(*reply);
        return;
    }
    if (const auto error = request->check_iq()) {
        if (request->may_answer_with_error()) session_.send(request->reply_error(*error).element());
        return;
    }
    if (!request->is_request()) return;
    task_ = answer_before_login(*std::move(request));
}

reactor::Deferred<void> Negotiation::answer_before_login(xmpp::Stanza request) {
    session_.stream().hold(XmlStream::Hold::task);
    base::Result<xmpp::Jid> host = xmpp::Jid::parse(host_);
    const std::string peer = session_.stream().connection() == nullptr
                                 ? std::string()
                                 : session_.stream().connection()->peer().address;
    IqRequest asked(request, *std::move(host), false);
    const base::Result<IqReply> answer =
        co_await context_.before_login->answer(std::move(asked), peer);
    if (!session_.open()) co_return {};
    const xmpp::StanzaError unexpected = xmpp::StanzaError::internal_server_error();
    const xmpp::StanzaError* error =
        !answer ? &unexpected : (answer->error() ? &*answer->error() : nullptr);
    session_.send(
        (error != nullptr ? request.reply_error(*error) : request.reply_result(answer->payload()))
            .element());
    session_.stream().release(XmlStream::Hold::task);
    co_return {};
}

}  // namespace server
