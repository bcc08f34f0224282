#include "server/modules/muc/rooms.h"

#include "reactor/reactor.h"
#include "server/modules/muc/room_info.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "storage/tables/vcards.h"
#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Jid;
using xmpp::PresenceType;
using xmpp::Stanza;
using xmpp::StanzaError;

/// The shortest useful wait: for what the network and the other shards bring meanwhile.
constexpr base::Duration kRestTick = std::chrono::milliseconds(1);

/// How often a client without a connection is looked after that has not entered yet.
constexpr base::Duration kEntryRetry = std::chrono::seconds(1);

// What waits while messages are being stored, and what need not: only more of them.
bool is_groupchat(const Stanza& stanza) {
    return stanza.is_message() && stanza.message_type() == xmpp::MessageType::groupchat &&
           stanza.to()->is_bare() && stanza.child("subject", xmpp::ns::client) == nullptr;
}

bool wants_in(const Stanza& stanza) {
    return stanza.is_presence() && stanza.presence_type() == PresenceType::available &&
           stanza.to()->is_full() && stanza.child("x", xmpp::ns::muc) != nullptr;
}

// Somebody who enters is to be shown what was said.
bool wants_history(const Stanza& stanza) {
    return wants_in(stanza) &&
           xmpp::MucJoin::parse(*stanza.child("x", xmpp::ns::muc)).history.stanzas != 0;
}

}  // namespace

Rooms::Rooms(Parts parts, RoomsSettings settings)
    : parts_(parts),
      messages_(parts.metrics.counter("module_rooms_messages_total",
                                      "Messages that rooms sent to their occupants.")),
      refused_(
          parts.metrics.counter("module_rooms_refused_total", "Stanzas that no room could take.")),
      loaded_(parts.metrics.gauge("module_rooms_loaded", "Rooms in memory.")),
      queries_({parts.world, parts.router, parts.database, parts.archive_ids, parts.metrics}),
      commands_(parts.world),
      sweeper_(parts.world.reactor,
               [this] {
                   sweep();
                   return reactor::ready();
               }),
      expirer_(parts.world.reactor,
               [this] {
                   expire();
                   return reactor::ready();
               }),
      rest_([this] { end_rests(); }),
      tasks_(parts.world.reactor) {
    set(std::move(settings));
    tasks_.add("room expiry",
               expirer_.start(kExpiryInterval, reactor::LoopingCall::First::after_interval));
    tasks_.add("room sweeper",
               sweeper_.start(kIdleTimeout, reactor::LoopingCall::First::after_interval));
}

Rooms::~Rooms() = default;

void Rooms::set(RoomsSettings settings) {
    settings_ = std::move(settings);
    service_.shows_avatars = settings_.shows_avatars;
    commands_.set_operators(settings_.operators);
    queries_.set({.page_max = settings_.page_max, .page_bytes_max = settings_.page_bytes_max});
}

base::WallTime Rooms::now() const {
    return parts_.world.clock.wall();
}

Room::Parts Rooms::parts_of(const Jid& room) {
    return {.jid = room,
            .ids = parts_.occupant_ids,
            .limits = settings_.limits,
            .service = service_,
            .texts = texts_};
}

Rooms::Lane* Rooms::find(const Jid& room) {
    const auto found = lanes_.find(room.bare_view());
    return found == lanes_.end() ? nullptr : found->second.get();
}

void Rooms::send(Lane& lane, Effects effects) {
    for (Delivery& delivery : effects) {
        if (delivery.to.size() == 1) {
            delivery.stanza.set_to(delivery.to.front());
            parts_.router.route(std::move(delivery.stanza));
        } else {
            parts_.router.route_to_all(std::move(delivery.stanza), audience_of(lane, delivery));
        }
    }
}

std::shared_ptr<const Audience> Rooms::audience_of(Lane& lane, Delivery& delivery) const {
    const reactor::ShardId shards = parts_.world.shards.count();
    if (delivery.to_all == nullptr)
        return std::make_shared<const Audience>(
            std::make_shared<const std::vector<Jid>>(std::move(delivery.to)), shards);
    if (lane.audience == nullptr || lane.audience->list() != delivery.to_all)
        lane.audience = std::make_shared<const Audience>(delivery.to_all, shards);
    return lane.audience;
}

