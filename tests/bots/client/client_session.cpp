// Client online: stanzas in and out, acknowledgements and resumption (XEP-0198), the end.
#include "tests/bots/client/client_impl.h"

#include "xmpp/client/failures.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/date_time.h"
#include "xmpp/stream/sm_elements.h"
#include "xmpp/stream/stream_header.h"
#include "xmpp/xml/writer.h"

#include <utility>

namespace bots {
namespace {

using base::Errc;
using base::Failure;

// XEP-0198 §4 wants to be told when a stanza that is sent again was meant to be sent.
base::SharedBytes with_delay(const Unacknowledged& entry) {
    std::string text(entry.bytes.view());
    const std::string delay =
        "<delay xmlns='urn:xmpp:delay' stamp='" + xmpp::format_date_time(entry.sent_at) + "'/>";
    if (text.ends_with("</message>")) {
        text.insert(text.size() - std::string_view("</message>").size(), delay);
    } else if (text.ends_with("/>")) {
        text.replace(text.size() - 2, 2, ">" + delay + "</message>");
    }
    return base::SharedBytes(std::move(text));
}

}  // namespace

Client::Impl::Impl(Client& client, ClientShared::Impl& shared, ClientOptions options,
                   ClientObserver& observer)
    : client_(client), shared_(shared), options_(std::move(options)), observer_(observer) {}

Client::Impl::~Impl() {
    const Failure gone(Errc::cancelled, "the client is gone");
    fail_requests(gone);
    if (attempt_ != nullptr) attempt_->promise.fail(gone);
    if (closing_ != nullptr) closing_->promise.fail(gone);
    if (connection_ != nullptr) connection_->abort();
    stop_staying(std::unexpected(gone));
}

// What the server's last word on the former session covers is acknowledged; what is left of it is
// yielded. Its requests are lost: nobody will answer them.
std::vector<Unacknowledged> Client::Impl::replace_session(const xmpp::Negotiated& result,
                                                          std::uint32_t& acknowledged) {
    std::vector<Unacknowledged> left;
    if (sm_ != nullptr) {
        if (result.former_handled)
            acknowledged = sm_->outbound.acknowledge(*result.former_handled).value_or(0);
        left = sm_->outbound.take_all();
    }
    fail_requests({Errc::connection_lost, "the session was lost"});
    sm_.reset();
    if (result.management) {
        sm_ = std::make_unique<SmSession>();
        if (result.management->resume) sm_->id = result.management->id;
        sm_->location = result.management->location;
    }
    return left;
}

void Client::Impl::enter(xmpp::Negotiated result) {
    std::uint32_t acknowledged = 0;
    std::vector<Unacknowledged> left;
    const bool is_replaced = !result.resumed && sm_ != nullptr;
    if (!result.resumed) {
        left = replace_session(result, acknowledged);
    } else if (const auto count = sm_->outbound.acknowledge(*result.former_handled)) {
        acknowledged = *count;
    } else {
        const xmpp::StreamError error = xmpp::handled_count_too_high(count.error());
        connection_->send(error.to_xml());
        connection_->send(xmpp::kStreamCloseXml);
        connection_->flush();
        sm_.reset();
        return fail_attempt({Errc::connection_aborted, "resuming: " + error.text()});
    }
    const std::unique_ptr<Attempt> attempt = std::move(attempt_);
    attempt->deadline.cancel();
    state_ = State::online;
    jid_ = std::move(result.jid);
    mechanism_ = std::move(result.mechanism);
    features_ = shared_.share(result.features);
    if (shared_.login_features == nullptr && !result.login_features.name().empty())
        shared_.login_features =
            std::make_shared<const xmpp::Element>(std::move(result.login_features));
    if (result.resumed) {
        for (std::size_t i = 0; i < sm_->outbound.size(); ++i)
            connection_->send(sm_->outbound[i].bytes);
        if (!sm_->outbound.empty()) ask_for_acknowledgement();
    }
    send_again(std::move(left), result.former_handled.has_value());
    Lifetime::Watch watch(lifetime_);
    if (is_replaced)
        observer_.on_not_resumed(
            client_, result.former_handled ? std::optional(acknowledged) : std::nullopt);
    if (!watch.over()) observer_.on_online(client_, result.resumed);
    attempt->promise.resolve();
    if (!watch.over() && acknowledged > 0) observer_.on_acknowledged(client_, acknowledged);
    for (xmpp::Stanza& stanza : attempt->early)
        if (!watch.over()) handle(std::move(stanza));
    if (!watch.over() && paused_ && connection_ != nullptr) connection_->pause(true);
}

// As often as it takes while the server says how much it took; otherwise once, and what is not
// acknowledged then is given up. Presence and requests are of the former session and mean nothing
// in this one.
void Client::Impl::send_again(std::vector<Unacknowledged> left, bool is_known_untaken) {
    for (const Unacknowledged& entry : left) {
        if (!entry.is_message || (entry.again && !is_known_untaken)) continue;
        base::SharedBytes bytes = with_delay(entry);
        connection_->send(bytes);
        if (sm_ == nullptr) continue;
        ++sm_->unasked;
        sm_->outbound.push({std::move(bytes), entry.sent_at, true, true});
    }
}

void Client::Impl::on_element(xmpp::StanzaElement element) {
    if (attempt_ != nullptr) {
        xmpp::NegotiationStep step = attempt_->negotiation->on_element(element.element);
        if (!std::holds_alternative<xmpp::NegotiationPassOn>(step)) return follow(std::move(step));
        if (attempt_->early.size() >= kEarlyStanzasMax)
            return fail_attempt({Errc::connection_aborted, "too many stanzas before the session"});
        auto stanza =
            xmpp::Stanza::from_element(std::move(element.element), std::move(element.raw_inner));
        if (stanza) attempt_->early.push_back(*std::move(stanza));
        return;
    }
    if (xmpp::Stanza::is_stanza(element.element)) return take_stanza(std::move(element));
    if (element.element.ns() == xmpp::ns::stream_management && sm_ != nullptr)
        return on_management(element.element);
    const auto error = xmpp::StreamError::parse(element.element);
    if (!error) return;
    // Somebody else has the session now.
    if (error->is(xmpp::StreamCondition::conflict) && sm_ != nullptr) sm_->id.clear();
    break_off(xmpp::failure_of(*error), {});
}

void Client::Impl::take_stanza(xmpp::StanzaElement element) {
    if (sm_ != nullptr) sm_->inbound.count();
    auto stanza =
        xmpp::Stanza::from_element(std::move(element.element), std::move(element.raw_inner));
    if (stanza) return handle(*std::move(stanza));
    if (const auto reply = xmpp::Stanza::error_reply(element.element, stanza.error());
        reply && element.element.name() == "iq")
        send_xml(xmpp::to_xml(*reply, xmpp::ns::client));
}

void Client::Impl::handle(xmpp::Stanza stanza) {
    observer_.on_received(client_, stanza);
    switch (stanza.kind()) {
        case xmpp::StanzaKind::message:
            return observer_.on_message(client_, std::move(stanza));
        case xmpp::StanzaKind::presence:
            return observer_.on_presence(client_, std::move(stanza));
        case xmpp::StanzaKind::iq:
            return handle_iq(std::move(stanza));
    }
}

void Client::Impl::handle_iq(xmpp::Stanza iq) {
    const auto malformed = iq.check_iq();
    if (iq.is_response()) {
        if (malformed) return;
        auto request = requests_.take(jid_, iq);
        if (!request) return;
        if (const auto error = iq.error()) {
            (*request)->promise.fail(xmpp::failure_of(*error));
        } else {
            (*request)->promise.resolve(std::move(iq));
        }
        return;
    }
    Lifetime::Watch watch(lifetime_);
    const auto reply = malformed ? iq.reply_error(*malformed) : observer_.on_request(client_, iq);
    if (!watch.over() && reply) send(*reply);
}

void Client::Impl::on_management(const xmpp::Element& element) {
    const auto parsed = xmpp::parse_sm(element);
    if (parsed && std::holds_alternative<xmpp::SmRequest>(*parsed))
        return connection_->send(to_xml(xmpp::SmAck{sm_->inbound.handled()}));
    const auto* const ack = parsed ? std::get_if<xmpp::SmAck>(&*parsed) : nullptr;
    if (ack == nullptr) return;
    const auto count = sm_->outbound.acknowledge(ack->handled);
    if (!count) {
        const xmpp::StreamError error = xmpp::handled_count_too_high(count.error());
        sm_->id.clear();
        return break_off({Errc::connection_aborted, error.text()}, error.to_xml());
    }
    if (*count > 0) observer_.on_acknowledged(client_, *count);
}

void Client::Impl::ask_for_acknowledgement() {
    connection_->send(xmpp::kSmRequestXml);
    sm_->unasked = 0;
}

bool Client::Impl::on_quiet() {
    if (state_ != State::online || sm_ == nullptr || sm_->unasked == 0) return false;
    ask_for_acknowledgement();
    return true;
}

bool Client::Impl::may_send() const noexcept {
    if (state_ == State::closing) return false;
    if (sm_ != nullptr && sm_->outbound.size() >= kUnacknowledgedMax) return false;
    return state_ == State::online || (sm_ != nullptr && sm_->resumable());
}

bool Client::Impl::send(const xmpp::Stanza& stanza) {
    if (!may_send()) return false;
    shared_.scratch.clear();
    stanza.append_to(shared_.scratch);
    return write(shared_.scratch, stanza.is_message());
}

bool Client::Impl::send_xml(std::string_view stanza) {
    return may_send() && write(stanza, stanza.starts_with("<message"));
}

bool Client::Impl::send_element(std::string_view element) {
    if (state_ != State::online) return false;
    connection_->send(element);
    return true;
}

bool Client::Impl::write(std::string_view stanza, bool is_message) {
    if (sm_ == nullptr) {
        connection_->send(stanza);
        return true;
    }
    base::SharedBytes bytes{std::string(stanza)};
    if (state_ == State::online) connection_->send(bytes);
    sm_->outbound.push({std::move(bytes), shared_.world.clock.wall(), is_message, false});
    if (++sm_->unasked >= kAskEvery && state_ == State::online) ask_for_acknowledgement();
    return true;
}

reactor::Deferred<xmpp::Stanza> Client::Impl::request(xmpp::Stanza iq, base::Duration timeout) {
    if (!may_send()) return base::fail(Errc::connection_lost, "the client is not online");
    std::string id = requests_.next_id(shared_.id_prefix);
    iq.set_id(id);
    auto request = std::make_unique<Request>([this, id] {
        if (auto expired = requests_.remove(id))
            (*expired)->promise.fail({Errc::timed_out, "no answer to the request in time"});
    });
    auto answer = request->promise.deferred([this, id] { (void)requests_.remove(id); });
    shared_.world.reactor.arm(request->timer, timeout);
    requests_.add(std::move(id), iq.to(), std::move(request));
    send(iq);
    return answer;
}

void Client::Impl::fail_requests(const Failure& why) {
    for (const std::unique_ptr<Request>& request : requests_.take_all())
        request->promise.fail(why);
}

void Client::Impl::pause_reading(bool paused) {
    paused_ = paused;
    if (connection_ != nullptr && state_ == State::online) connection_->pause(paused);
}

// XEP-0198 §4 recommends a last acknowledgement before the end of the stream.
reactor::Deferred<void> Client::Impl::disconnect(base::Duration grace) {
    if (closing_ != nullptr) return base::fail(Errc::busy, "the client is disconnecting already");
    if (attempt_ != nullptr) fail_attempt({Errc::cancelled, "disconnected"});
    if (state_ == State::offline) {
        sm_.reset();
        fail_requests({Errc::connection_lost, "disconnected"});
        stop_staying({});
        return reactor::ready();
    }
    closing_ = std::make_unique<Closing>(
        [this] { lose({Errc::connection_done, "the server did not close the stream in time"}); });
    auto settled = closing_->promise.deferred();
    shared_.world.reactor.arm(closing_->timer, grace);
    if (sm_ != nullptr) connection_->send(to_xml(xmpp::SmAck{sm_->inbound.handled()}));
    connection_->send(xmpp::kStreamCloseXml);
    connection_->pause(false);
    state_ = State::closing;
    return settled;
}

void Client::Impl::cut() {
    keep_tls_session();
    if (connection_ != nullptr) connection_->abort();
    const Failure why(Errc::connection_aborted, "cut");
    if (attempt_ != nullptr) return fail_attempt(why);
    if (state_ != State::offline) lose(why);
}

void Client::Impl::on_stream_close() {
    if (attempt_ != nullptr)
        return fail_attempt(
            {Errc::connection_done, "the server closed the stream instead of sending " +
                                        std::string(attempt_->negotiation->waiting_for())});
    if (state_ == State::closing) return lose({Errc::connection_done, "disconnected"});
    if (sm_ != nullptr) sm_->id.clear();  // Closed in order: the session is over (XEP-0198 §7).
    break_off({Errc::connection_done, "the server closed the stream"}, {});
}

void Client::Impl::on_lost(Failure why) {
    if (attempt_ != nullptr) {
        std::string waited = "while waiting for ";
        waited += attempt_->negotiation->waiting_for();
        return fail_attempt(why.is(Errc::tls_failed) ? std::move(why) : why.with(waited));
    }
    lose(state_ == State::closing ? Failure(Errc::connection_done, "disconnected")
                                  : std::move(why));
}

void Client::Impl::break_off(Failure why, std::string_view farewell) {
    connection_->send(farewell);
    if (state_ != State::closing) connection_->send(xmpp::kStreamCloseXml);
    connection_->flush();
    lose(std::move(why));
}

void Client::Impl::lose(Failure why) {
    if (tls_session_ == nullptr) keep_tls_session();
    connection_.reset();
    if (state_ == State::closing) sm_.reset();
    state_ = State::offline;
    if (sm_ == nullptr || !sm_->resumable())
        fail_requests({Errc::connection_lost, "the session was lost"});
    loss_ = std::move(why);
    if (!notice_.queued()) reactor::ReadyQueue::current().push(notice_);
}

void Client::Impl::tell_loss() {
    const Failure why = *std::exchange(loss_, std::nullopt);
    const std::unique_ptr<Closing> closing = std::move(closing_);
    if (closing != nullptr) closing->timer.cancel();
    Lifetime::Watch watch(lifetime_);
    observer_.on_offline(client_, why);
    if (closing != nullptr) closing->promise.resolve();
    if (watch.over() || staying_ == nullptr) return;
    if (closing != nullptr) return stop_staying({});
    if (staying_->lost) staying_->lost->try_resolve(why);
}

}  // namespace bots
