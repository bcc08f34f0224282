// Rooms: what goes to disk and what comes from there: messages before they are reflected, changes
// before they apply, rooms when they are loaded, and who was in them over a restart.
#include "server/modules/muc/rooms.h"

#include "reactor/base/check.h"
#include "reactor/reactor.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "storage/tables/archive.h"
#include "storage/tables/messages.h"
#include "storage/tables/sm_sessions.h"
#include "storage/tables/vcards.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/date_time.h"
#include "xmpp/payloads/stanza_id.h"
#include "xmpp/xml/read_stanza.h"
#include "xmpp/xml/writer.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace server::modules::muc {
namespace {

using storage::MessageId;
using storage::RoomAffiliationRow;
using xmpp::Jid;
using xmpp::Stanza;
using xmpp::StanzaError;

// Both count the same five, by rising power.
static_assert(static_cast<int>(storage::RoomAffiliation::outcast) ==
              static_cast<int>(MucAffiliation::outcast));
static_assert(static_cast<int>(storage::RoomAffiliation::none) ==
              static_cast<int>(MucAffiliation::none));
static_assert(static_cast<int>(storage::RoomAffiliation::owner) ==
              static_cast<int>(MucAffiliation::owner));

RoomAffiliationRow to_row(const Affiliated& entry) {
    return {.jid = entry.jid,
            .affiliation = static_cast<storage::RoomAffiliation>(entry.affiliation),
            .nick = entry.nick,
            .reason = entry.reason};
}

storage::RoomHats to_rows(const Hats& hats) {
    storage::RoomHats rows;
    for (const Hat& hat : hats.all())
        rows.hats.push_back({.uri = hat.uri, .title = hat.title, .hue = hat.hue});
    for (const auto& [jid, worn] : hats.worn())
        for (const std::string& uri : worn)
            if (auto parsed = Jid::parse(jid))
                rows.worn.push_back({.jid = *std::move(parsed), .uri = uri});
    return rows;
}

Hats from_rows(storage::RoomHats rows) {
    Hats hats;
    for (storage::RoomHats::Hat& hat : rows.hats)
        hats.put(
            {.uri = std::move(hat.uri), .title = std::move(hat.title), .hue = std::move(hat.hue)});
    for (const storage::RoomHats::Worn& one : rows.worn)
        hats.wear(one.jid, one.uri);
    return hats;
}

Affiliated from_row(RoomAffiliationRow row) {
    return {.jid = std::move(row.jid),
            .affiliation = static_cast<MucAffiliation>(row.affiliation),
            .nick = std::move(row.nick),
            .reason = std::move(row.reason),
            .version = row.version};
}

// With the speaker's address behind everything: room_queries.h takes it off again.
std::string xml_for_archive(const Reflection& said) {
    constexpr std::string_view kEnd = "</message>";
    std::string xml = said.stanza.to_xml();
    CHECK(xml.ends_with(kEnd));  // It has the speaker's occupant id at least.
    xml.resize(xml.size() - kEnd.size());
    append_xml(xml, said.item, xmpp::ns::client);
    return xml += kEnd;
}

storage::MessageCopy copy_for(const Jid& room, const Reflection& said) {
    return {.owner = room,
            .peer = said.speaker,
            .outgoing = false,
            .groupchat = true,
            .archived = true,
            .deliveries = {}};
}

base::Result<void> count_for(storage::Transaction& transaction,
                             const std::optional<Origin>& origin) {
    if (!origin || origin->managed == 0) return {};
    const auto counted = storage::SmSessions(transaction).set_taken(origin->managed, origin->taken);
    // A stream that has been closed meanwhile counts no more.
    if (!counted && !counted.error().is(base::Errc::not_found))
        return std::unexpected(counted.error());
    return {};
}

/// What takes a message's place in the archive (XEP-0424, XEP-0425).
struct Retraction {
    MessageId id = 0;
    std::string stanza_id{};    ///< Of the message that retracts.
    std::string occupant_id{};  ///< The one who may; empty: a moderator does.
    xmpp::Element tombstone{};
};

// Who said it stays, and their address, which only some may see.
std::string tombstone_of(Stanza message, const Retraction& retraction, base::WallTime at) {
    xmpp::Element tombstone = retraction.tombstone;
    if (!retraction.stanza_id.empty()) tombstone.set_attribute("id", retraction.stanza_id);
    tombstone.set_attribute("stamp",
                            xmpp::format_date_time(at, xmpp::DateTimePrecision::milliseconds));
    xmpp::Element& root = message.edit();
    (void)root.remove_children_if([](const xmpp::Element& child) {
        return child.ns() != xmpp::ns::occupant_ids && child.ns() != xmpp::ns::muc_user;
    });
    root.add(std::move(tombstone));
    return message.to_xml();
}

// Errors: not_found, when a moderator means a message that is not there.
base::Result<void> retract(storage::Transaction& transaction, const Jid& room,
                           const Retraction& retraction, base::WallTime at) {
    storage::Archive archive(transaction);
    const auto found = TRY(archive.find(room, retraction.id));
    auto message = found ? xmpp::read_stanza(found->stanza) : std::nullopt;
    if (!message) {
        if (!retraction.occupant_id.empty()) return {};
        return base::fail(base::Errc::not_found);
    }
    const bool is_own = occupant_id_of(*message) == retraction.occupant_id;
    if (found->retracted || (!retraction.occupant_id.empty() && !is_own)) return {};
    return archive.replace(room, retraction.id, tombstone_of(*std::move(message), retraction, at));
}

base::Result<void> save_vcard(storage::Transaction& transaction, const Jid& room,
                              const RoomVcard& vcard) {
    storage::Vcards vcards(transaction);
    return vcards.put(
        room, {.xml = vcard.xml,
               .photo_sha1 = vcard.hashes.empty() ? std::nullopt : std::optional(vcard.hashes)});
}

}  // namespace

