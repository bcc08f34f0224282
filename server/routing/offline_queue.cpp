#include "server/routing/offline_queue.h"

#include "reactor/reactor.h"
#include "reactor/shards.h"
#include "server/config/core_keys.h"
#include "storage/database.h"
#include "xmpp/payloads/delay.h"
#include "xmpp/payloads/stanza_id.h"
#include "xmpp/xml/read_stanza.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace server {
namespace {

using storage::Deliveries;
using storage::MessageId;
using storage::Transaction;

/// Messages read at once: small enough that others get their turns.
constexpr std::uint32_t kBatchMessages = 50;
/// Bytes handed over before they must be written, or half of what may wait for a client: more at
/// once would make every client a slow reader, whose session ends.
constexpr std::size_t kPartBytes = 32'768;
constexpr base::Duration kExpiryInterval = std::chrono::hours(1);
/// What storage refused is tried again after so long, longer from time to time.
constexpr base::Duration kRetryDelayMin = std::chrono::seconds(1);
constexpr base::Duration kRetryDelayMax = std::chrono::seconds(30);
constexpr std::uint32_t kExpiryBatch = 500;

}  // namespace

OfflineQueue::OfflineQueue(Parts parts, const Config& config)
    : parts_(parts),
      states_(parts.accounts),
      expiry_(parts.world.reactor, [this] { return expire(); }),
      handed_over_(parts.metrics.counter("offline_handed_over_total",
                                         "Offline messages handed to their recipients.")),
      tasks_(parts.world.reactor) {
    reload(config);
    if (parts.world.shards.current() == 0)
        tasks_.add("offline expiry", expiry_.start(kExpiryInterval));
}

void OfflineQueue::reload(const Config& config) {
    limits_.messages_max = config.get(keys::kOfflineMessagesMax);
    expiry_after_ = config.get(keys::kOfflineExpiry);
    part_bytes_ = std::min<std::size_t>(kPartBytes, config.get(keys::kOutboundQueueMax) / 2);
}

OfflineQueue::State* OfflineQueue::state_of(const xmpp::Jid& account) {
    Account* loaded = parts_.accounts.find(account);
    return loaded == nullptr ? nullptr : &states_.of(*loaded);
}

// --- messages on their way

bool OfflineQueue::State::is_new() const {
    return !handing_over && !again && !has_arrived && !left_over && !failed &&
           retry_delay == base::Duration::zero() && writes_open == 0 && passing == 0 &&
           no_room.empty() && given.empty() && seen.empty() && in_flight.empty() &&
           only_for.empty() && gone.empty() && waiting.empty();
}

bool OfflineQueue::waits(Account& account, const Resource& resource) {
    const State* known = states_.find(account);
    if (known == nullptr) return false;
    const State& state = *known;
    if (state.handing_over) return resource.session_id == state.session;
    // Whoever comes back first is handed all of it.
    if (state.left_over && !state.failed) return resource.takes_messages();
    if (state.writes_open == 0 && !state.failed) return false;
    // Whoever will be handed the queue when the writes are done, or reading is tried again.
    for (const auto& other : account.resources())
        if (other->takes_messages()) return other.get() == &resource;
    return false;
}

void OfflineQueue::expect(Account& account) {
    ++states_.of(account).writes_open;
}

void OfflineQueue::arrived(const xmpp::Jid& account, bool stored) {
    State* state = state_of(account);
    if (state == nullptr) return;  // The account was forgotten, and its counts with it.
    if (state->writes_open > 0) --state->writes_open;
    state->has_arrived |= stored;
    if (state->writes_open > 0 || !std::exchange(state->has_arrived, false)) return;
    // The recipient may have come meanwhile and found the queue still without these messages.
    start_any(*parts_.accounts.find(account));
}

void OfflineQueue::expect_passing(Account& account) {
    ++states_.of(account).passing;
}

void OfflineQueue::passed(const xmpp::Jid& account) {
    State* state = state_of(account);
    if (state == nullptr) return;
    if (state->passing > 0) --state->passing;
    if (state->passing > 0) return;
    std::vector<reactor::Promise<void>> waiting = std::exchange(state->waiting, {});
    if (state->handing_over && !std::exchange(state->begun, true)) begin(account, state->session);
    for (reactor::Promise<void>& promise : waiting)
        promise.try_resolve({});
}

