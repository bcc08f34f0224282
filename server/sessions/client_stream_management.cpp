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
#include "xmpp/stream/stream_header.h"
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
/// How long answers to the client's questions, and answers to its requests, are waited for.
constexpr base::Duration kPatience = std::chrono::seconds(5);
/// How long what can wait for its acknowledgement does.
constexpr base::Duration kAskDelay = std::chrono::seconds(1);

struct EndedRow {
    std::int64_t moved = 0;                // Into the offline queue.
    std::vector<storage::HandOver> given;  // Not acknowledged.
    std::optional<std::uint32_t> taken;    // When it is kept.
};

std::uint32_t seconds_of(base::Duration time) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

}  // namespace

void ClientSession::on_management(const xmpp::Element& element) {
    const auto parsed = xmpp::parse_sm(element);
    if (!parsed) {
        send(xmpp::failed_xml(parsed.error().condition(), std::string(parsed.error().text())));
    } else if (const auto* enable = std::get_if<xmpp::SmEnable>(&*parsed)) {
        enable_management(*enable);
    } else if (std::holds_alternative<xmpp::SmResume>(*parsed)) {
        send(xmpp::failed_xml(StanzaCondition::unexpected_request, "a resource is bound already"));
    } else if (sm_ == nullptr) {
        send(xmpp::failed_xml(StanzaCondition::unexpected_request,
                              "enable stream management first"));
    } else if (std::holds_alternative<xmpp::SmRequest>(*parsed)) {
        sm_->ask_us();
        stream_.flush_later();
    } else if (const auto* ack = std::get_if<xmpp::SmAck>(&*parsed)) {
        on_acknowledged(ack->handled);
    } else {
        send(xmpp::failed_xml(StanzaCondition::bad_request, "this is the server's to say"));
    }
}

// --- enabling (XEP-0198 §3)

void ClientSession::enable_management(const xmpp::SmEnable& enable) {
    if (sm_ != nullptr) {
        send(xmpp::failed_xml(StanzaCondition::unexpected_request, "it is enabled already"));
        return fail(StreamError(StreamCondition::policy_violation,
                                "stream management can be enabled once"));
    }
    sm_ = std::make_unique<StreamManagement>();
    // What the client is sent from here on counts, behind <enabled/>.
    const std::uint64_t place = order().reserve(false);
    const std::uint32_t longest = seconds_of(context_.settings.resume_timeout);
    if (enable.resume) sm_->max_seconds = std::min(enable.max_seconds.value_or(longest), longest);
    const std::string token = context_.world.entropy.token(kTokenBytes);
    if (sm_->max_seconds > 0) sm_->token = token;
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
        // Its client has gone meanwhile.
        context.keeper.keep_lost({.token = {}, .key = *key, .owner = row.owner},
                                 base::Duration::zero());
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
        xmpp::SmEnabled enabled{.id = sm_->token, .resume = !sm_->token.empty()};
        if (enabled.resume) enabled.max_seconds = sm_->max_seconds;
        answer.text = base::SharedBytes(xmpp::to_xml(enabled));
    } else {
        context_.world.log.error("sm.enable_failed", {{"why", key.error().message()}});
        sm_.reset();
        answer.text = base::SharedBytes(xmpp::failed_xml(StanzaCondition::internal_server_error));
    }
    order().fill(place, std::move(answer));
    send_ordered();
    read_on();
}

Resource* ClientSession::own_resource() {
    return context_.accounts.resource_of(jid_, id_);
}

// --- acknowledging what the client sends (XEP-0198 §4)

void ClientSession::placed(std::uint32_t taken) {
    if (sm_ != nullptr && sm_->placing == taken) sm_->placing.reset();
    read_on();
}

void ClientSession::settled(std::uint32_t taken, bool stored) {
    stored_one();
    if (sm_ != nullptr && taken != 0) {
        if (stored) sm_->stored(taken);
        settle(taken);
    }
    read_on();
}

void ClientSession::settle(std::uint32_t number) {
    if (sm_ == nullptr) return;
    if (sm_->placing == number) sm_->placing.reset();
    sm_->settle(number);
    if (sm_->asked_us()) stream_.flush_later();
}

// Once a turn: one question and one answer, however many stanzas and questions there were.
void ClientSession::on_flush() {
    if (sm_ == nullptr || state_ != State::bound || detached_ || frozen_) return;
    if (sm_->should_ask()) {
        sm_->asked();
        send(xmpp::kSmRequestXml);
    } else {
        ask_later();
    }
    if (sm_->asked_us() && state_ == State::bound && !detached_) answer_questions();
}