/// What came of a transaction.
struct Rooms::Saved {
    MessageId id = 0;                  ///< Of the message, if there was one.
    storage::RoomVersion version = 0;  ///< Of the affiliations, if they changed.
};

/// A message of a room; every one makes one of these, so it has no more than it needs.
struct Rooms::WriteMessage {
    base::WallTime at{};
    storage::MessageCopy copy;
    std::string text;
    std::optional<Origin> origin{};
    std::unique_ptr<const Retraction> retraction{};

    base::Result<Saved> operator()(storage::Transaction& transaction) const {
        TRY(count_for(transaction, origin));
        if (retraction != nullptr) TRY(retract(transaction, copy.owner, *retraction, at));
        return Saved{
            .id = TRY(storage::Messages(transaction).append(at, text, std::span(&copy, 1))).id};
    }
};

/// One transaction of a room that changes.
struct Rooms::Write {
    Jid room;
    base::WallTime at{};
    bool removes = false;
    std::optional<storage::RoomRow> row{};
    std::vector<RoomAffiliationRow> affiliations{};
    std::vector<storage::RoomRoleRow> roles{};
    bool forgets_roles = false;
    std::vector<storage::RoomRequestRow> requests{};
    std::optional<storage::RoomHats> hats{};
    /// Who makes the room, and how many they may have.
    std::optional<std::pair<Jid, std::uint32_t>> owner{};
    std::optional<RoomSubject> subject{};
    std::optional<WriteMessage> message{};
    std::optional<Retraction> retraction{};
    std::optional<RoomVcard> vcard{};
    std::optional<Origin> origin{};

    base::Result<Saved> operator()(storage::Transaction& transaction) const {
        storage::Rooms rooms(transaction);
        TRY(count_for(transaction, origin));
        Saved saved;
        if (removes) {
            static_cast<void>(TRY(rooms.remove(room)));
            return saved;
        }
        if (owner && TRY(rooms.owned_by(owner->first)) >= owner->second)
            return base::fail(base::Errc::resource_exhausted, "You have enough rooms.");
        if (row) TRY(rooms.put(room, *row));
        if (hats) TRY(rooms.put_hats(room, *hats));
        if (forgets_roles) TRY(rooms.forget_roles(room));
        if (!roles.empty()) TRY(rooms.put_roles(room, roles));
        if (!affiliations.empty()) saved.version = TRY(rooms.put_affiliations(room, affiliations));
        if (!requests.empty()) TRY(rooms.put_requests(room, requests));
        if (subject) TRY(rooms.set_subject(room, subject->xml, subject->at));
        if (retraction) TRY(retract(transaction, room, *retraction, at));
        if (vcard) TRY(save_vcard(transaction, room, *vcard));
        if (message) saved.id = TRY((*message)(transaction)).id;
        return saved;
    }
};

