// What a bound client sends (RFC 6120 §8.1): checked, stamped, counted, and handed to the router in
// the order in which it came.
#include "reactor/base/units.h"
#include "server/routing/shares.h"
#include "server/sessions/client_session.h"
#include "server/sessions/held_stanzas.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/writer.h"

#include <utility>

namespace server {
namespace {

using xmpp::StreamCondition;
using xmpp::StreamError;

/// Messages of one client that are being stored at a time, and the memory they hold: one more, and
/// no more is read until half of them are. A disk that is slow makes its clients slow, and not the
/// queues long.
constexpr std::uint32_t kStoringMax = 500;
constexpr std::size_t kStoringBytesMax = base::operator""_MiB(4);
/// The same of all clients of a shard: then those with more than a small part wait.
constexpr std::size_t kAllStoringBytesMax = base::operator""_MiB(256);
constexpr std::size_t kStoringBytesSmall = base::operator""_KiB(64);

xmpp::StanzaKind kind_of(const xmpp::Element& stanza) {
    if (stanza.name() == "message") return xmpp::StanzaKind::message;
    return stanza.name() == "iq" ? xmpp::StanzaKind::iq : xmpp::StanzaKind::presence;
}

}  // namespace

void ClientSession::take_in(xmpp::StanzaElement element) {
    xmpp::Element& root = element.element;
    if (root.ns() == xmpp::ns::stream_management) return on_management(root);
    if (!xmpp::Stanza::is_stanza(root)) {
        if (!take_client_state(root)) refuse_element(root);
        return;
    }
    if (sm_ != nullptr) (void)sm_->take();
    if (!has_own_from(root)) return fail(StreamError(StreamCondition::invalid_from));
    pause_for(stanza_pace_.take(context_.settings.stanzas, 1, context_.world.reactor.now()));
    auto stanza = xmpp::Stanza::from_element(std::move(root), std::move(element.raw_inner));
    if (!stanza) {
        if (auto reply = xmpp::Stanza::error_reply(root, stanza.error())) {
            reply->set_attribute("to", jid_.text());
            // No stanza for routing, but one to the client, who counts it.
            std::string xml;
            xmpp::append_xml(xml, *reply, xmpp::ns::client);
            enqueue({.text = base::SharedBytes(std::move(xml)), .kind = kind_of(*reply)});
        }
        return;
    }
    context_.metrics.stanza_in(stanza->kind());
    stanza->set_from(jid_);
    if (!lang_.empty() && stanza->lang().empty()) stanza->set_lang(lang_);
    if (stanza->is_iq()) {
        if (const auto error = stanza->check_iq()) {
            if (stanza->may_answer_with_error()) deliver(stanza->reply_error(*error));
            return;
        }
        if (answered_here(*stanza)) return;
    }
    submit(*std::move(stanza));
}

// A client may name itself, with or without its resource, and nobody else (RFC 6120 §8.1.2.1).
bool ClientSession::has_own_from(const xmpp::Element& element) const {
    if (!element.has_attribute("from")) return true;
    const std::string_view text = element.attribute("from");
    if (text == jid_.text() || text == jid_.bare_view()) return true;
    const base::Result<xmpp::Jid> from = xmpp::Jid::parse(text);
    return from && (*from == jid_ || from->text() == jid_.bare_view());
}

void ClientSession::submit(xmpp::Stanza stanza) {
    Account* account = context_.accounts.find(jid_);
    Resource* resource = account == nullptr ? nullptr : account->of_session(id_);
    // The account was removed under the session.
    if (resource == nullptr) return fail(StreamError(StreamCondition::not_authorized));
    if (sm_ != nullptr) {
        submit_counted(*account, *resource, std::move(stanza));
    } else {
        const std::size_t bytes = stanza.is_message() ? memory_of(stanza) : 0;
        const Router::Submitted known =
            context_.router.submit(*account, *resource, std::move(stanza));
        if (known != Router::Submitted::settled) being_stored(bytes);
    }
    if (congested_ || !open() || !context_.router.congested()) return;
    congested_ = true;
    stream_.hold(XmlStream::Hold::congestion);
    context_.router.wait(*this);
}

// With stream management: what may be acknowledged is what is settled, and the next stanza waits
// where its count could reach the disk before this one's effects.
void ClientSession::submit_counted(Account& account, Resource& resource, xmpp::Stanza stanza) {
    const std::uint32_t number = sm_->taken();
    if (is_set_for_us(stanza)) {
        sm_->open_request(stanza.id());
        lose_patience_later();
        stream_.hold(XmlStream::Hold::storing);
        (void)context_.router.submit(account, resource, std::move(stanza), number);
        return;
    }
    if (stanza.is_presence()) {
        const bool subscribes = stanza.presence_type() != xmpp::PresenceType::available &&
                                stanza.presence_type() != xmpp::PresenceType::unavailable;
        (void)context_.router.submit(account, resource, std::move(stanza), number);
        if (subscribes) settle_after_edits(number);
        return;
    }
    const std::size_t bytes = stanza.is_message() ? memory_of(stanza) : 0;
    const Router::Submitted known =
        context_.router.submit(account, resource, std::move(stanza), number);
    if (known == Router::Submitted::settled) return;
    being_stored(bytes);
    if (sm_ == nullptr || number == 0) return;
    sm_->open(number);
    if (known == Router::Submitted::placed) return;
    sm_->placing = number;
    stream_.hold(XmlStream::Hold::storing);
}

void ClientSession::being_stored(std::size_t bytes) {
    ++storing_;
    storing_bytes_ += bytes;
    context_.storing_bytes += bytes;
    const bool is_crowded =
        context_.storing_bytes > kAllStoringBytesMax && storing_bytes_ > kStoringBytesSmall;
    if (storing_ < kStoringMax && storing_bytes_ < kStoringBytesMax && !is_crowded) return;
    storing_much_ = true;
    stream_.hold(XmlStream::Hold::storing);
}

// Which one it was nobody says, so it counts as one of average size.
void ClientSession::stored_one() {
    if (storing_ == 0) return;
    const std::size_t bytes = storing_bytes_ / storing_--;
    storing_bytes_ -= bytes;
    context_.storing_bytes -= bytes;
}

void ClientSession::read_on() {
    if (storing_much_ && (storing_ > kStoringMax / 2 || storing_bytes_ > kStoringBytesMax / 2))
        return;
    storing_much_ = false;
    if (sm_ != nullptr && (sm_->key == 0 || sm_->placing || sm_->has_requests())) return;
    stream_.release(XmlStream::Hold::storing);
}

// The roster's changes are saved one after the other; behind them the account is free again.
void ClientSession::settle_after_edits(std::uint32_t number) {
    if (sm_ == nullptr) return;
    sm_->open(number);
    // A message behind it would take its count to the disk before it is there.
    sm_->placing = number;
    stream_.hold(XmlStream::Hold::storing);
    context_.accounts.with(jid_.bare(),
                           [&context = context_, id = id_, number](const base::Result<Account*>&) {
                               ClientSession* session = context.keeper.find_session(id);
                               if (session == nullptr) return;
                               session->settle(number);
                               session->read_on();
                           });
}

bool ClientSession::is_set_for_us(const xmpp::Stanza& stanza) const {
    if (!stanza.is_iq() || stanza.iq_type() != xmpp::IqType::set) return false;
    // Changes nothing, and its results wait for acknowledgements, which must be read meanwhile.
    if (context_.router.is_query(*stanza.payload())) return false;
    if (!stanza.to()) return true;
    if (stanza.to()->is_domain()) return context_.router.is_local(stanza.to()->domain());
    return *stanza.to() == jid_.bare();
}

// What concerns the stream and nobody behind it: answers to our pings, the legacy session request
// (a no-op), a second binding.
bool ClientSession::answered_here(xmpp::Stanza& stanza) {
    const bool to_server =
        !stanza.to() || (stanza.to()->is_domain() && stanza.to()->domain() == jid_.domain());
    if (stanza.is_response())
        return to_server && ping_number_ > 0 &&
               stanza.id() == "ping-" + std::to_string(ping_number_);
    if (stanza.iq_type() != xmpp::IqType::set || stanza.payload() == nullptr) return false;
    if (!to_server && *stanza.to() != jid_.bare()) return false;
    const xmpp::Element& payload = *stanza.payload();
    if (payload.is("session", xmpp::ns::session)) {
        deliver(stanza.reply_result());
        return true;
    }
    if (payload.is("bind", xmpp::ns::bind)) {
        deliver(stanza.reply_error(
            xmpp::StanzaError::not_allowed("a resource is bound to this stream already")));
        return true;
    }
    return false;
}

// XEP-0352 §4.2: no answer. What waited goes out before anything that the client sends next is
// looked at (§5.1).
bool ClientSession::take_client_state(const xmpp::Element& element) {
    if (element.ns() != xmpp::ns::client_state) return false;
    if (element.name() == "active") {
        release_held();
        held_.reset();
        return true;
    }
    if (element.name() != "inactive") return false;
    if (held_ == nullptr && context_.settings.held_stanzas_max > 0)
        held_ = std::make_unique<HeldStanzas>();
    return true;
}

void ClientSession::refuse_element(const xmpp::Element& element) {
    const std::string_view name = element.name();
    if (element.ns() == xmpp::ns::tls && name == "starttls")
        return end_stream("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
                          StreamEnd::tls_failed);
    // An error cannot be answered; the client is about to leave (RFC 6120 §4.9.1.1).
    if (element.is("error", xmpp::ns::stream)) return end_stream({}, StreamEnd::by_client);
    if (element.ns() == xmpp::ns::server &&
        (name == "message" || name == "presence" || name == "iq"))
        return fail(StreamError(StreamCondition::invalid_namespace));
    fail(StreamError(StreamCondition::unsupported_stanza_type));
}

}  // namespace server