reactor::Deferred<void> OfflineQueue::nothing_passing(xmpp::Jid account) {
    for (;;) {
        State* state = state_of(account);
        if (state == nullptr || state->passing == 0) co_return {};
        reactor::Deferred<void> passed = state->waiting.emplace_back().deferred();
        static_cast<void>(co_await std::move(passed));
    }
}

void OfflineQueue::taken_out(const xmpp::Jid& account, std::span<const MessageId> ids) {
    State* state = state_of(account);
    if (state != nullptr && state->handing_over) state->gone.insert(ids.begin(), ids.end());
}

void OfflineQueue::only_for(const xmpp::Jid& account, SessionId session, MessageId id,
                            bool is_kept) {
    if (State* state = state_of(account)) state->only_for[id] = {session, is_kept};
}

void OfflineQueue::seen(const xmpp::Jid& account, SessionId session, MessageId id) {
    State* state = state_of(account);
    if (state == nullptr) return;
    if (!state->seen.contains(session))
        std::erase_if(state->seen, [&](const auto& entry) {
            return parts_.accounts.resource_of(account, entry.first) == nullptr;
        });
    Seen& seen = state->seen[session];
    if (seen.ids.size() < kSeenMax) {
        seen.ids.push_back(id);
    } else {
        seen.ids[seen.oldest] = id;
        seen.oldest = (seen.oldest + 1) % kSeenMax;
    }
}

bool OfflineQueue::has_seen(const xmpp::Jid& account, SessionId session, MessageId id) {
    State* state = state_of(account);
    if (state == nullptr) return false;
    const auto found = state->seen.find(session);
    return found != state->seen.end() &&
           std::ranges::find(found->second.ids, id) != found->second.ids.end();
}

void OfflineQueue::given(const xmpp::Jid& account, SessionId session, MessageId id) {
    State* state = state_of(account);
    if (state == nullptr) return;
    state->in_flight.insert(id);
    seen(account, session, id);
    for (Given& given : state->given) {
        if (given.session != session) continue;
        given.ids.push_back(id);
        return;
    }
    state->given.push_back({session, {id}});
    tasks_.add("offline given", watch(account, session));
}

void OfflineQueue::land(State& state, std::span<const MessageId> ids) {
    for (const MessageId id : ids)
        if (const auto found = state.in_flight.find(id); found != state.in_flight.end())
            state.in_flight.erase(found);
}

// Round after round: what was given before the bytes went out is what the bytes contain.
reactor::Deferred<void> OfflineQueue::watch(xmpp::Jid account, SessionId session) {
    for (bool written = true;;) {
        State* state = state_of(account);
        if (state == nullptr) co_return {};
        const auto given = std::ranges::find(state->given, session, &Given::session);
        if (given == state->given.end()) co_return {};  // The account was forgotten meanwhile.
        if (given->ids.empty() || !written) {
            const bool lost = !given->ids.empty();
            land(*state, given->ids);
            state->given.erase(given);
            if (lost) start_any(*parts_.accounts.find(account));
            co_return {};
        }
        std::vector<MessageId> ids = std::exchange(given->ids, {});
        const Resource* taker = parts_.accounts.resource_of(account, session);
        written = taker != nullptr;
        if (written) {
            const base::Result<void> flushed = co_await taker->session->flushed();
            written = flushed.has_value();
        }
        if (written) note_written(account, ids);
        state = state_of(account);
        if (state == nullptr) co_return {};
        land(*state, ids);
        if (!written) start_any(*parts_.accounts.find(account));
    }
}

bool OfflineQueue::is_written(const xmpp::Jid& account, MessageId id) const {
    const auto found = written_.find(std::string(account.bare_view()));
    if (found == written_.end()) return false;
    const auto& [waiting, leaving] = found->second;
    return std::ranges::find(waiting, id) != waiting.end() ||
           std::ranges::find(leaving, id) != leaving.end();
}

// Apart from watching: a session that ends while this waits for the disk has
// written what it was given all the same.
void OfflineQueue::note_written(const xmpp::Jid& account, std::span<const MessageId> ids) {
    const auto [found, is_new] = written_.try_emplace(std::string(account.bare_view()));
    found->second.waiting.insert(found->second.waiting.end(), ids.begin(), ids.end());
    if (is_new) tasks_.add("offline written", remove_written(account.bare()));
}

