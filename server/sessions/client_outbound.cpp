// What a client is sent: queued, written at the end of the turn, and given back when it cannot be.
#include "server/routing/durable_delivery.h"
#include "server/sessions/client_session.h"
#include "server/sessions/held_stanzas.h"
#include "server/sessions/negotiation.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/message_class.h"
#include "xmpp/xml/writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace server {
namespace {

using xmpp::StreamCondition;
using xmpp::StreamError;

// Only messages are worth keeping for a client that is gone; not an error report, nor what the
// account itself tells this client: copies of what another got (XEP-0280), results of its archive.
bool is_kept(const xmpp::Stanza& stanza, const xmpp::Jid& client) {
    if (!stanza.is_message() || stanza.is_error()) return false;
    return stanza.from() && stanza.from()->text() != client.bare_view();
}

}  // namespace

void ClientSession::deliver(xmpp::Stanza stanza) {
    if (state_ == State::closing || state_ == State::finished) {
        if (!is_kept(stanza, jid_)) return;
        if (returned_ == nullptr) returned_ = std::make_unique<std::vector<xmpp::Stanza>>();
        returned_->push_back(std::move(stanza));
        if (returned_->size() >= kReturnedMax) abort(StreamEnd::timed_out);
        return context_.keeper.settle_later(id_);
    }
    enqueue({.stanza = std::move(stanza)});
}

// What a room says is written from what all its copies share. Stream
// management keeps the same bytes.
void ClientSession::deliver_copy(const xmpp::Stanza& copy, const base::SharedBytes& shared) {
    const bool goes_out_now = state_ == State::bound && !frozen_ && sm_ != nullptr &&
                              held_ == nullptr && (order_ == nullptr || order_->empty());
    if (!goes_out_now || copy.is_iq()) return deliver(copy);
    (void)sm_->enter();
    context_.metrics.stanza_out(copy.kind());
    Unacknowledged sent{
        .bytes = shared,
        .returns = is_kept(copy, jid_) && copy.message_type() == xmpp::MessageType::groupchat,
        .patient = true,
        .lacks_to = true};
    if (!detached_) {
        context_.scratch.clear();
        append_text_of(context_.scratch, sent, jid_);
        stream_.send(context_.scratch);
        unwritten().add(stream_.queued_total());
    }
    remember(std::move(sent));
    if (!detached_) limit_queue();
}

// Whoever stores it still has it when this session ends.
void ClientSession::deliver_stored(xmpp::Stanza stanza) {
    if (!open()) return;
    enqueue({.stanza = std::move(stanza), .kept_elsewhere = true});
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
    for (HeldStanzas::Held& held : held_->take())
        enqueue({.text = base::SharedBytes(std::move(held.xml)), .kind = held.kind});
}

reactor::Deferred<void> ClientSession::flushed() {
    if (!open() || detached_ || frozen_) return base::Errc::closed;
    if (sm_ != nullptr && !has_room()) return sm_->waiting_for_room.emplace_back().deferred();
    if (order_ == nullptr || order_->empty()) {
        if (stream_.queued_bytes() == 0) return reactor::ready();
        return unwritten().wait(stream_.queued_total());
    }
    OutboundOrder::Item item;
    reactor::Deferred<void> written = item.waiting.emplace().deferred();
    order_->add(std::move(item));
    return written;
}

// With stream management: what nobody else has, and somebody would miss. A room learns that its
// occupant is gone.
bool ClientSession::returns(const OutboundOrder::Item& item) const {
    if (!item.stanza || item.id != 0 || item.kept_elsewhere || !is_kept(*item.stanza, jid_))
        return false;
    return item.stanza->message_type() == xmpp::MessageType::groupchat ||
           DurableDelivery::concerns(*item.stanza);
}

// --- the order

Place ClientSession::reserve() {
    release_held();  // A message is coming, and what came before it goes before it.
    // What is saved knows nothing of it: it waits in the offline queue.
    if (sm_ == nullptr || frozen_) return {.number = order().reserve(false)};
    return {.number = order().reserve(true, sm_->key != 0),
            .session = sm_->key,
            .sequence = sm_->enter()};
}

void ClientSession::fill(std::uint64_t place, xmpp::Stanza message, storage::MessageId id,
                         bool shared) {
    if (!open() || order_ == nullptr) return;
    if (!order_->fill(
            place,
            {.stanza = std::move(message), .id = id, .shared = shared, .kept_elsewhere = true}))
        return;
    send_ordered();
    limit_order();
}

void ClientSession::give_up(std::uint64_t place) {
    if (open() && order_ != nullptr && order_->fill(place, {})) send_ordered();
}