namespace {

// A speaker takes back what they said, by the id that the room gave it.
std::unique_ptr<const Retraction> retraction_in(const Stanza& message, const ArchiveIds& ids) {
    const xmpp::Element* retract = message.child("retract", xmpp::ns::retraction);
    const auto id = retract == nullptr ? std::nullopt : ids.parse(retract->attribute("id"));
    if (!id) return nullptr;
    return std::make_unique<const Retraction>(
        Retraction{.id = *id,
                   .stanza_id = std::string(message.id()),
                   .occupant_id = std::string(occupant_id_of(message)),
                   .tombstone = xmpp::Element("retracted", xmpp::ns::retraction)});
}

}  // namespace

// --- messages

void Rooms::begin_storing(Lane& lane, Reflection said, Waiting next) {
    const bool archived = said.archived;
    const base::WallTime at = now();
    std::optional<WriteMessage> write;
    if (archived)
        write.emplace(WriteMessage{.at = at,
                                   .copy = copy_for(lane.jid, said),
                                   .text = xml_for_archive(said),
                                   .origin = next.origin,
                                   .retraction = retraction_in(said.stanza, parts_.archive_ids)});
    Storing& one = lane.storing.emplace_back(Storing{.ticket = ++last_ticket_,
                                                     .said = std::move(said),
                                                     .request = std::move(next.stanza),
                                                     .origin = next.origin,
                                                     .at = at,
                                                     .done = !archived,
                                                     .done_at = parts_.world.reactor.now()});
    if (!archived) return release(lane);
    tasks_.add("room message",
               run_store(one.ticket, lane.jid, parts_.database.write(*std::move(write))));
    if (next.origin) parts_.router.report(*next.origin, {.kind = OriginReport::Kind::placed});
}

reactor::Deferred<void> Rooms::run_store(std::uint64_t ticket, Jid room,
                                         reactor::Deferred<Saved> writing) {
    const base::Result<Saved> saved = co_await std::move(writing);
    Lane* lane = find(room);
    if (lane == nullptr) co_return {};
    const auto one = std::ranges::find(lane->storing, ticket, &Storing::ticket);
    if (one == lane->storing.end()) co_return {};
    one->done = true;
    one->done_at = parts_.world.reactor.now();
    if (saved) {
        one->id = saved->id;
        one->at = storage::time_of(saved->id);
    } else {
        one->failure = saved.error();
        parts_.world.log.error("room.store_failed",
                               {{"room", room.text()}, {"why", saved.error().message()}});
    }
    release(*lane);
    drain(*lane);
    co_return {};
}

// Not when anything else waits for what is being stored, nor when the server stops.
bool Rooms::takes_breath(Lane& lane) {
    if (parts_.router.congested()) {
        rest(lane);
        return true;
    }
    if (!lane.room || lane.storing.size() >= kStoringMax || service_.stopping) return false;
    if (!lane.waiting.empty() && !may_go_on(lane)) return false;
    const base::Duration pause = std::clamp<base::Duration>(
        kBreathPerSession * static_cast<int>(lane.room->sessions()), kBreathMin, kBreathMax);
    const base::MonotonicTime time = parts_.world.reactor.now();
    const bool more_comes =
        !lane.storing.back().done && time - lane.storing.front().done_at < kBreathMax;
    if (!more_comes && time - lane.released_at >= pause) return false;
    rest(lane);
    return true;
}