reactor::Deferred<void> OfflineQueue::remove_written(xmpp::Jid account) {
    const std::string name(account.bare_view());
    base::Duration delay = kRetryDelayMin;
    for (;;) {
        Written& written = written_.at(name);
        if (written.waiting.empty()) break;
        written.leaving = std::exchange(written.waiting, {});
        auto removing = remove(account, written.leaving);
        const base::Result<bool> removed = co_await std::move(removing);
        std::vector<MessageId> left = std::exchange(written_.at(name).leaving, {});
        if (removed && *removed) {
            delay = kRetryDelayMin;
            taken_out(account, left);
            continue;
        }
        // Nobody is given them meanwhile.
        std::ranges::move(left, std::back_inserter(written_.at(name).waiting));
        static_cast<void>(co_await reactor::sleep(parts_.world.reactor, delay));
        delay = std::min(2 * delay, kRetryDelayMax);
    }
    written_.erase(name);
    co_return {};
}

// --- handing over

void OfflineQueue::start(Account& account, const Resource& resource) {
    State& state = states_.of(account);
    state.no_room.erase(resource.session_id);
    state.again = std::exchange(state.handing_over, true);
    if (state.again) return;
    state.session = resource.session_id;
    state.begun = state.passing == 0;
    if (state.begun) begin(account.jid(), resource.session_id);
}

// First of all who alone waits for something.
void OfflineQueue::start_any(Account& account) {
    for (const auto& [id, one] : states_.of(account).only_for) {
        const Resource* waiting = parts_.accounts.resource_of(account.jid(), one.session);
        if (waiting == nullptr || !waiting->takes_messages()) continue;
        start(account, *waiting);
        return;
    }
    for (const auto& resource : account.resources()) {
        if (!resource->takes_messages()) continue;
        start(account, *resource);
        return;
    }
}

void OfflineQueue::go_on(Account& account, const Resource& resource) {
    State& state = states_.of(account);
    state.no_room.erase(resource.session_id);
    if (!resource.takes_messages()) return;
    if (state.handing_over) {
        state.again = true;
    } else if (state.left_over) {
        start(account, resource);
    }
}

void OfflineQueue::begin(const xmpp::Jid& account, SessionId session) {
    if (stopping_) return;
    tasks_.add("offline hand-over", hand_over(account, session));
}

// If another resource could go on with what is left, it does.
void OfflineQueue::finish(const xmpp::Jid& account, Handed how) {
    Account* loaded = parts_.accounts.find(account);
    if (loaded == nullptr) return;
    State& state = states_.of(*loaded);
    const SessionId ended = std::exchange(state.session, 0);
    state.handing_over = false;
    state.gone.clear();
    state.left_over = how != Handed::all;
    if (how != Handed::no_room) state.no_room.clear();
    if (how == Handed::refused) return try_again_later(account);
    state.retry_delay = {};
    if (how == Handed::all) {
        // There is nothing left for whom it was handed over to.
        if (state.again) {
            start_any(*loaded);
        } else {
            std::erase_if(state.only_for, [&](const auto& entry) {
                return entry.second.session == ended ||
                       parts_.accounts.resource_of(account, entry.second.session) == nullptr;
            });
            // As with most clients: nothing was left, and nothing is under way.
            if (state.is_new()) states_.forget(*loaded);
        }
        return;
    }
    // It has its connection back already.
    if (Resource* same = state.again ? loaded->of_session(ended) : nullptr)
        if (same->takes_messages()) return start(*loaded, *same);
    state.no_room.insert(ended);
    for (const auto& other : loaded->resources()) {
        if (state.no_room.contains(other->session_id) || !other->takes_messages()) continue;
        start(*loaded, *other);
        return;
    }
    state.no_room.clear();
}