// What can wait for its acknowledgement does, for more of its kind.
void ClientSession::ask_later() {
    if (!sm_->should_ask_later() || sm_->ask_at != base::MonotonicTime{}) return;
    sm_->ask_at = context_.world.reactor.now() + kAskDelay;
    arm_timer();
}

// An answer waits until everything up to its question is settled and the count of it is on disk.
void ClientSession::answer_questions() {
    if (const auto count = sm_->answer()) {
        acknowledge(*count);
        sm_->answered(*count);
    }
    if (!sm_->asked_us()) {
        if (!sm_->has_requests()) sm_->patience = {};
        return;
    }
    if (!StreamManagement::reaches(sm_->stored(), sm_->settled())) store_count(sm_->settled());
    lose_patience_later();
}

void ClientSession::acknowledge(std::uint32_t count) {
    send(xmpp::to_xml(xmpp::SmAck{count}));
}

void ClientSession::lose_patience_later() {
    if (sm_->patience != base::MonotonicTime{}) return;
    sm_->patience = context_.world.reactor.now() + kPatience;
    arm_timer();
}

// XEP-0198 §4 lets nothing but time withhold an answer, and a request that nobody answers must not
// keep its sender from being heard.
void ClientSession::lose_patience() {
    sm_->patience = {};
    sm_->settle_requests();
    if (sm_->asked_us() && state_ == State::bound && !detached_) {
        acknowledge(sm_->acknowledgeable());
        sm_->forget_questions();
    }
    read_on();
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
    session->sm_->count_failed = !written;
    if (!written) {
        // An acknowledgement that cannot be kept is not given; the client will ask again.
        context.world.log.error("sm.count_failed", {{"why", written.error().message()}});
        co_return {};
    }
    session->sm_->stored(count);
    if (session->sm_->asked_us()) session->stream_.flush_later();
    co_return {};
}

// --- what the client acknowledges

void ClientSession::on_acknowledged(std::uint32_t handled) {
    auto acknowledged = sm_->acknowledge(handled);
    if (!acknowledged) return fail(xmpp::handled_count_too_high(acknowledged.error()));
    take_acknowledged(*std::move(acknowledged));
    if (sm_->should_ask()) return stream_.flush_later();
    ask_later();
}

void ClientSession::take_acknowledged(StreamManagement::Acknowledged acknowledged) {
    if (has_room())
        for (reactor::Promise<void>& promise : std::exchange(sm_->waiting_for_room, {}))
            promise.try_resolve({});
    if (acknowledged.empty()) return;
    sm_->unsaved.add(std::move(acknowledged));
    if (!std::exchange(sm_->saves, true)) context_.acknowledged.push_back(id_);
    if (!context_.saving_acknowledged)
        context_.tasks.add("sm acknowledged", save_acknowledged(context_));
}

std::vector<ClientSession::Forgettable> ClientSession::take_unsaved(ClientContext& context) {
    std::vector<Forgettable> taken;
    for (const SessionId id : std::exchange(context.acknowledged, {})) {
        ClientSession* session = context.keeper.find_session(id);
        if (session == nullptr || session->sm_ == nullptr) continue;
        StreamManagement& sm = *session->sm_;
        sm.saves = false;
        if (sm.unsaved.empty()) continue;
        sm.being_saved = std::exchange(sm.unsaved, {});
        taken.push_back(
            {.session = id, .owner = session->jid_, .key = sm.key, .gone = sm.being_saved});
    }
    std::ranges::sort(taken, {}, &Forgettable::key);  // As their rows lie.
    return taken;
}

// One write at a time for all sessions of the shard: what comes meanwhile goes with the next.
reactor::Deferred<void> ClientSession::save_acknowledged(ClientContext& context) {
    context.saving_acknowledged = true;
    for (bool goes_on = true; goes_on;) {
        const std::vector<Forgettable> all = take_unsaved(context);
        if (all.empty()) break;
        auto writing =
            context.database.write([all](Transaction& transaction) -> base::Result<void> {
                for (const Forgettable& one : all)
                    TRY(forget(transaction, one.owner, one.key, one.gone));
                return {};
            });
        const base::Result<void> saved = co_await std::move(writing);
        goes_on = saved.has_value();
        if (!saved)
            context.world.log.error("sm.acknowledge_failed", {{"why", saved.error().message()}});
        for (const Forgettable& one : all) {
            ClientSession* session = context.keeper.find_session(one.session);
            if (session == nullptr || session->sm_ == nullptr) continue;
            StreamManagement::Acknowledged done = std::exchange(session->sm_->being_saved, {});
            // With the next, or when the session ends.
            if (!saved) session->sm_->unsaved.add(std::move(done));
        }
    }
    context.saving_acknowledged = false;
    co_return {};
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
    if (std::exchange(sm_->count_failed, false)) return false;
    store_count(sm_->taken());
    return true;
}