// What is on disk goes out, in the order in which it came. What sending brings back at once is for
// drain(), which may end the lane.
void Rooms::release(Lane& lane) {
    if (lane.storing.empty() || !lane.storing.front().done || takes_breath(lane)) return;
    lane.released_at = parts_.world.reactor.now();
    const bool was_draining = std::exchange(lane.draining, true);
    while (!lane.storing.empty() && lane.storing.front().done) {
        Storing one = std::move(lane.storing.front());
        lane.storing.pop_front();
        if (one.failure) {
            settle(one.origin);
            refuse(one.request, refusal_of(*one.failure));
            continue;
        }
        Effects effects;
        const std::string id = one.id == 0 ? "" : parts_.archive_ids.text(one.id);
        lane.room->reflect(std::move(one.said), one.at, id, effects);
        note_told(lane, one.id);
        messages_.add(effects.empty() ? 0 : effects.back().count());
        send(lane, std::move(effects));
        if (one.id == 0) {
            settle(one.origin);
        } else if (one.origin) {
            parts_.router.report(*one.origin, {.kind = OriginReport::Kind::stored, .id = one.id});
        }
    }
    lane.draining = was_draining;
}

// --- changes

storage::RoomRow Rooms::row_of(const Lane& lane, const RoomConfig& config) const {
    return {.name = config.name,
            .listed = config.listed,
            .persistent = config.persistent,
            .config = save_config(config),
            .subject = lane.room->subject().xml,
            .subject_at = lane.room->subject().at,
            .created_at = lane.created_at};
}

// A room that is not configured yet is nowhere but in memory.
void Rooms::begin_change(Lane& lane, RoomChange change, Requester requester) {
    if (!change.durable() || (!lane.stored && !change.unlocks)) {
        finish_change(lane, std::move(change), 0, std::move(requester));
        return;
    }
    lane.held = true;
    if (requester.origin)
        parts_.router.report(*requester.origin, {.kind = OriginReport::Kind::placed});
    tasks_.add("room change", run_change(lane.jid, std::move(change), std::move(requester)));
}

Rooms::Write Rooms::write_of(const Lane& lane, const RoomChange& change,
                             const Requester& requester) const {
    const Room& room = *lane.room;
    Write write{.room = lane.jid, .at = now(), .origin = requester.origin};
    write.removes = change.destruction.has_value();
    if (change.config || change.unlocks)
        write.row = row_of(lane, change.config.value_or(room.config()));
    write.forgets_roles = change.config && !change.config->moderated;
    if (change.unlocks) {
        if (!requester.ordered)
            write.owner.emplace(change.request.from()->bare(), settings_.owned_max);
        for (const MucAffiliation kind : {MucAffiliation::outcast, MucAffiliation::member,
                                          MucAffiliation::admin, MucAffiliation::owner})
            for (const Affiliated* entry : room.affiliations().list(kind))
                write.affiliations.push_back(to_row(*entry));
    }
    for (const Affiliated& entry : change.affiliations)
        write.affiliations.push_back(to_row(kept_form_of(entry)));
    for (const Affiliated& entry : change.affiliations)
        if (room.requests().of(entry.jid) != nullptr) write.requests.push_back({.jid = entry.jid});
    for (const RegistrationRequest& one : change.requests)
        write.requests.push_back({.jid = one.jid, .nick = one.nick});
    for (const KeptRole& kept : change.kept_roles)
        write.roles.push_back({.jid = kept.jid, .role = static_cast<std::uint8_t>(kept.role)});
    if (change.hats) write.hats = to_rows(*change.hats);
    write.subject = change.subject;
    write.vcard = change.vcard;
    if (change.moderation) {
        // An id that is none of ours names no message.
        write.retraction =
            Retraction{.id = parts_.archive_ids.parse(change.moderation->stanza_id).value_or(0),
                       .stanza_id = {},
                       .occupant_id = {},
                       .tombstone = change.moderation->tombstone};
    }
    if (change.reflection && change.reflection->archived) {
        write.message.emplace(WriteMessage{.at = write.at,
                                           .copy = copy_for(lane.jid, *change.reflection),
                                           .text = xml_for_archive(*change.reflection)});
    }
    return write;
}