// The first of the clients that get it answers for its storing.
void Rooms::pass_on(Delivery delivery, const std::optional<Origin>& origin) {
    std::optional<Origin> told = origin;
    for (const Jid& to : delivery.to) {
        Stanza copy = delivery.stanza;
        copy.set_to(to);
        parts_.router.route(std::move(copy), std::exchange(told, std::nullopt));
    }
}

void Rooms::refuse(const Stanza& stanza, const StanzaError& error) {
    refused_.add();
    parts_.router.bounce(stanza, error);
}

void Rooms::settle(const std::optional<Origin>& origin) {
    if (origin) parts_.router.report(*origin, {.kind = OriginReport::Kind::settled});
}

// --- what comes

void Rooms::receive(Stanza stanza, const std::optional<Origin>& origin) {
    if (!stanza.to()->has_local()) {
        settle(origin);
        return receive_for_service(std::move(stanza));
    }
    const bool is_new = find(*stanza.to()) == nullptr;
    const std::size_t bytes = memory_of(stanza);
    if ((is_new && lanes_.size() >= settings_.rooms_max) ||
        !waiting_.take(stanza.to()->bare_view(), bytes)) {
        settle(origin);
        return refuse(stanza, StanzaError::resource_constraint());
    }
    Lane& lane = open(*stanza.to());
    lane.waiting.push_back({.stanza = std::move(stanza), .origin = origin, .bytes = bytes});
    if (is_new) return load(lane);
    drain(lane);
}

Rooms::Lane& Rooms::open(const Jid& room) {
    if (Lane* known = find(room)) return *known;
    Lane& lane = *lanes_.emplace(room.bare_view(), std::make_unique<Lane>(Lane{.jid = room.bare()}))
                      .first->second;
    loaded_.set(static_cast<std::int64_t>(lanes_.size()));
    return lane;
}

// A failure may come at once, and end the lane.
void Rooms::load(Lane& lane) {
    lane.held = true;
    const bool with_history = !lane.waiting.empty() && wants_history(lane.waiting.front().stanza);
    tasks_.add("room load", run_load(lane.jid, with_history));
}

reactor::Deferred<void> Rooms::run_load(Jid room, bool with_history) {
    struct Loaded {
        std::optional<storage::RoomState> state;
        std::vector<storage::ArchivedMessage> history;
        std::optional<std::string> avatar_hashes;
    };
    auto reading =
        parts_.database.read([room, with_history, most = settings_.limits.history_max](
                                 storage::Transaction& transaction) -> base::Result<Loaded> {
            Loaded loaded;
            loaded.state = TRY(storage::Rooms(transaction).load(room));
            if (!loaded.state) return loaded;
            loaded.avatar_hashes = TRY(storage::Vcards(transaction).photo_sha1(room));
            if (with_history) loaded.history = TRY(history_of(transaction, room, 0, most));
            return loaded;
        });
    base::Result<Loaded> loaded = co_await std::move(reading);
    Lane* lane = find(room);
    if (lane == nullptr) co_return {};
    lane->held = false;
    if (!loaded) {
        parts_.world.log.error("room.load_failed",
                               {{"room", room.text()}, {"why", loaded.error().message()}});
        for (std::size_t left = lane->waiting.size(); left > 0; --left) {
            Waiting one = take_first(*lane);
            refuse_waiting(one, refusal_of(loaded.error()));
        }
    } else if (loaded->state) {
        restore_room(*lane, *std::move(loaded->state), loaded->avatar_hashes.value_or(""));
        lane->history_away = !with_history;
        bring_history(*lane, loaded->history);
    }
    drain(*lane);
    co_return {};
}

// Only what comes while nothing is under way is handled at once; see the head of rooms.h.
bool Rooms::may_go_on(const Lane& lane) const {
    if (lane.held || lane.waiting.empty()) return false;
    if (lane.storing.empty()) return true;
    return lane.storing.size() < kStoringMax && is_groupchat(lane.waiting.front().stanza);
}

// A full mailbox to another shard, and many who enter: both let others go first.
bool Rooms::takes_turns(Lane& lane) {
    if (parts_.router.congested()) {
        rest(lane);
        return true;
    }
    if (!lane.room || !wants_in(lane.waiting.front().stanza)) return false;
    const base::MonotonicTime time = parts_.world.reactor.now();
    if (std::exchange(entries_since_, time) != time) entry_presence_ = 0;
    if (entry_presence_ >= kEntryPresenceMax) {
        rest(lane);
        return true;
    }
    entry_presence_ += 2 * lane.room->sessions();
    return false;
}

