// What a client is sent: queued, written at the end of the turn, and given back when it cannot be.
#include "server/sessions/client_session.h"
#include "server/sessions/held_stanzas.h"
#include "server/sessions/negotiation.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/carbon.h"
#include "xmpp/payloads/message_class.h"
#include "xmpp/xml/writer.h"

#include <utility>

namespace server {
namespace {

using xmpp::StreamCondition;
using xmpp::StreamError;

// Only messages are worth keeping for a client that is gone; not an error report, nor a copy of
// what another client got (XEP-0280).
bool is_kept(const xmpp::Stanza& stanza, const xmpp::Jid& client) {
    if (!stanza.is_message() || stanza.is_error()) return false;
    const bool is_own = stanza.from() && stanza.from()->text() == client.bare_view();
    return !is_own || xmpp::copied_message(stanza) == nullptr;
}

}  // namespace

void ClientSession::deliver(xmpp::Stanza stanza) {
    if (state_ == State::negotiating && negotiation_ != nullptr)
        return negotiation_->keep_early(std::move(stanza));
    if (held_ != nullptr && state_ == State::bound && hold_back(stanza)) return;
    if (state_ != State::bound) {
        if (!is_kept(stanza, jid_)) return;
        if (returned_ == nullptr) returned_ = std::make_unique<std::vector<xmpp::Stanza>>();
        returned_->push_back(std::move(stanza));
        if (returned_->size() >= kReturnedMax) abort(StreamEnd::timed_out);
        return context_.keeper.settle_later(id_);
    }
    queue(stanza);
    if (is_kept(stanza, jid_)) {
        unwritten().add(stream_.queued_total(), std::move(stanza));
    } else {
        unwritten().add(stream_.queued_total());
    }
    limit_queue();
}

// Whoever stores it still has it when this session ends.
void ClientSession::deliver_stored(xmpp::Stanza stanza) {
    if (held_ != nullptr && state_ == State::bound && hold_back(stanza)) return;
    if (state_ != State::bound) return;
    queue(stanza);
    unwritten().add(stream_.queued_total());
    limit_queue();
}

void ClientSession::queue(const xmpp::Stanza& stanza) {
    context_.scratch.clear();
    stanza.append_to(context_.scratch);
    write(stanza.kind(), context_.scratch);
}

void ClientSession::write(xmpp::StanzaKind kind, std::string_view xml) {
    context_.metrics.stanza_out(kind);
    stream_.send(xml);
}

// True: the client need not hear it now, or ever. Otherwise what waited has gone out before it.
bool ClientSession::hold_back(const xmpp::Stanza& stanza) {
    switch (xmpp::urgency_of(stanza)) {
        case xmpp::Urgency::now:
            release_held();
            return false;
        case xmpp::Urgency::never:
            context_.metrics.spared.add();
            return true;
        case xmpp::Urgency::later:
            break;
    }
    context_.metrics.held.add();
    if (held_->hold(stanza)) context_.metrics.spared.add();
    if (held_->exceeds(context_.settings.held_stanzas_max)) release_held();
    return true;
}

void ClientSession::release_held() {
    if (held_ == nullptr || held_->empty() || state_ != State::bound) return;
    for (const HeldStanzas::Held& held : held_->take()) {
        write(held.kind, held.xml);
        unwritten().add(stream_.queued_total());
    }
    limit_queue();
}

reactor::Deferred<void> ClientSession::flushed() {
    if (!open()) return base::Errc::closed;
    if (stream_.queued_bytes() == 0) return reactor::ready();
    return unwritten().wait(stream_.queued_total());
}

void ClientSession::send(std::string_view text) {
    stream_.send(text);
    if (state_ == State::bound) unwritten().add(stream_.queued_total());
}

void ClientSession::send(const xmpp::Element& element) {
    context_.scratch.clear();
    xmpp::append_xml(context_.scratch, element, xmpp::ns::client);
    send(context_.scratch);
}

// A burst that the operating system takes is no sign of a slow reader.
void ClientSession::limit_queue() {
    const std::size_t most = context_.settings.outbound_queue_max;
    if (stream_.queued_bytes() > most) stream_.flush_now();
    if (state_ == State::bound && stream_.queued_bytes() > most) overflow();
}

// The client reads too slowly. It gets to see the end of the stanza it is in the middle of, then
// why this is the end; the messages behind that go elsewhere.
void ClientSession::overflow() {
    const std::uint64_t end = unwritten().boundary(stream_.written_total());
    stream_.truncate(end);
    returned_ = std::make_unique<std::vector<xmpp::Stanza>>(unwritten().cut_behind(end));
    overflowed_ = true;
    fail(StreamError(StreamCondition::policy_violation, "the client reads too slowly"));
}

void ClientSession::on_written() {
    if (unwritten_ != nullptr) unwritten_->written(stream_.written_total());
    context_.metrics.bytes_out.add(stream_.written_total() - counted_out_);
    counted_out_ = stream_.written_total();
    if (state_ == State::closing && stream_.queued_bytes() == 0) context_.keeper.settle_later(id_);
}

// In order: first what was queued and never written, then what came after the end.
void ClientSession::give_back() {
    std::vector<xmpp::Stanza> messages;
    // While anything is queued, the rest of the stanza that was cut into may yet be written.
    if (unwritten_ != nullptr && (state_ == State::finished || stream_.queued_bytes() == 0)) {
        messages = unwritten_->cut_behind(stream_.written_total());
        unwritten_.reset();
    }
    const auto returned = std::exchange(returned_, nullptr);
    if (returned != nullptr)
        for (xmpp::Stanza& stanza : *returned)
            messages.push_back(std::move(stanza));
    const xmpp::Jid account = jid_.bare();
    for (xmpp::Stanza& stanza : messages) {
        context_.metrics.messages_given_back.add();
        context_.router.redeliver(account, std::move(stanza));
    }
}

Unwritten& ClientSession::unwritten() {
    if (unwritten_ == nullptr) unwritten_ = std::make_unique<Unwritten>();
    return *unwritten_;
}

}  // namespace server