OutboundOrder& ClientSession::order() {
    if (order_ == nullptr)
        order_ = std::make_unique<OutboundOrder>(next_place_, context_.order_bytes);
    return *order_;
}

void ClientSession::limit_order() {
    if (open() && order_ != nullptr && order_->is_too_long())
        fail(StreamError(StreamCondition::resource_constraint));
}

// While the client does not know its resource, everything waits.
void ClientSession::enqueue(OutboundOrder::Item item) {
    if (held_ != nullptr && state_ == State::bound && item.stanza && !frozen_ &&
        hold_back(*item.stanza))
        return;
    if (sm_ != nullptr) {
        item.counted = true;
        (void)sm_->enter();
    }
    if (state_ == State::bound && (order_ == nullptr || order_->empty()))
        return transmit(std::move(item));
    order().add(std::move(item));
    limit_order();
}

void ClientSession::send_ordered() {
    if (state_ != State::bound || order_ == nullptr) return;
    while (std::optional<OutboundOrder::Item> item = order_->take()) {
        transmit(*std::move(item));
        if (state_ != State::bound) return;
    }
}

void ClientSession::transmit(OutboundOrder::Item item) {
    if (item.waiting) {
        if (detached_ || frozen_) return;  // Whoever waits hears that the connection is gone.
        if (stream_.queued_bytes() > 0) {
            unwritten().wait(stream_.queued_total(), *std::move(item.waiting));
        } else {
            item.waiting->try_resolve({});
        }
        return;
    }
    if (!item.text.empty() && !item.kind) return send(item.text.view());
    const bool counted = item.counted && sm_ != nullptr;
    if (!item.stanza && !item.kind) {
        // The place was given up. The numbers behind it are in the database already, so something
        // has to stand in it that hurts nobody.
        if (!counted) return;
        item.stanza = make_ping();
    }
    context_.metrics.stanza_out(item.kind ? *item.kind : item.stanza->kind());
    if (counted && item.stanza) item.text = base::SharedBytes(item.stanza->to_xml());
    if (counted && frozen_) outdated_ = true;
    if (counted && (detached_ || frozen_)) return remember(item);
    if (frozen_) return;
    if (!item.text.empty()) {
        stream_.send(item.text);
    } else {
        context_.scratch.clear();
        item.stanza->append_to(context_.scratch);
        stream_.send(context_.scratch);
    }
    if (counted) {
        unwritten().add(stream_.queued_total());
        remember(item);
    } else if (item.stanza && is_kept(*item.stanza, jid_) && !item.kept_elsewhere) {
        unwritten().add(stream_.queued_total(), *std::move(item.stanza));
    } else {
        unwritten().add(stream_.queued_total());
    }
    limit_queue();
}

void ClientSession::send(std::string_view text) {
    if (frozen_) return;
    stream_.send(text);
    if (state_ != State::bound) return;
    unwritten().add(stream_.queued_total());
    limit_queue();
}

void ClientSession::send(const xmpp::Element& element) {
    context_.scratch.clear();
    xmpp::append_xml(context_.scratch, element, xmpp::ns::client);
    send(context_.scratch);
}

// A burst that the operating system takes is no sign of a slow reader.
void ClientSession::limit_queue() {
    std::size_t most = context_.settings.outbound_queue_max;
    if (sm_ != nullptr && sm_->resent_until > stream_.written_total())
        most += sm_->resent_until - stream_.written_total();
    if (stream_.queued_bytes() > most) stream_.flush_now();
    if (state_ == State::bound && stream_.queued_bytes() > most) overflow();
}

// The client reads too slowly. It gets to see the end of the stanza it is in the middle of, then
// why this is the end; the messages behind that go elsewhere.
void ClientSession::overflow() {
    // Stream management has it all: the client may come back for it.
    if (can_detach()) return detach();
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
    std::vector<xmpp::Stanza> unsent;
    if (order_ != nullptr) {
        // What had its turn still to come goes with what came too late; who waits hears of the end.
        while (std::optional<OutboundOrder::Item> item = order_->take_any())
            if (item->stanza && is_kept(*item->stanza, jid_) && !item->kept_elsewhere)
                unsent.push_back(*std::move(item->stanza));
        order_.reset();
    }
    // While anything is queued, the rest of the stanza that was cut into may yet be written.
    if (unwritten_ != nullptr && (state_ == State::finished || stream_.queued_bytes() == 0)) {
        messages = unwritten_->cut_behind(stream_.written_total());
        unwritten_.reset();
    }
    std::ranges::move(unsent, std::back_inserter(messages));
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