void Rooms::rest(Lane& lane) {
    if (!std::exchange(lane.resting, true)) resting_.push_back(lane.jid);
    if (!rest_.armed()) parts_.world.reactor.arm(rest_, kRestTick);
}

void Rooms::end_rests() {
    entry_presence_ = 0;
    for (const Jid& room : std::exchange(resting_, {})) {
        Lane* lane = find(room);
        if (lane == nullptr) continue;
        lane->resting = false;
        release(*lane);
        drain(*lane);
    }
}

// What cannot be refused any more.
void Rooms::put_first(Lane& lane, Waiting one) {
    waiting_.add(lane.jid.text(), one.bytes);
    lane.waiting.push_front(std::move(one));
}

Rooms::Waiting Rooms::take_first(Lane& lane) {
    Waiting first = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    waiting_.give_back(lane.jid.text(), first.bytes);
    return first;
}

// Sending may bring something back at once: that is queued by the call below this one.
void Rooms::drain(Lane& lane) {
    if (std::exchange(lane.draining, true)) return;
    lane.used_at = parts_.world.reactor.now();
    while (may_go_on(lane) && !takes_turns(lane)) {
        handle(lane, take_first(lane));
    }
    lane.draining = false;
    const bool unused = !lane.held && !lane.room && lane.waiting.empty() && lane.storing.empty();
    if (!unused) return;
    lanes_.erase(lane.jid.text());
    loaded_.set(static_cast<std::int64_t>(lanes_.size()));
}

void Rooms::handle(Lane& lane, Waiting next) {
    if (next.ordered) return handle_order(lane, *std::move(next.ordered));
    if (!lane.room && wants_in(next.stanza) && !may_make(lane, next)) return;
    if (!lane.room) return handle_without_room(lane, std::move(next));
    if (lane.history_away && wants_history(next.stanza))
        return fetch_history(lane, std::move(next));
    if (!is_slow_enough(lane, next)) {
        settle(next.origin);
        return refuse(next.stanza, StanzaError::policy_violation("That is too fast for this room.")
                                       .with_type(xmpp::ErrorType::wait)
                                       .with_by(lane.jid));
    }
    if (next.stanza.is_message()) return handle_message(lane, std::move(next));
    settle(next.origin);
    if (next.stanza.is_iq()) return handle_iq(lane, std::move(next));
    if (wants_in(next.stanza)) lane.history_at = parts_.world.reactor.now();
    Effects effects;
    lane.room->on_presence(next.stanza, now(), effects);
    // Whoever is shown all others is shown to them as well, and when they leave.
    if (wants_in(next.stanza) && !effects.empty())
        spend(*next.stanza.from(), std::max(2 * lane.room->sessions(), cost_of(effects)));
    send(lane, std::move(effects));
    lead_in(lane);
    close_if_over(lane);
}

// Whoever enters a large room is shown no more than it takes.
void Rooms::lead_in(Lane& lane) {
    for (Jid& client : lane.room->take_new_entries())
        tasks_.add("room entry", run_entry(lane.jid, std::move(client)));
}

reactor::Deferred<void> Rooms::run_entry(Jid room, Jid client) {
    for (;;) {
        Lane* lane = find(room);
        if (lane == nullptr || !lane->room) co_return {};
        Effects effects;
        const bool more = lane->room->continue_entry(client, now(), effects);
        send(*lane, std::move(effects));
        if (!more) co_return {};
        auto waiting = wait_for(client);
        const base::Result<void> waited = co_await std::move(waiting);
        if (!waited) co_return {};
    }
}

// Until the client has taken what it was sent. Without a connection it may come back for the rest;
// when it does not, the room is told that it has left.
reactor::Deferred<void> Rooms::wait_for(Jid client) {
    for (;;) {
        auto asking = parts_.router.flushed(client);
        const base::Result<void> flushed = co_await std::move(asking).as_result();
        if (flushed || flushed.error().is(base::Errc::not_found)) co_return flushed;
        auto pausing = reactor::sleep(parts_.world.reactor, kEntryRetry);
        co_await std::move(pausing);
    }
}

void Rooms::handle_without_room(Lane& lane, Waiting next) {
    settle(next.origin);
    const Stanza& stanza = next.stanza;
    if (!stanza.is_presence()) {
        if (stanza.is_response() || stanza.is_error()) return;
        // XEP-0410 §3.3: nobody is in it.
        const bool is_ping = stanza.is_iq() && stanza.to()->is_full();
        return refuse(stanza, is_ping ? StanzaError::not_acceptable()
                                      : StanzaError::item_not_found("there is no such room"));
    }
    // As a room does: what has no nick, and who believes to be in it.
    Effects effects;
    Room nobody(parts_of(lane.jid), {});
    nobody.on_presence(stanza, now(), effects);
    send(lane, std::move(effects));
}

