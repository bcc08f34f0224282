#include "server/sessions/client_session.h"

#include "server/routing/presence.h"
#include "server/sessions/held_stanzas.h"
#include "server/sessions/negotiation.h"
#include "server/sessions/saved_session.h"
#include "storage/database.h"
#include "storage/tables/users.h"
#include "xmpp/stream/stream_header.h"
#include "xmpp/xml/writer.h"

#include <algorithm>
#include <utility>

namespace server {
namespace {

using xmpp::StreamCondition;
using xmpp::StreamError;

constexpr base::MonotonicTime kNever{};

}  // namespace

ClientSession::ClientSession(ClientContext& context, SessionId id,
                             std::unique_ptr<reactor::ByteStream> connection,
                             ClientTransport transport, std::optional<AddressKey> address)
    : context_(context),
      id_(id),
      stream_(context.streams, *this, std::move(connection), context.settings.limits_before_login),
      address_(address),
      connected_at_(context.world.clock.wall()),
      active_at_(context.world.reactor.now()) {
    if (transport == ClientTransport::direct_tls) stream_.wrap_in_tls(context.tls.direct);
    negotiation_ = std::make_unique<Negotiation>(*this);
}

ClientSession::ClientSession(ClientContext& context, SessionId id, Arrival arrival)
    : context_(context),
      id_(id),
      stream_(context.streams, *this, context.world, std::move(arrival.stream)),
      jid_(std::move(arrival.account)),
      lang_(std::move(arrival.lang)),
      mechanism_(std::move(arrival.mechanism)),
      address_(arrival.address),
      connected_at_(arrival.connected_at),
      active_at_(context.world.reactor.now()),
      header_sent_(true) {
    negotiation_ = std::make_unique<Negotiation>(*this);
    negotiation_->welcome(arrival.final_data);
}

ClientSession::ClientSession(ClientContext& context, SessionId id, xmpp::Jid full,
                             const SavedSession& saved,
                             std::unique_ptr<StreamManagement> management)
    : context_(context),
      id_(id),
      stream_(context.streams, *this),
      sm_(std::move(management)),
      jid_(std::move(full)),
      lang_(saved.lang),
      mechanism_(saved.mechanism),
      connected_at_(context.world.clock.wall()),
      active_at_(context.world.reactor.now()),
      state_(State::bound),
      header_sent_(true),
      detached_(true),
      counts_(false) {
    context.metrics.sessions.add();
    context.metrics.detached.add();
    context.resumable.add(sm_->token, id_);
    set_deadline(active_at_ + std::chrono::seconds(sm_->max_seconds));
}

ClientSession::~ClientSession() {
    if (congested_) context_.router.withdraw(*this);
    negotiation_.reset();
    if (!suspended_) withdraw();
    context_.storing_bytes -= storing_bytes_;
}

SessionInfo ClientSession::info() const {
    SessionInfo info;
    info.id = id_;
    info.jid = jid_.text();
    info.peer_address = peer_text();
    if (const reactor::TlsStream* tls = stream_.tls()) {
        const reactor::TlsInfo about = tls->info();
        info.tls = about.version + " " + about.cipher;
    }
    info.mechanism = mechanism_;
    info.connected_at = connected_at_;
    Account* account = context_.accounts.find(jid_);
    if (const Resource* resource = account == nullptr ? nullptr : account->find(jid_.resource())) {
        info.available = resource->available();
        info.priority = resource->priority;
    }
    return info;
}

std::string ClientSession::peer_text() const {
    return stream_.connection() == nullptr ? std::string()
                                           : stream_.connection()->peer().to_string();
}

void ClientSession::set_lang(std::string_view lang) {
    lang_ = lang.size() <= kLangBytesMax ? lang : std::string_view();
}

void ClientSession::set_account(xmpp::Jid bare, std::string mechanism) {
    jid_ = std::move(bare);
    mechanism_ = std::move(mechanism);
    context_.metrics.login(mechanism_);
    context_.world.log.info(
        "c2s.login", {{"jid", jid_.text()}, {"mechanism", mechanism_}, {"peer", peer_text()}});
}

void ClientSession::enter_bound() {
    state_ = State::bound;
    context_.metrics.sessions.add();
    active_at_ = context_.world.reactor.now();
    set_deadline(active_at_ + context_.settings.ping_after);
    context_.keeper.settle_later(id_);  // Which frees the negotiation.
}

// --- the end

void ClientSession::close(xmpp::StreamError error) {
    fail(error);
}

void ClientSession::fail(const StreamError& error) {
    if (!open() || frozen_) return;
    context_.metrics.ended(error.condition());
    context_.world.log.debug("c2s.closed", {{"jid", jid_.text()},
                                            {"peer", peer_text()},
                                            {"condition", xmpp::name_of(error.condition())},
                                            {"why", error.text()}});
    if (detached_) return expire();
    // Nobody could read it before TLS stands, or after it broke.
    if (stream_.tls() != nullptr && !stream_.tls()->established()) {
        if (state_ == State::bound) context_.metrics.sessions.subtract();
        stream_.abort();
        state_ = State::finished;
        return context_.keeper.settle_later(id_);
    }
    if (!header_sent_) negotiation_->send_default_header();
    stream_.finish(error.to_xml() + std::string(xmpp::kStreamCloseXml));
    start_closing();
}

void ClientSession::end_stream(std::string_view last, StreamEnd how) {
    if (!open()) return;
    context_.metrics.ended(how);
    if (detached_) return expire();
    stream_.finish(std::string(last) +
                   std::string(header_sent_ ? xmpp::kStreamCloseXml : std::string_view()));
    start_closing();
}

void ClientSession::start_closing() {
    if (state_ == State::bound) context_.metrics.sessions.subtract();
    state_ = State::closing;
    resume_at_ = kNever;
    set_deadline(context_.world.reactor.now() + kCloseTimeout);
    context_.keeper.settle_later(id_);
}

void ClientSession::abort(StreamEnd how) {
    if (state_ == State::finished) return;
    if (open()) context_.metrics.ended(how);
    if (detached_) return expire();
    if (state_ == State::bound) context_.metrics.sessions.subtract();
    stream_.abort();
    state_ = State::finished;
    context_.keeper.settle_later(id_);
}

bool ClientSession::settle() {
    if (state_ != State::negotiating) negotiation_.reset();
    if (open()) return false;
    if (congested_) {
        context_.router.withdraw(*this);
        congested_ = false;
    }
    if (suspended_) {
        leave_suspended();
        return true;
    }
    // Who has read our closing tag may count on the resource being gone, so both happen in one
    // turn.
    if (state_ == State::closing && !overflowed_) stream_.flush_now();
    // With stream management it is known what the client has: nothing that it may yet read counts.
    if (state_ == State::finished || stream_.queued_bytes() == 0 || overflowed_ || sm_ != nullptr) {
        withdraw();
        end_management();
        // At once: what comes for the account from now on must not overtake it, and whoever logs in
        // next must find it.
        give_back();
    }
    if (state_ != State::finished) return false;
    forget_anonymous();
    return true;
}

// An anonymous account lasts as long as its connection (XEP-0175 §2).
void ClientSession::forget_anonymous() {
    if (mechanism_ != "ANONYMOUS" || moved_) return;
    context_.accounts.removed(jid_.bare());
    context_.database
        .write([account = jid_.bare()](storage::Transaction& transaction) {
            return storage::Users(transaction).remove(account);
        })
        .detach("remove_anonymous");
}

// The resource goes, and nobody hears of it: the client will be back.
void ClientSession::leave_suspended() {
    withdrawn_ = true;
    context_.accounts.unbind(jid_.bare(), id_);
}

void ClientSession::release_address() {
    if (!counts_) return;
    counts_ = false;
    context_.keeper.disconnected(address_);
    address_.reset();
}

void ClientSession::take_address(const std::optional<AddressKey>& address) {
    address_ = address;
    counts_ = true;
}

// Presence first, while the resource still stands; the account lets go of it last.
void ClientSession::withdraw() {
    if (withdrawn_ || jid_.is_bare()) return;
    withdrawn_ = true;
    Account* account = context_.accounts.find(jid_);
    Resource* resource = account == nullptr ? nullptr : account->of_session(id_);
    if (resource == nullptr) return;
    context_.router.presence().resource_gone(*account, *resource);
    ResourceEvent event{*account, *resource};
    (void)context_.router.hooks().resource_gone.run(event);
    context_.accounts.unbind(jid_.bare(), id_);
}

std::shared_ptr<Arrival> ClientSession::pack(std::optional<std::string> final_data) {
    std::unique_ptr<DetachedStream> stream = stream_.detach();
    if (stream == nullptr) return nullptr;
    return std::make_shared<Arrival>(Arrival{.stream = std::move(*stream),
                                             .account = jid_,
                                             .final_data = std::move(final_data),
                                             .mechanism = mechanism_,
                                             .lang = lang_,
                                             .address = address_,
                                             .connected_at = connected_at_});
}

void ClientSession::moved() {
    context_.metrics.ended(StreamEnd::moved);
    moved_ = true;
    state_ = State::finished;
    context_.keeper.settle_later(id_);
}

// --- from the stream

void ClientSession::on_stream_open(const xmpp::StreamOpen& open) {
    if (negotiation_ == nullptr || state_ != State::negotiating)
        return fail(StreamError(StreamCondition::bad_format));
    negotiation_->on_stream_open(open);
}

void ClientSession::on_element(xmpp::StanzaElement element) {
    if (state_ == State::bound) return take_in(std::move(element));
    if (state_ == State::negotiating) negotiation_->on_element(std::move(element));
}

// XEP-0198 §7: who says farewell will not resume.
void ClientSession::on_stream_close() {
    if (sm_ != nullptr && open()) context_.resumable.remove(std::exchange(sm_->token, {}));
    end_stream({}, StreamEnd::by_client);
}

void ClientSession::on_parse_error(const StreamError& error) {
    fail(error);
}

void ClientSession::on_tls_started() {
    header_sent_ = false;
    if (negotiation_ != nullptr) negotiation_->on_tls_started();
}

void ClientSession::on_connection_lost(const base::Failure& why) {
    if (!open()) return;
    const bool tls_failed = why.is(base::Errc::tls_failed);
    context_.world.log.debug("c2s.lost",
                             {{"jid", jid_.text()}, {"peer", peer_text()}, {"why", why.message()}});
    if (can_detach()) return detach();
    // Half closed: the client may still be reading.
    if (why.is(base::Errc::connection_done)) return end_stream({}, StreamEnd::connection_lost);
    abort(tls_failed ? StreamEnd::tls_failed : StreamEnd::connection_lost);
}

void ClientSession::on_finished() {
    state_ = State::finished;
    context_.keeper.settle_later(id_);
}

void ClientSession::on_idle() {
    if (unwritten_ != nullptr && unwritten_->empty()) unwritten_.reset();
    if (order_ != nullptr && order_->empty()) {
        next_place_ = order_->next();
        order_.reset();
    }
}

// --- time

void ClientSession::set_deadline(base::MonotonicTime deadline) {
    deadline_ = deadline;
    arm_timer();
}

// One timer for everything: it strikes for whatever comes first, and an earlier strike than needed
// just arms it anew.
void ClientSession::arm_timer() {
    base::MonotonicTime next = deadline_;
    if (resume_at_ != kNever) next = std::min(next, resume_at_);
    if (sm_ != nullptr && sm_->patience != kNever) next = std::min(next, sm_->patience);
    if (sm_ != nullptr && sm_->ask_at != kNever) next = std::min(next, sm_->ask_at);
    if (!armed() || next < reactor::Timer::deadline()) arm(context_.world.reactor.wheel(), next);
}

void ClientSession::on_expired() {
    const base::MonotonicTime now = context_.world.reactor.now();
    if (resume_at_ != kNever && resume_at_ <= now) {
        resume_at_ = kNever;
        stream_.release(XmlStream::Hold::rate);
    }
    if (state_ == State::finished) return;
    if (sm_ != nullptr && sm_->patience != kNever && sm_->patience <= now) lose_patience();
    if (sm_ != nullptr && sm_->ask_at != kNever && sm_->ask_at <= now) {
        sm_->ask_at = kNever;
        sm_->ask_now();
        if (state_ == State::bound && !detached_) stream_.flush_later();
    }
    if (deadline_ <= now) on_deadline();
    if (state_ != State::finished && !armed()) arm_timer();
}

void ClientSession::on_deadline() {
    if (state_ == State::negotiating) return negotiation_->on_deadline();
    if (state_ == State::closing) return abort(StreamEnd::timed_out);
    if (detached_) return expire();
    const ClientSettings& settings = context_.settings;
    const base::MonotonicTime now = context_.world.reactor.now();
    // While we do not read we cannot know whether it is alive.
    if (stream_.held()) {
        deadline_ = now + settings.ping_timeout;
        return;
    }
    if (ping_sent_) {
        // A phone out of reach may come back; nobody else will.
        if (can_detach()) return detach();
        return fail(StreamError(StreamCondition::connection_timeout));
    }
    if (active_at_ + settings.ping_after > now) {
        deadline_ = active_at_ + settings.ping_after;
        return;
    }
    ping();
    deadline_ = now + settings.ping_timeout;
}

// Any byte that comes is answer enough (on_bytes).
void ClientSession::ping() {
    ping_sent_ = true;
    context_.metrics.pings.add();
    deliver(make_ping());
}

xmpp::Stanza ClientSession::make_ping() {
    ++ping_number_;
    xmpp::Stanza request =
        xmpp::Stanza::iq(xmpp::IqType::get, "ping-" + std::to_string(ping_number_));
    request.set_from(jid_.domain_jid());
    request.set_to(jid_);
    request.edit().add(xmpp::Element("ping", xmpp::ns::ping));
    return request;
}

void ClientSession::on_bytes(std::size_t count) {
    context_.metrics.bytes_in.add(count);
    const base::MonotonicTime now = context_.world.reactor.now();
    active_at_ = now;
    if (ping_sent_) {
        ping_sent_ = false;
        deadline_ = now + context_.settings.ping_after;
    }
    pause_for(byte_pace_.take(context_.settings.bytes, count, now));
}

void ClientSession::pause_for(base::Duration wait) {
    if (wait == base::Duration::zero() || !open()) return;
    const base::MonotonicTime until = context_.world.reactor.now() + wait;
    if (resume_at_ != kNever && resume_at_ >= until) return;
    if (resume_at_ == kNever) context_.metrics.read_pauses.add();
    resume_at_ = until;
    stream_.hold(XmlStream::Hold::rate);
    arm_timer();
}

void ClientSession::on_uncongested() {
    congested_ = false;
    stream_.release(XmlStream::Hold::congestion);
}

}  // namespace server