// Half of what may wait: more may be handed to the client then.
bool ClientSession::has_room() const {
    return sm_->unacknowledged() <= context_.settings.unacknowledged_max / 2 &&
           sm_->unacknowledged_bytes() <= context_.settings.unacknowledged_bytes_max / 2;
}

void ClientSession::remember(const OutboundOrder::Item& item) {
    const bool is_iq = item.stanza && item.stanza->is_iq();
    // An IQ set to the server is settled when it is answered; nothing is read before.
    if (is_iq && item.stanza->is_response() && sm_->has_requests() &&
        comes_from_server(*item.stanza) && sm_->settle_request(item.stanza->id())) {
        read_on();
        if (sm_->asked_us()) stream_.flush_later();
    }
    remember({.bytes = item.text,
              .id = item.id,
              .managed = item.managed,
              .shared = item.shared,
              .request = is_iq && item.stanza->is_request(),
              .returns = returns(item)});
}

void ClientSession::remember(Unacknowledged stanza) {
    sm_->push(std::move(stanza));
    if (frozen_) return;
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

// Nobody else can answer what was sent to it.
bool ClientSession::comes_from_server(const xmpp::Stanza& response) const {
    if (!response.from() || *response.from() == jid_.bare()) return true;
    return response.from()->is_domain() && context_.router.is_local(response.from()->domain());
}

// --- without a connection (XEP-0198 §5)

bool ClientSession::can_detach() const {
    return state_ == State::bound && !detached_ && sm_ != nullptr && sm_->enabled &&
           !sm_->token.empty();
}

void ClientSession::detach() {
    context_.world.log.debug("sm.detached", {{"jid", jid_.text()}});
    detached_ = true;
    stream_.abort();
    context_.metrics.detached.add();
    ping_sent_ = false;
    resume_at_ = {};
    sm_->ask_again();
    sm_->forget_questions();
    sm_->waiting_for_room.clear();  // Whoever waits hears that the connection is gone.
    unwritten_.reset();
    if (congested_) {
        context_.router.withdraw(*this);
        congested_ = false;
    }
    release_address();
    set_deadline(context_.world.reactor.now() + std::chrono::seconds(sm_->max_seconds));
    context_.database
        .write([key = sm_->key, at = context_.world.clock.wall()](Transaction& transaction) {
            return SmSessions(transaction).detach(key, at);
        })
        .detach("sm detach");
    // A client that resumes is active until it says otherwise (XEP-0352 §5).
    release_held();
    held_.reset();
}

// The time to come back is over, or too much waits.
void ClientSession::expire() {
    if (!detached_ || state_ != State::bound) return;
    // What is saved begins anew at the next start.
    if (frozen_) return set_deadline(context_.world.reactor.now() + context_.settings.ping_timeout);
    context_.world.log.debug("sm.expired", {{"jid", jid_.text()}});
    context_.metrics.sessions.subtract();
    state_ = State::finished;
    context_.keeper.settle_later(id_);
}

// --- resuming: this session goes on over the connection of another

void ClientSession::give_up_connection() {
    sm_->count_failed = false;
    if (detached_) return;
    stream_.send(StreamError(StreamCondition::conflict, "resumed by another connection").to_xml() +
                 std::string(xmpp::kStreamCloseXml));
    stream_.flush_now();
    // Not reset: what was sent is to arrive.
    stream_.close();
    if (!detached_) detach();
}

void ClientSession::resume(DetachedStream stream, const ClientSession& from) {
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
    sm_->hand_back();
    stream_.send(xmpp::to_xml(xmpp::SmResumed{.previd = sm_->token, .handled = sm_->taken()}));
    for (std::size_t i = 0; i < sm_->unacknowledged(); ++i)
        stream_.send(text_of((*sm_)[i], jid_));
    unwritten().add(stream_.queued_total());
    sm_->resent_until = stream_.queued_total();
    stream_.hold(XmlStream::Hold::storing);
    read_on();
    stream_.start();
    context_.world.log.debug("sm.resumed", {{"jid", jid_.text()}, {"peer", peer_text()}});
    context_.database
        .write([key = sm_->key](Transaction& transaction) {
            return SmSessions(transaction).attach(key);
        })
        .detach("sm attach");
    Account* account = context_.accounts.find(jid_);
    const Resource* resource = own_resource();
    if (resource != nullptr) context_.router.offline().go_on(*account, *resource);
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
        const Unacknowledged& unacknowledged = (*ended)[i];
        if (!unacknowledged.request && !unacknowledged.returns) continue;
        auto stanza = xmpp::read_stanza(text_of(unacknowledged, jid_));
        if (!stanza) continue;
        if (unacknowledged.request) {
            context_.router.bounce(*std::move(stanza), xmpp::StanzaError::service_unavailable());
        } else {
            context_.router.redeliver(jid_.bare(), *std::move(stanza));
        }
    }
    if (ended->key == 0) return;
    ended->unsaved.add(std::exchange(ended->being_saved, {}));
    if (Account* account = context_.accounts.find(jid_)) context_.router.offline().expect(*account);
    LostStream left{.token = std::move(ended->token),
                    .key = ended->key,
                    .owner = jid_,
                    .gone = std::exchange(ended->unsaved, {}),
                    .shared = storage::SharedDeliveries::left};
    if (!left.token.empty()) context_.resumable.begin_end(left.token);
    const auto taken =
        ended->all_settled() ? std::optional(ended->taken()) : std::optional<std::uint32_t>();
    context_.tasks.add("sm end", end_stream_row(context_, std::move(left), taken));
}