void Rooms::handle_message(Lane& lane, Waiting next) {
    const bool hidden = lane.room->locked() &&
                        lane.room->affiliations().of(*next.stanza.from()) != MucAffiliation::owner;
    if (hidden) {
        settle(next.origin);
        if (next.stanza.is_error()) return;
        return refuse(next.stanza, StanzaError::item_not_found("there is no such room"));
    }
    Effects effects;
    Outcome outcome = lane.room->on_message(next.stanza, now(), effects);
    if (effects.size() == 1 && effects.front().passes_on)
        return pass_on(std::move(effects.front()), next.origin);
    send(lane, std::move(effects));
    if (auto* said = std::get_if<Reflection>(&outcome)) {
        begin_storing(lane, std::move(*said), std::move(next));
    } else if (auto* change = std::get_if<RoomChange>(&outcome)) {
        begin_change(lane, std::move(*change), {.origin = next.origin});
    } else {
        settle(next.origin);
        close_if_over(lane);
    }
}

void Rooms::handle_iq(Lane& lane, Waiting next) {
    const Stanza& iq = next.stanza;
    Room& room = *lane.room;
    const bool hidden =
        room.locked() && room.affiliations().of(*iq.from()) != MucAffiliation::owner;
    if (hidden && iq.is_request() && iq.to()->is_bare())
        return refuse(iq, StanzaError::item_not_found("there is no such room"));
    if (iq.is_request() && iq.to()->is_bare()) {
        if (RoomQueries::concerns(iq)) {
            spend(*iq.from(), Expenses::kSearch);
            return queries_.answer(room, std::move(next.stanza));
        }
        if (auto answer = answer_about(room, iq)) {
            if (*answer) return parts_.router.route(iq.reply_result(**std::move(answer)));
            return refuse(iq, (*answer).error());
        }
    }
    Effects effects;
    Outcome outcome;
    const bool taken = room.on_iq(iq, effects, outcome);
    if (iq.is_request() && iq.to()->is_bare()) spend(*iq.from(), cost_of(effects));
    send(lane, std::move(effects));
    if (!taken) return refuse(iq, StanzaError::service_unavailable());
    if (auto* change = std::get_if<RoomChange>(&outcome))
        begin_change(lane, std::move(*change), {.origin = next.origin});
}

// --- the end of a room

void Rooms::close_if_over(Lane& lane) {
    if (!lane.room || lane.held || !lane.room->is_over()) return;
    const bool removes = lane.stored && !lane.room->destroyed();
    lane.room.reset();
    if (!removes) return;
    lane.held = true;
    tasks_.add("room removal", run_remove(lane.jid));
}

reactor::Deferred<void> Rooms::run_remove(Jid room) {
    auto writing = parts_.database.write([room](storage::Transaction& transaction) {
        return storage::Rooms(transaction).remove(room);
    });
    const base::Result<bool> removed = co_await std::move(writing);
    if (!removed)
        parts_.world.log.error("room.remove_failed",
                               {{"room", room.text()}, {"why", removed.error().message()}});
    if (Lane* lane = find(room)) {
        lane->held = false;
        lane->stored = false;
        drain(*lane);
    }
    co_return {};
}

void Rooms::sweep() {
    const base::MonotonicTime time = parts_.world.reactor.now();
    std::erase_if(lanes_, [&](const auto& entry) {
        const Lane& lane = *entry.second;
        return !lane.held && !lane.draining && !lane.resting && lane.waiting.empty() &&
               lane.storing.empty() && lane.stored && lane.room && lane.room->occupants().empty() &&
               time - lane.used_at >= kIdleTimeout;
    });
    loaded_.set(static_cast<std::int64_t>(lanes_.size()));
    for (const auto& [name, lane] : lanes_) {
        if (lane->room && time - lane->used_at >= kIdleTimeout) {
            lane->room->forget_listeners();
            lane->audience.reset();
        }
        if (!may_forget_history(*lane) || time - lane->history_at < kIdleTimeout) continue;
        lane->room->history().clear();
        lane->history_away = true;
        lane->history_from = 0;
    }
}

}  // namespace server::modules::muc