reactor::Deferred<void> Rooms::run_change(Jid room, RoomChange change, Requester requester) {
    auto writing = parts_.database.write(write_of(*find(room), change, requester));
    const base::Result<Saved> saved = co_await std::move(writing);
    Lane* lane = find(room);
    if (lane == nullptr) co_return {};
    lane->held = false;
    if (saved) {
        const bool unlocks = change.unlocks;
        if (unlocks) lane->stored = true;
        finish_change(*lane, std::move(change), saved->id, std::move(requester));
        if (unlocks && lane->room) lane->room->set_version(saved->version);
    } else {
        const bool is_expected = saved.error().is(base::Errc::not_found) ||
                                 saved.error().is(base::Errc::resource_exhausted);
        if (!is_expected)
            parts_.world.log.error("room.change_failed",
                                   {{"room", room.text()}, {"why", saved.error().message()}});
        settle(requester.origin);
        if (requester.ordered) {
            requester.ordered->resolve(OrderResult(refusal_of(saved.error())));
        } else {
            refuse(change.request, refusal_of(saved.error()));
        }
        close_if_over(*lane);
    }
    drain(*lane);
    co_return {};
}

void Rooms::finish_change(Lane& lane, RoomChange change, MessageId id, Requester requester) {
    if (change.destruction) lane.stored = false;
    const bool durable = change.durable();
    if (change.reflection) note_told(lane, id);
    Effects effects;
    const std::optional<Jid> who =
        requester.ordered ? std::nullopt : std::optional(*change.request.from());
    const bool bothers = std::ranges::any_of(
        change.requests, [](const RegistrationRequest& one) { return !one.nick.empty(); });
    lane.room->apply(std::move(change), id == 0 ? now() : storage::time_of(id),
                     id == 0 ? "" : parts_.archive_ids.text(id), effects);
    if (who) spend(*who, cost_of(effects) + (bothers ? Expenses::kRequest : 0));
    send(lane, std::move(effects));
    if (requester.origin && durable && lane.stored) {
        parts_.router.report(*requester.origin, {.kind = OriginReport::Kind::stored, .id = id});
    } else {
        settle(requester.origin);
    }
    close_if_over(lane);
    if (requester.ordered) requester.ordered->resolve(OrderResult());
}

// --- loading

void Rooms::restore_room(Lane& lane, storage::RoomState state, std::string avatar_hashes) {
    Room::Stored stored{
        .config = load_config(state.row.config),
        .subject = {.xml = std::move(state.row.subject), .at = state.row.subject_at},
        .affiliations = {},
        .avatar_hashes = std::move(avatar_hashes),
        .version = state.version,
        .forgotten = state.forgotten};
    for (RoomAffiliationRow& row : state.affiliations)
        stored.affiliations.push_back(from_row(std::move(row)));
    stored.hats = from_rows(std::move(state.hats));
    for (storage::RoomRoleRow& row : state.roles)
        stored.roles.push_back({.jid = std::move(row.jid),
                                .role = static_cast<MucRole>(std::min<std::uint8_t>(row.role, 3))});
    for (storage::RoomRequestRow& row : state.requests)
        stored.requests.push_back({.jid = std::move(row.jid), .nick = std::move(row.nick)});
    lane.room.emplace(parts_of(lane.jid), std::move(stored));
    lane.created_at = state.row.created_at;
    lane.stored = true;
    for (storage::RoomOccupantRow& row : std::exchange(lane.returning, {})) {
        lane.room->restore(row.nick, static_cast<MucRole>(std::min<std::uint8_t>(row.role, 3)),
                           std::move(row.jid), std::move(row.presence));
    }
}

std::vector<storage::RoomOccupantRow> Rooms::occupants() const {
    std::vector<storage::RoomOccupantRow> rows;
    for (const auto& [name, lane] : lanes_) {
        if (!lane->room || !lane->stored) continue;
        for (const Occupant& occupant : lane->room->occupants())
            for (const OccupantSession& session : occupant.sessions)
                rows.push_back({.room = lane->jid,
                                .jid = session.jid,
                                .nick = occupant.nick,
                                .role = static_cast<std::uint8_t>(occupant.role),
                                .presence = std::string(session.presence.view())});
    }
    return rows;
}

void Rooms::restore(storage::RoomOccupantRow occupant) {
    const bool is_new = find(occupant.room) == nullptr;
    Lane& lane = open(occupant.room);
    lane.returning.push_back(std::move(occupant));
    if (is_new) load(lane);
}

}  // namespace server::modules::muc
