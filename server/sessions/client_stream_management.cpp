// XEP-0198 on a bound client's stream: enabling, acknowledgements both ways, the time without a
// connection, and what is left at the end. Resuming is a negotiation: resume_negotiation.cpp.
#include "server/routing/offline_queue.h"
#include "server/sessions/client_session.h"
#include "server/sessions/held_stanzas.h"
#include "server/sessions/saved_session.h"
#include "storage/database.h"
#include "storage/tables/messages_deliveries.h"
#include "storage/tables/sm_sessions.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/stream/sm_elements.h"
#include "xmpp/xml/read_stanza.h"

#include <algorithm>
#include <utility>

namespace server {
namespace {

using storage::Deliveries;
using storage::SmSessions;
using storage::Transaction;
using xmpp::StanzaCondition;
using xmpp::StreamCondition;
using xmpp::StreamError;

constexpr std::size_t kTokenBytes = 18;

std::string failed_xml(StanzaCondition condition, std::string text = {}) {
    return xmpp::to_xml(xmpp::SmFailed{.condition = condition, .text = std::move(text)});
}

std::uint32_t seconds_of(base::Duration time) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

}  // namespace

void ClientSession::on_management(const xmpp::Element& element) {
    const auto parsed = xmpp::parse_sm(element);
    if (!parsed) {
        send(failed_xml(parsed.error().condition(), std::string(parsed.error().text())));
    } else if (const auto* enable = std::get_if<xmpp::SmEnable>(&*parsed)) {
        enable_management(*enable);
    } else if (std::holds_alternative<xmpp::SmResume>(*parsed)) {
        send(failed_xml(StanzaCondition::unexpected_request, "a resource is bound already"));
    } else if (sm_ == nullptr) {
        send(failed_xml(StanzaCondition::unexpected_request, "enable stream management first"));
    } else if (std::holds_alternative<xmpp::SmRequest>(*parsed)) {
        sm_->asked_at = sm_->taken();
        answer_request();
    } else if (const auto* ack = std::get_if<xmpp::SmAck>(&*parsed)) {
        on_acknowledged(ack->handled);
    } else {
        send(failed_xml(StanzaCondition::bad_request, "this is the server's to say"));
    }
}

// --- enabling (XEP-0198 §3)

void ClientSession::enable_management(const xmpp::SmEnable& enable) {
    if (sm_ != nullptr)
        return send(failed_xml(StanzaCondition::unexpected_request, "it is enabled already"));
    sm_ = std::make_unique<StreamManagement>();
    // What the client is sent from here on counts, behind <enabled/>.
    const std::uint64_t place = order().reserve(false);
    const std::uint32_t longest = seconds_of(context_.settings.resume_timeout);
    sm_->max_seconds = std::min(enable.max_seconds.value_or(longest), longest);
    const std::string token = context_.world.entropy.token(kTokenBytes);
    if (enable.resume && sm_->max_seconds > 0) sm_->token = token;
    // Nothing more is read until the count has its place in the database.
    stream_.hold(XmlStream::Hold::storing);
    context_.tasks.add("enable stream management",
                       create_stream(context_, id_,
                                     {.token = token,
                                      .owner = jid_,
                                      .created_at = context_.world.clock.wall(),
                                      .max_seconds = sm_->max_seconds},
                                     place));
}

reactor::Deferred<void> ClientSession::create_stream(ClientContext& context, SessionId id,
                                                     storage::NewSmSession row,
                                                     std::uint64_t place) {
    auto writing = context.database.write(
        [row](Transaction& transaction) { return SmSessions(transaction).create(row); });
    const base::Result<storage::SmSessionKey> key = co_await std::move(writing);
    ClientSession* session = context.keeper.find_session(id);
    if (session != nullptr && session->state_ == State::bound && session->sm_ != nullptr) {
        session->enabled(key, place);
    } else if (key) {
        remove_stream(context, *key);
    }
    co_return {};
}

void ClientSession::enabled(const base::Result<storage::SmSessionKey>& key, std::uint64_t place) {
    OutboundOrder::Item answer;
    if (key) {
        sm_->key = *key;
        sm_->enabled = true;
        if (Resource* resource = own_resource()) resource->managed = *key;
        if (!sm_->token.empty()) context_.resumable.add(sm_->token, id_);
        answer.text = xmpp::to_xml(xmpp::SmEnabled{
            .id = sm_->token, .resume = !sm_->token.empty(), .max_seconds = sm_->max_seconds});
    } else {
        context_.world.log.error("sm.enable_failed", {{"why", key.error().message()}});
        sm_.reset();
        answer.text = failed_xml(StanzaCondition::internal_server_error);
    }
    order().fill(place, std::move(answer));
    send_ordered();
    stream_.release(XmlStream::Hold::storing);
}

void ClientSession::remove_stream(ClientContext& context, storage::SmSessionKey key) {
    context.database
        .write([key](Transaction& transaction) { return SmSessions(transaction).remove(key); })
        .detach("sm remove");
}

Resource* ClientSession::own_resource() {
    Account* account = context_.accounts.find(jid_);
    Resource* resource = account == nullptr ? nullptr : account->find(jid_.resource());
    return resource != nullptr && resource->session_id == id_ ? resource : nullptr;
}

// --- acknowledging what the client sends (XEP-0198 §4)

void ClientSession::placed(std::uint32_t) {
    stream_.release(XmlStream::Hold::storing);
}

void ClientSession::settled(std::uint32_t taken, bool stored) {
    if (sm_ == nullptr) return;
    stream_.release(XmlStream::Hold::storing);
    sm_->settle(taken);
    if (stored && StreamManagement::reaches(taken, sm_->stored())) sm_->stored(taken);
    answer_request();
}

// Waits until everything up to the client's <r/> is settled and the count of it is on disk.
void ClientSession::answer_request() {
    if (sm_ == nullptr || !sm_->asked_at || detached_) return;
    const std::uint32_t count = sm_->settled();
    if (!StreamManagement::reaches(count, *sm_->asked_at)) return;
    if (!StreamManagement::reaches(sm_->stored(), count)) return store_count(count);
    sm_->asked_at.reset();
    send(xmpp::to_xml(xmpp::SmAck{count}));
}

void ClientSession::store_count(std::uint32_t count) {
    if (sm_->storing_count || sm_->key == 0) return;
    sm_->storing_count = true;
    context_.tasks.add("sm count", write_count(context_, id_, sm_->key, count));
}

reactor::Deferred<void> ClientSession::write_count(ClientContext& context, SessionId id,
                                                   storage::SmSessionKey key, std::uint32_t count) {
    auto writing = context.database.write([key, count](Transaction& transaction) {
        return SmSessions(transaction).set_taken(key, count);
    });
    const base::Result<void> written = co_await std::move(writing);
    ClientSession* session = context.keeper.find_session(id);
    if (session == nullptr || session->sm_ == nullptr) co_return {};
    session->sm_->storing_count = false;
    if (!written) {
        // An acknowledgement that cannot be kept is not given; the client will ask again.
        context.world.log.error("sm.count_failed", {{"why", written.error().message()}});
        session->sm_->asked_at.reset();
        co_return {};
    }
    if (StreamManagement::reaches(count, session->sm_->stored())) session->sm_->stored(count);
    session->answer_request();
    co_return {};
}

// --- what the client acknowledges

void ClientSession::on_acknowledged(std::uint32_t handled) {
    auto acknowledged = sm_->acknowledge(handled);
    if (!acknowledged) return fail(xmpp::handled_count_too_high(acknowledged.error()));
    take_acknowledged(*std::move(acknowledged));
    sm_->asked = false;
    if (sm_->unacknowledged() > 0) ask_for_acknowledgement();
}

void ClientSession::take_acknowledged(StreamManagement::Acknowledged acknowledged) {
    if (has_room())
        for (reactor::Promise<void>& promise : std::exchange(sm_->waiting_for_room, {}))
            promise.try_resolve({});
    if (acknowledged.empty()) return;
    sm_->unsaved.add(std::move(acknowledged));
    if (!sm_->saving) context_.tasks.add("sm acknowledged", save_acknowledged(context_, id_));
}

// One write at a time: what comes meanwhile goes with the next.
reactor::Deferred<void> ClientSession::save_acknowledged(ClientContext& context, SessionId id) {
    for (;;) {
        ClientSession* session = context.keeper.find_session(id);
        if (session == nullptr || session->sm_ == nullptr || session->sm_->unsaved.empty())
            co_return {};
        session->sm_->saving = true;
        auto writing =
            context.database.write([owner = session->jid_.bare(), key = session->sm_->key,
                                    gone = std::exchange(session->sm_->unsaved, {})](
                                       Transaction& transaction) -> base::Result<void> {
                return forget(transaction, owner, key, gone);
            });
        const base::Result<void> saved = co_await std::move(writing);
        if (!saved)
            context.world.log.error("sm.acknowledge_failed", {{"why", saved.error().message()}});
        session = context.keeper.find_session(id);
        if (session == nullptr || session->sm_ == nullptr) co_return {};
        session->sm_->saving = false;
    }
}

base::Result<void> ClientSession::forget(Transaction& transaction, const xmpp::Jid& owner,
                                         storage::SmSessionKey key,
                                         const StreamManagement::Acknowledged& gone) {
    Deliveries deliveries(transaction);
    if (gone.through > 0) TRY(deliveries.acknowledge(key, gone.through));
    if (!gone.done.empty()) TRY(deliveries.remove_delivered(owner, gone.done));
    return {};
}

bool ClientSession::counts_pending() {
    if (!sm_->all_settled()) return true;
    if (StreamManagement::reaches(sm_->stored(), sm_->taken())) return false;
    store_count(sm_->taken());
    return true;
}

// One question at a time; the answer leads to the next.
void ClientSession::ask_for_acknowledgement() {
    if (sm_->asked || detached_ || state_ != State::bound) return;
    sm_->asked = true;
    stream_.send(xmpp::kSmRequestXml);
    unwritten().add(stream_.queued_total());
}

// Half of what may wait: more may be handed to the client then.
bool ClientSession::has_room() const {
    return sm_->unacknowledged() <= context_.settings.unacknowledged_max / 2 &&
           sm_->unacknowledged_bytes() <= context_.settings.unacknowledged_bytes_max / 2;
}

void ClientSession::remember(const OutboundOrder::Item& item, std::string_view bytes) {
    const bool is_iq = item.stanza && item.stanza->is_iq();
    if (!sm_->open_requests.empty() && is_iq && item.stanza->is_response())
        settle_request(item.stanza->id());
    sm_->push({.bytes = base::SharedBytes(std::string(bytes)),
               .id = item.id,
               .managed = item.managed,
               .shared = item.shared,
               .request = is_iq && item.stanza->is_request()});
    if (sm_->unacknowledged() <= context_.settings.unacknowledged_max &&
        sm_->unacknowledged_bytes() <= context_.settings.unacknowledged_bytes_max)
        return;
    if (detached_) {
        expire();
    } else {
        fail(StreamError(StreamCondition::policy_violation,
                         "the client does not acknowledge what it is sent"));
    }
}

// An IQ set to the server is settled when it is answered; nothing is read before.
void ClientSession::settle_request(std::string_view id) {
    const auto found =
        std::ranges::find(sm_->open_requests, id, &StreamManagement::OpenRequest::id);
    if (found == sm_->open_requests.end()) return;
    const std::uint32_t number = found->number;
    sm_->open_requests.erase(found);
    sm_->settle(number);
    stream_.release(XmlStream::Hold::storing);
    answer_request();
}

// --- without a connection (XEP-0198 §5)

bool ClientSession::can_detach() const {
    return state_ == State::bound && !detached_ && sm_ != nullptr && sm_->enabled &&
           !sm_->token.empty();
}

void ClientSession::detach() {
    context_.world.log.debug("sm.detached", {{"jid", jid_.text()}});
    // A client that resumes is active until it says otherwise (XEP-0352 §5).
    release_held();
    held_.reset();
    detached_ = true;
    stream_.abort();
    ping_sent_ = false;
    resume_at_ = {};
    sm_->asked = false;
    sm_->asked_at.reset();
    sm_->waiting_for_room.clear();  // Whoever waits hears that the connection is gone.
    unwritten_.reset();
    if (congested_) {
        context_.router.withdraw(*this);
        congested_ = false;
    }
    release_address();
    context_.metrics.detached.add();
    set_deadline(context_.world.reactor.now() + std::chrono::seconds(sm_->max_seconds));
    context_.database
        .write([key = sm_->key, at = context_.world.clock.wall()](Transaction& transaction) {
            return SmSessions(transaction).detach(key, at);
        })
        .detach("sm detach");
}

// The time to come back is over, or too much waits.
void ClientSession::expire() {
    if (!detached_ || state_ != State::bound) return;
    context_.world.log.debug("sm.expired", {{"jid", jid_.text()}});
    context_.metrics.sessions.subtract();
    state_ = State::finished;
    context_.keeper.settle_later(id_);
}

// --- resuming: this session goes on over the connection of another

void ClientSession::give_up_connection() {
    if (detached_) return;
    stream_.send(StreamError(StreamCondition::conflict, "resumed by another connection").to_xml() +
                 "</stream:stream>");
    stream_.flush_now();
    if (!detached_) detach();
}

void ClientSession::resume(DetachedStream stream, const ClientSession& from,
                           StreamManagement::Acknowledged acknowledged) {
    stream_.adopt(context_.world, std::move(stream));
    detached_ = false;
    context_.metrics.detached.subtract();
    context_.metrics.resumed.add();
    mechanism_ = from.mechanism_;
    lang_ = from.lang_;
    take_address(from.address_);
    active_at_ = context_.world.reactor.now();
    header_sent_ = true;
    set_deadline(active_at_ + context_.settings.ping_after);
    take_acknowledged(std::move(acknowledged));
    stream_.send(xmpp::to_xml(xmpp::SmResumed{.previd = sm_->token, .handled = sm_->settled()}));
    for (std::size_t i = 0; i < sm_->unacknowledged(); ++i)
        stream_.send((*sm_)[i].bytes.view());
    unwritten().add(stream_.queued_total());
    if (sm_->unacknowledged() > 0) ask_for_acknowledgement();
    stream_.start();
    context_.world.log.debug("sm.resumed", {{"jid", jid_.text()}, {"peer", peer_text()}});
    context_.database
        .write([key = sm_->key](Transaction& transaction) {
            return SmSessions(transaction).attach(key);
        })
        .detach("sm attach");
}

// --- the end

// What the client has not acknowledged waits for another; requests are answered for it.
void ClientSession::end_management() {
    if (sm_ == nullptr) return;
    const std::unique_ptr<StreamManagement> ended = std::exchange(sm_, nullptr);
    if (detached_) context_.metrics.detached.subtract();
    detached_ = false;
    if (!ended->token.empty()) context_.resumable.remove(ended->token);
    for (std::size_t i = 0; i < ended->unacknowledged(); ++i) {
        const Unacknowledged& stanza = (*ended)[i];
        if (!stanza.request) continue;
        if (auto request = xmpp::read_stanza(stanza.bytes.view()))
            context_.router.bounce(*std::move(request), xmpp::StanzaError::service_unavailable());
    }
    if (ended->key == 0) return;
    if (Account* account = context_.accounts.find(jid_)) context_.router.offline().expect(*account);
    context_.tasks.add(
        "sm end", end_stream_row(context_, jid_, ended->key, std::exchange(ended->unsaved, {})));
}

reactor::Deferred<void> ClientSession::end_stream_row(ClientContext& context, xmpp::Jid owner,
                                                      storage::SmSessionKey key,
                                                      StreamManagement::Acknowledged gone) {
    const storage::OfflineQueueLimits limits = context.router.offline().limits();
    auto writing =
        context.database.write([owner = owner.bare(), key, gone = std::move(gone), limits,
                                keep = context.router.offline().keep_for()](
                                   Transaction& transaction) -> base::Result<std::int64_t> {
            TRY(forget(transaction, owner, key, gone));
            const std::int64_t moved =
                TRY(Deliveries(transaction, limits).move_to_offline(key, keep));
            TRY(SmSessions(transaction).remove(key));
            return moved;
        });
    const base::Result<std::int64_t> moved = co_await std::move(writing);
    if (!moved)
        context.world.log.error("sm.end_failed",
                                {{"jid", owner.text()}, {"why", moved.error().message()}});
    context.router.offline().arrived(owner.bare(), moved && *moved > 0);
    co_return {};
}

// --- over a restart of the server

std::optional<std::string> ClientSession::save() {
    release_held();
    const Resource* resource = own_resource();
    if (sm_ == nullptr || !sm_->enabled || sm_->token.empty() || resource == nullptr ||
        state_ != State::bound)
        return std::nullopt;
    return SavedSession{.management = sm_->save(),
                        .mechanism = mechanism_,
                        .lang = lang_,
                        .presence = resource->presence ? resource->presence->to_xml() : "",
                        .interested = resource->interested,
                        .blocklist_requested = resource->blocklist_requested,
                        .carbons = resource->carbons,
                        .directed = resource->directed}
        .encode();
}

// Closes the connection so that the client comes back to resume: without a word on the stream.
void ClientSession::suspend() {
    if (!detached_) {
        sm_->asked_at = sm_->asked_at ? sm_->asked_at : std::optional(sm_->settled());
        answer_request();
        stream_.flush_now();
    }
    suspended_ = true;
    state_ = State::finished;
    stream_.close();
    context_.keeper.settle_later(id_);
}

}  // namespace server