reactor::Deferred<void> OfflineQueue::hand_over(xmpp::Jid account, SessionId session) {
    MessageId after = 0;
    for (;;) {
        // What leaves the queue from here on may be in the page all the same.
        if (State* state = state_of(account)) state->gone.clear();
        auto reading = parts_.database.read(
            [account, after, now = parts_.world.clock.wall()](Transaction& transaction) {
                return Deliveries(transaction).offline_page(account, after, kBatchMessages, now);
            });
        base::Result<std::vector<storage::Delivery>> page = co_await std::move(reading);
        if (!page || page->empty()) {
            if (!page)
                parts_.world.log.error("offline.read_failed", {{"why", page.error().message()}});
            finish(account, page ? Handed::all : Handed::refused);
            co_return {};
        }
        after = page->back().id;
        // What passes is in the page as well, and who has got it is not known before it passed.
        auto passing = nothing_passing(account);
        static_cast<void>(co_await std::move(passing));
        if (stopping_) co_return {};
        drop_waiting(account, session, *page);
        for (std::span<storage::Delivery> rest(*page); !rest.empty();) {
            const auto part = rest.first(part_of(rest));
            rest = rest.subspan(part.size());
            auto handing = hand_over_part(account, session, part);
            const base::Result<Handed> done = co_await std::move(handing);
            if (stopping_) co_return {};
            if (!done || *done != Handed::all) {
                finish(account, done.value_or(Handed::no_room));
                co_return {};
            }
            handed_over_.add(part.size());
            if (State* state = state_of(account))
                for (const storage::Delivery& handed : part)
                    state->only_for.erase(handed.id);
        }
    }
}

void OfflineQueue::try_again_later(const xmpp::Jid& account) {
    State* state = state_of(account);
    if (state == nullptr || std::exchange(state->failed, true)) return;
    state->retry_delay = std::clamp(2 * state->retry_delay, kRetryDelayMin, kRetryDelayMax);
    tasks_.add("offline retry", try_again(account, state->retry_delay));
}

reactor::Deferred<void> OfflineQueue::try_again(xmpp::Jid account, base::Duration delay) {
    static_cast<void>(co_await reactor::sleep(parts_.world.reactor, delay));
    State* state = state_of(account);
    if (state == nullptr || !std::exchange(state->failed, false)) co_return {};
    start_any(*parts_.accounts.find(account));
    co_return {};
}

// What another session has or is being given is not ours unless it fails; what comes from somebody
// who is blocked now waits.
void OfflineQueue::drop_waiting(const xmpp::Jid& account, SessionId session,
                                std::vector<storage::Delivery>& page) {
    drop_orphans(account, session, page);
    Account* loaded = parts_.accounts.find(account);
    if (loaded == nullptr) return;
    const State& state = states_.of(*loaded);
    std::erase_if(page, [&](const storage::Delivery& kept) {
        if (state.in_flight.contains(kept.id) || state.gone.contains(kept.id)) return true;
        if (is_written(account, kept.id)) return true;
        if (loaded->blocked.empty()) return false;
        const std::optional<xmpp::Stanza> message = xmpp::read_stanza(kept.stanza);
        return message && message->from() && loaded->blocks(*message->from());
    });
}

// What was queued for one session alone is not for another; and for nobody when that is gone.
void OfflineQueue::drop_orphans(const xmpp::Jid& account, SessionId session,
                                std::vector<storage::Delivery>& page) {
    State* state = state_of(account);
    if (state == nullptr || state->only_for.empty()) return;
    std::vector<MessageId> orphans;
    std::erase_if(page, [&](const storage::Delivery& kept) {
        const auto found = state->only_for.find(kept.id);
        if (found == state->only_for.end() || found->second.session == session) return false;
        if (parts_.accounts.resource_of(account, found->second.session) != nullptr) return true;
        const bool is_kept = found->second.is_kept;
        state->only_for.erase(found);
        if (is_kept) orphans.push_back(kept.id);
        return is_kept;
    });
    if (orphans.empty()) return;
    parts_.database
        .write([account, orphans = std::move(orphans)](Transaction& transaction) {
            return Deliveries(transaction)
                .remove_delivered(account, orphans, storage::SharedDeliveries::left);
        })
        .detach("offline orphans");
}

reactor::Deferred<OfflineQueue::Handed> OfflineQueue::hand_over_part(
    xmpp::Jid account, SessionId session, std::span<const storage::Delivery> part) {
    const Resource* taker = parts_.accounts.resource_of(account, session);
    if (taker == nullptr || !taker->available()) co_return Handed::no_room;
    if (taker->managed != storage::kOfflineQueue) {
        // Not to somebody who is not there.
        const base::Result<void> there = co_await taker->session->flushed();
        if (!there || stopping_ || parts_.accounts.resource_of(account, session) == nullptr)
            co_return Handed::no_room;
        auto handing = hand_over_managed(account, session, part);
        const base::Result<Handed> done = co_await std::move(handing);
        if (!done || *done != Handed::all) co_return done.value_or(Handed::no_room);
        taker = parts_.accounts.resource_of(account, session);
        if (taker == nullptr) co_return Handed::no_room;
        const base::Result<void> room = co_await taker->session->flushed();
        co_return room ? Handed::all : Handed::no_room;
    }
    std::vector<MessageId> ids;
    for (const storage::Delivery& kept : part) {
        ids.push_back(kept.id);
        if (has_seen(account, session, kept.id)) continue;
        seen(account, session, kept.id);
        if (auto message = to_stanza(account, kept))
            taker->session->deliver_stored(*std::move(message));
    }
    const base::Result<void> flushed = co_await taker->session->flushed();
    if (!flushed) co_return Handed::no_room;
    note_written(account, ids);
    co_return Handed::all;
}