// The count stays for a while (XEP-0198 §5): a client that comes too late to resume learns what it
// need not send again. `taken`: nullopt when only the database will know.
reactor::Deferred<void> ClientSession::end_stream_row(ClientContext& context, LostStream ended,
                                                      std::optional<std::uint32_t> taken) {
    const std::string token = ended.token;
    const bool counts = !token.empty() && context.resumable.has_room();
    ended.forget_at = context.world.reactor.now() + (counts ? kCountKept : base::Duration::zero());
    auto writing = context.database.write(
        [ended, taken, limits = context.router.offline().limits(), counts,
         keep = context.router.offline().keep_for(),
         now = context.world.clock.wall()](Transaction& transaction) -> base::Result<EndedRow> {
            SmSessions streams(transaction);
            EndedRow row;
            TRY(forget(transaction, ended.owner, ended.key, ended.gone));
            row.given = TRY(Deliveries(transaction).given(ended.key, kGivenMax));
            row.moved =
                TRY(Deliveries(transaction, limits).move_to_offline(ended.key, keep, ended.shared));
            if (!counts) {
                TRY(streams.remove(ended.key));
                return row;
            }
            const auto stream = TRY(streams.find(ended.token));
            if (!stream) return row;  // It went with its account.
            if (taken) TRY(streams.set_taken(ended.key, *taken));
            TRY(streams.detach(ended.key, now));
            row.taken = taken.value_or(stream->taken);
            return row;
        });
    base::Result<EndedRow> row = co_await std::move(writing);
    if (!row)
        context.world.log.error("sm.end_failed",
                                {{"jid", ended.owner.text()}, {"why", row.error().message()}});
    const xmpp::Jid owner = ended.owner.bare();
    if (!row) {
        if (!taken) ended.token.clear();  // Nobody knows the count.
        ended.taken = taken.value_or(0);
        context.keeper.keep_lost(std::move(ended), kReleaseRetry);
    } else if (row->taken) {
        ended.taken = *row->taken;
        ended.given = std::move(row->given);
        ended.released = true;
        context.keeper.keep_lost(std::move(ended), kCountKept);
    }
    context.resumable.finish_end(token);
    context.router.offline().arrived(owner, row && row->moved > 0);
    co_return {};
}

// --- over a restart of the server

std::optional<ClientSession::Saved> ClientSession::save() {
    release_held();
    const Resource* resource = own_resource();
    if (sm_ == nullptr || !sm_->enabled || sm_->token.empty() || resource == nullptr ||
        state_ != State::bound || (order_ != nullptr && !order_->empty()))
        return std::nullopt;
    frozen_ = true;
    outdated_ = false;
    sm_->waiting_for_room.clear();
    return Saved{
        .key = sm_->key,
        .taken = sm_->settled(),
        .state = SavedSession{.management = sm_->save(),
                              .mechanism = mechanism_,
                              .lang = lang_,
                              .presence = resource->presence ? resource->presence->to_xml() : "",
                              .interested = resource->interested,
                              .blocklist_requested = resource->blocklist_requested,
                              .carbons = resource->carbons,
                              .directed = resource->directed}
                     .encode()};
}

void ClientSession::drop() {
    context_.metrics.sessions.subtract();
    context_.metrics.detached.subtract();
    context_.resumable.remove(sm_->token);
    state_ = State::finished;
    withdrawn_ = true;
}

// Closes the connection so that the client comes back to resume: without a word on the stream.
void ClientSession::suspend(std::optional<std::uint32_t> taken) {
    if (suspended_ || sm_ == nullptr) return;
    frozen_ = false;
    if (!detached_) {
        if (taken) sm_->stored(*taken);
        acknowledge(sm_->acknowledgeable());
        stream_.flush_now();
    }
    suspended_ = true;
    state_ = State::finished;
    stream_.close();
    context_.keeper.settle_later(id_);
}

}  // namespace server
