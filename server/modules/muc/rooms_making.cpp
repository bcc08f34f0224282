// Rooms: how a room comes to be (XEP-0045 §10.1) and what limits that, what is ordered of rooms
// from outside, and what they take from whom at what pace.
#include "server/modules/muc/rooms.h"

#include "reactor/reactor.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "xmpp/core/namespaces.h"

#include <iterator>
#include <utility>

namespace server::modules::muc {

using xmpp::Jid;
using xmpp::Stanza;
using xmpp::StanzaError;

namespace {

// Of what the stanza contains; as it came, mostly.
std::size_t bytes_of(const Stanza& stanza) {
    const std::size_t bytes = stanza.raw_inner().view().size();
    return bytes != 0 ? bytes : stanza.to_xml().size();
}

}  // namespace

// --- pace

// Whoever leaves or reports an error is not held up; who enters or asks something of the room, only
// after having caused a lot by that.
bool Rooms::is_slow_enough(Lane& lane, const Waiting& next) {
    const Stanza& stanza = next.stanza;
    const bool asks = stanza.is_request()
                          ? stanza.to()->is_bare()
                          : stanza.is_presence() &&
                                stanza.presence_type() == xmpp::PresenceType::available &&
                                stanza.child("x", xmpp::ns::muc) != nullptr;
    if (asks) return expenses_.may_ask(*stanza.from(), parts_.world.reactor.now());
    const bool counts = stanza.is_message() ? !stanza.is_error()
                        : stanza.is_presence()
                            ? stanza.presence_type() == xmpp::PresenceType::probe ||
                                  (stanza.presence_type() == xmpp::PresenceType::available &&
                                   stanza.child("x", xmpp::ns::muc) == nullptr)
                            : stanza.is_request() && stanza.to()->is_full();
    const bool to_all = stanza.is_message()
                            ? stanza.to()->is_bare()
                            : stanza.is_presence() &&
                                  stanza.presence_type() == xmpp::PresenceType::available;
    return !counts || lane.room->within_pace(*stanza.from(), bytes_of(stanza), to_all,
                                             parts_.world.reactor.now());
}

void Rooms::spend(const Jid& user, std::size_t cost) {
    expenses_.add(user, cost, parts_.world.reactor.now());
}

// Stanzas, and what is in answers.
std::size_t Rooms::cost_of(const Effects& effects) {
    std::size_t cost = 0;
    for (const Delivery& delivery : effects) {
        cost += delivery.count();
        if (delivery.stanza.is_iq() && delivery.stanza.payload() != nullptr)
            cost += delivery.stanza.payload()->child_count();
    }
    return cost;
}

// --- making

// §10.1.1: whoever enters a room that does not exist makes it. It is theirs, and they have only so
// many.
bool Rooms::may_make(Lane& lane, Waiting& next) {
    const Jid user = next.stanza.from()->bare();
    const auto refuse_it = [&](const StanzaError& error) {
        refuse_waiting(next, error);
        return false;
    };
    if (!settings_.open_to_all) return refuse_it(StanzaError::not_allowed());
    if (unconfigured_count_ >= kUnconfiguredMax &&
        parts_.world.reactor.now() - expired_at_ >= kExpiryIntervalMin)
        expire();
    if (unconfigured_count_ >= kUnconfiguredMax)
        return refuse_it(StanzaError::resource_constraint());
    if (lane.welcome == user) {
        lane.welcome.reset();
        make_room(lane, *next.stanza.from());
        return true;
    }
    lane.held = true;
    put_first(lane, std::move(next));
    tasks_.add("room making", run_welcome(lane.jid, user));
    return false;
}

reactor::Deferred<void> Rooms::run_welcome(Jid room, Jid user) {
    auto counting = parts_.database.read([user](storage::Transaction& transaction) {
        return storage::Rooms(transaction).owned_by(user);
    });
    const base::Result<std::int64_t> owned = co_await std::move(counting);
    Lane* lane = find(room);
    if (lane == nullptr) co_return {};
    lane->held = false;
    const std::int64_t all = owned.value_or(0) + static_cast<std::int64_t>(unconfigured_of(user));
    if (owned && all < settings_.owned_max) {
        lane->welcome = user;
    } else if (!lane->waiting.empty()) {
        Waiting first = take_first(*lane);
        refuse_waiting(first, owned ? StanzaError::not_allowed("You have enough rooms.")
                                    : refusal_of(owned.error()));
    }
    drain(*lane);
    co_return {};
}

bool Rooms::is_unconfigured(const Unconfigured& one) {
    const Lane* lane = find(one.room);
    return lane != nullptr && lane->room && lane->room->locked();
}

std::size_t Rooms::unconfigured_of(const Jid& user) {
    const auto made = unconfigured_.find(user.text());
    if (made == unconfigured_.end()) return 0;
    unconfigured_count_ -=
        std::erase_if(made->second, [&](const Unconfigured& one) { return !is_unconfigured(one); });
    return made->second.size();
}

void Rooms::make_room(Lane& lane, const Jid& owner) {
    lane.room.emplace(Room::make_new(parts_of(lane.jid), settings_.defaults, owner));
    lane.created_at = now();
    lane.stored = false;
    unconfigured_[owner.bare().text()].push_back(
        {.room = lane.jid, .since = parts_.world.reactor.now()});
    ++unconfigured_count_;
}

// §10.1.1: who does not configure a room in time is taken to have cancelled it.
void Rooms::expire() {
    const base::MonotonicTime time = expired_at_ = parts_.world.reactor.now();
    expenses_.forget_rested(time);
    std::vector<Jid> late;
    unconfigured_count_ = 0;
    for (auto made = unconfigured_.begin(); made != unconfigured_.end();) {
        std::erase_if(made->second, [&](const Unconfigured& one) {
            if (!is_unconfigured(one)) return true;
            if (time - one.since < settings_.unconfigured_timeout) return false;
            late.push_back(one.room);
            return true;
        });
        unconfigured_count_ += made->second.size();
        made = made->second.empty() ? unconfigured_.erase(made) : std::next(made);
    }
    for (const Jid& room : late)
        order(room, {.judge = [](const Room& one) { return one.judge_expiry(); }})
            .detach("a room that is gone needs no end");
}

// --- orders

reactor::Deferred<OrderResult> Rooms::order(Jid room, RoomOrder order) {
    OrderPromise done;
    reactor::Deferred<OrderResult> result = done.deferred();
    const Lane* known = find(room);
    const bool full = known == nullptr ? lanes_.size() >= settings_.rooms_max
                                       : known->waiting.size() >= kWaiting.each_count_max;
    if (full) return OrderResult(StanzaError::resource_constraint());
    // In the line of the room it stands as something the room sends itself.
    Stanza stanza = Stanza::presence(xmpp::PresenceType::unavailable);
    stanza.set_from(room);
    stanza.set_to(room);
    Lane& lane = open(room);
    const std::size_t bytes = memory_of(stanza);
    waiting_.add(lane.jid.text(), bytes);
    lane.waiting.push_back({.stanza = std::move(stanza),
                            .origin = {},
                            .ordered = Ordered{std::move(order), std::move(done)},
                            .bytes = bytes});
    if (known == nullptr) {
        load(lane);
    } else {
        drain(lane);
    }
    return result;
}

void Rooms::handle_order(Lane& lane, Ordered ordered) {
    const auto refuse_it = [&](StanzaError error) {
        ordered.done.resolve(OrderResult(std::move(error)));
        close_if_over(lane);
    };
    if (ordered.order.owner) {
        if (lane.room) return refuse_it(StanzaError::conflict("there is such a room"));
        make_room(lane, *ordered.order.owner);
    }
    if (!lane.room) return refuse_it(StanzaError::item_not_found("there is no such room"));
    auto change = ordered.order.judge(*lane.room);
    if (!change) return refuse_it(change.error());
    begin_change(lane, *std::move(change), {.ordered = std::move(ordered.done)});
}

reactor::Deferred<void> Rooms::let_go(Jid room, Jid account) {
    auto ordering =
        order(room, {.judge = [account](const Room& one) { return one.judge_departure(account); }});
    const base::Result<OrderResult> result = co_await std::move(ordering);
    if (!result) co_return result.error();
    // A room that is gone has let go.
    if (*result && (*result)->condition() != xmpp::StanzaCondition::item_not_found)
        co_return base::fail(base::Errc::internal, std::string(name_of((*result)->condition())));
    const Room* kept = loaded(room);
    if (kept != nullptr && kept->affiliations().owners() == 0)
        parts_.world.log.warn("room.without_owner", {{"room", room.text()}});
    co_return {};
}

const Room* Rooms::loaded(const Jid& room) {
    const Lane* lane = find(room);
    return lane == nullptr || !lane->room || lane->room->locked() ? nullptr : &*lane->room;
}

void Rooms::refuse_waiting(Waiting& one, const StanzaError& error) {
    settle(one.origin);
    if (one.ordered) {
        one.ordered->done.resolve(OrderResult(error));
    } else {
        refuse(one.stanza, error);
    }
}

}  // namespace server::modules::muc
