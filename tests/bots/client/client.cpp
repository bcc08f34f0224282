#include "tests/bots/client/client.h"

#include "tests/bots/client/client_impl.h"
#include "xmpp/client/failures.h"

#include <utility>

namespace bots {

void ClientObserver::on_online(Client&, bool) {}
void ClientObserver::on_not_resumed(Client&, std::optional<std::uint32_t>) {}
void ClientObserver::on_offline(Client&, const base::Failure&) {}
void ClientObserver::on_received(Client&, const xmpp::Stanza&) {}
void ClientObserver::on_message(Client&, xmpp::Stanza) {}
void ClientObserver::on_presence(Client&, xmpp::Stanza) {}
void ClientObserver::on_acknowledged(Client&, std::uint32_t) {}

std::optional<xmpp::Stanza> ClientObserver::on_request(Client& client, const xmpp::Stanza& iq) {
    const xmpp::Element& payload = *iq.payload();
    if (iq.iq_type() == xmpp::IqType::get && payload.is("ping", xmpp::ns::ping))
        return iq.reply_result();
    // A roster push counts from the own account only (RFC 6121 §2.1.6).
    const bool is_push =
        iq.iq_type() == xmpp::IqType::set && payload.is("query", xmpp::ns::roster) &&
        (!iq.from() || (iq.from()->is_bare() && iq.from()->same_bare(client.jid())));
    if (is_push) return iq.reply_result();
    return iq.reply_error(xmpp::StanzaError::service_unavailable());
}

std::optional<xmpp::StanzaCondition> stanza_condition(const base::Failure& failure) {
    return xmpp::condition_of(failure);
}

Client::Client(ClientShared& shared, ClientOptions options, ClientObserver& observer)
    : impl_(std::make_unique<Impl>(*this, shared.impl(), std::move(options), observer)) {}

Client::~Client() = default;

reactor::Deferred<void> Client::connect() {
    return impl_->connect();
}

reactor::Deferred<void> Client::stay_online(reactor::Backoff backoff) {
    return impl_->stay_online(backoff);
}

reactor::Deferred<void> Client::disconnect(base::Duration grace) {
    return impl_->disconnect(grace);
}

void Client::cut() {
    impl_->cut();
}

bool Client::online() const noexcept {
    return impl_->online();
}

const xmpp::Jid& Client::jid() const noexcept {
    return impl_->jid();
}

const std::string& Client::mechanism() const noexcept {
    return impl_->mechanism();
}

reactor::TlsInfo Client::tls_info() const {
    const reactor::TlsStream* const tls = impl_->tls();
    return tls == nullptr ? reactor::TlsInfo() : tls->info();
}

bool Client::stream_management() const noexcept {
    return impl_->stream_management();
}

bool Client::has_feature(std::string_view name, std::string_view ns) const {
    return impl_->has_feature(name, ns);
}

bool Client::send(const xmpp::Stanza& stanza) {
    return impl_->send(stanza);
}

bool Client::send_element(std::string_view element) {
    return impl_->send_element(element);
}

bool Client::send_xml(std::string_view stanza) {
    return impl_->send_xml(stanza);
}

reactor::Deferred<xmpp::Stanza> Client::request(xmpp::Stanza iq, base::Duration timeout) {
    return impl_->request(std::move(iq), timeout);
}

void Client::send_presence(std::string_view show, std::string_view status) {
    xmpp::Stanza presence = xmpp::Stanza::presence(xmpp::PresenceType::available);
    if (!show.empty()) presence.edit().add_text_child("show", show);
    if (!status.empty()) presence.edit().add_text_child("status", status);
    send(presence);
}

void Client::send_message(const xmpp::Jid& to, std::string_view body) {
    xmpp::Stanza message = xmpp::Stanza::message(xmpp::MessageType::chat);
    message.set_to(to);
    message.edit().add_text_child("body", body);
    send(message);
}

reactor::Deferred<std::vector<xmpp::Element>> Client::fetch_roster() {
    xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::get, {});
    iq.edit().add_child("query", xmpp::ns::roster);
    return request(std::move(iq)).then([](xmpp::Stanza answer) {
        std::vector<xmpp::Element> items;
        if (const xmpp::Element* const query = answer.child("query", xmpp::ns::roster))
            for (const xmpp::Element& item : query->children())
                if (item.name() == "item") items.push_back(item);
        return items;
    });
}

std::size_t Client::unsent_bytes() const noexcept {
    return impl_->unsent_bytes();
}

void Client::pause_reading(bool paused) {
    impl_->pause_reading(paused);
}

reactor::World& Client::world() noexcept {
    return impl_->world();
}

}  // namespace bots