// With stream management the messages leave the queue for the session's own deliveries; what the
// client has seen otherwise as well, so that it is back in the queue if that is not acknowledged.
reactor::Deferred<OfflineQueue::Handed> OfflineQueue::hand_over_managed(
    xmpp::Jid account, SessionId session, std::span<const storage::Delivery> part) {
    const Resource* taker = parts_.accounts.resource_of(account, session);
    std::vector<Place> places;
    std::vector<storage::HandOver> rows;
    for (const storage::Delivery& kept : part) {
        places.push_back(taker->session->reserve());
        rows.push_back({kept.id, places.back().sequence});
    }
    auto writing = parts_.database.write(
        [account, key = taker->managed, rows = std::move(rows)](Transaction& transaction) {
            return Deliveries(transaction).hand_over(account, key, rows);
        });
    const base::Result<std::int64_t> moved = co_await std::move(writing);
    taker = parts_.accounts.resource_of(account, session);
    if (!moved)
        parts_.world.log.error("offline.hand_over_failed",
                               {{"account", account.text()}, {"why", moved.error().message()}});
    if (taker == nullptr) co_return moved ? Handed::no_room : Handed::refused;
    for (std::size_t i = 0; i < part.size(); ++i) {
        std::optional<xmpp::Stanza> message;
        if (moved && !has_seen(account, session, part[i].id)) message = to_stanza(account, part[i]);
        if (message) {
            taker->session->fill(places[i].number, *std::move(message), part[i].id, false);
        } else {
            taker->session->give_up(places[i].number);
        }
    }
    co_return moved ? Handed::all : Handed::refused;
}

std::optional<xmpp::Stanza> OfflineQueue::to_stanza(const xmpp::Jid& account,
                                                    const storage::Delivery& kept) {
    std::optional<xmpp::Stanza> message = xmpp::read_stanza(kept.stanza);
    if (!message) {
        parts_.world.log.error("offline.unreadable",
                               {{"account", account.text()}, {"id", kept.id}});
        return std::nullopt;
    }
    message->edit().add(
        xmpp::delay_element(account.domain(), storage::time_of(kept.id), "Offline Storage"));
    if (kept.archived)
        message->edit().add(xmpp::stanza_id_element(parts_.ids.text(kept.id), account));
    return message;
}

// How many of them to hand over at once; at least one.
std::size_t OfflineQueue::part_of(std::span<const storage::Delivery> page) const {
    std::size_t count = 1;
    for (std::size_t bytes = page.front().stanza.size(); count < page.size(); ++count) {
        bytes += page[count].stanza.size();
        if (bytes > part_bytes_) break;
    }
    return count;
}

// False: storage refused, which the log says.
reactor::Deferred<bool> OfflineQueue::remove(xmpp::Jid account, std::vector<MessageId> ids) {
    auto writing = parts_.database.write([account, ids = std::move(ids)](Transaction& transaction) {
        return Deliveries(transaction).remove_delivered(account, ids);
    });
    const base::Result<std::int64_t> removed = co_await std::move(writing);
    if (!removed)
        parts_.world.log.error("offline.remove_failed",
                               {{"account", account.text()}, {"why", removed.error().message()}});
    co_return removed.has_value();
}

reactor::Deferred<void> OfflineQueue::expire() {
    for (std::int64_t last = kExpiryBatch; last == kExpiryBatch;) {
        auto writing =
            parts_.database.write([now = parts_.world.clock.wall()](Transaction& transaction) {
                return Deliveries(transaction).expire_offline(now, kExpiryBatch);
            });
        const base::Result<std::int64_t> removed = co_await std::move(writing);
        if (!removed) {
            parts_.world.log.warn("offline.expire_failed", {{"why", removed.error().message()}});
            co_return {};
        }
        last = *removed;
    }
    co_return {};
}

}  // namespace server
