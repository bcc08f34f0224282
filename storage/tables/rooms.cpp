#include "storage/tables/rooms.h"

#include "storage/tables/messages_rows.h"
#include "storage/tables/vcards.h"

#include <algorithm>

namespace storage {
namespace {

using base::Errc;
using base::Result;

// `version` of a room counts changes of its affiliations. Rows of those who have none any more stay
// for a while, for clients that ask what changed; `forgotten` is the version before which they may
// be gone. A room that is made anew goes on behind the versions of all rooms before it.
constexpr Migration kMigrations[] = {
    {1, R"(
CREATE TABLE rooms (
    host TEXT NOT NULL,
    name TEXT NOT NULL,
    listed BIGINT NOT NULL,
    persistent BIGINT NOT NULL,
    title TEXT NOT NULL,
    config BYTEA NOT NULL,
    subject BYTEA NOT NULL,
    subject_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    forgotten BIGINT NOT NULL,
    PRIMARY KEY (host, name)
);
CREATE INDEX rooms_listed ON rooms (host, listed, name);
CREATE TABLE room_affiliations (
    room TEXT NOT NULL,
    jid TEXT NOT NULL,
    affiliation BIGINT NOT NULL,
    nick TEXT NOT NULL,
    reason TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (room, jid)
) /* clustered */;
CREATE INDEX room_affiliations_of ON room_affiliations (jid);
CREATE TABLE room_epochs (
    id BIGINT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL
);
CREATE TABLE room_occupants (
    room TEXT NOT NULL,
    jid TEXT NOT NULL,
    nick TEXT NOT NULL,
    role BIGINT NOT NULL,
    presence BYTEA NOT NULL,
    PRIMARY KEY (room, jid)
);
)"},
    {2, R"(
CREATE TABLE room_departures (
    jid TEXT NOT NULL PRIMARY KEY
);
CREATE TABLE room_roles (
    room TEXT NOT NULL,
    jid TEXT NOT NULL,
    role BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (room, jid)
) /* clustered */;
CREATE INDEX room_roles_of ON room_roles (jid);
CREATE TABLE room_hats (
    room TEXT NOT NULL,
    number BIGINT NOT NULL,
    uri TEXT NOT NULL,
    title TEXT NOT NULL,
    hue TEXT NOT NULL,
    PRIMARY KEY (room, number)
) /* clustered */;
CREATE TABLE room_hats_worn (
    room TEXT NOT NULL,
    number BIGINT NOT NULL,
    jid TEXT NOT NULL,
    uri TEXT NOT NULL,
    PRIMARY KEY (room, number)
) /* clustered */;
CREATE INDEX room_hats_worn_by ON room_hats_worn (jid);
)"},
    {3, R"(
CREATE TABLE room_requests (
    room TEXT NOT NULL,
    jid TEXT NOT NULL,
    nick TEXT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (room, jid)
) /* clustered */;
CREATE INDEX room_requests_of ON room_requests (jid);
)"},
};

// Shared with the rooms' own numbers (XEP-0045 §5.1, §5.2): what is at least this was given.
constexpr int kGivenAffiliation = static_cast<int>(RoomAffiliation::member);
constexpr int kGivenRole = 2;

// Each room lets go of the account in its own turn, later: this is the note that it must. Bans and
// voice that was taken stay, for whoever has that name next.
Result<void> note_departure(Transaction& transaction, std::string_view account) {
    TRY(transaction.execute(
        "INSERT INTO room_departures (jid) SELECT $1 WHERE EXISTS "
        "(SELECT 1 FROM room_affiliations WHERE jid = $1 AND affiliation >= $2) OR EXISTS "
        "(SELECT 1 FROM room_roles WHERE jid = $1 AND role >= $3) OR EXISTS "
        "(SELECT 1 FROM room_hats_worn WHERE jid = $1) OR EXISTS "
        "(SELECT 1 FROM room_requests WHERE jid = $1) ON CONFLICT (jid) DO NOTHING",
        {account, kGivenAffiliation, kGivenRole}));
    return {};
}

constexpr std::int64_t kVersionsPerEpoch = std::int64_t{1} << 32;

/// Columns 0-4: jid, affiliation, nick, reason, version.
RoomAffiliationRow read_affiliation(const Row& row) {
    RoomAffiliationRow entry;
    auto jid = xmpp::Jid::parse(row.text(0));
    const std::int64_t affiliation = row.int64(1);
    if (!jid || affiliation < 0 || affiliation > static_cast<int>(RoomAffiliation::owner)) {
        row.mark_corrupt();
        return entry;
    }
    entry.jid = std::move(*jid);
    entry.affiliation = static_cast<RoomAffiliation>(affiliation);
    entry.nick = row.text(2);
    entry.reason = row.text(3);
    entry.version = row.int64(4);
    return entry;
}

Result<void> load_hats(Transaction& transaction, const xmpp::Jid& room, RoomHats& hats) {
    TRY(transaction.query("SELECT uri, title, hue FROM room_hats WHERE room = $1 ORDER BY number",
                          {room.bare_view()}, [&](const Row& row) {
                              hats.hats.push_back({.uri = std::string(row.text(0)),
                                                   .title = std::string(row.text(1)),
                                                   .hue = std::string(row.text(2))});
                          }));
    if (hats.hats.empty()) return {};
    return transaction.query(
        "SELECT jid, uri FROM room_hats_worn WHERE room = $1 ORDER BY number", {room.bare_view()},
        [&](const Row& row) {
            auto jid = xmpp::Jid::parse(row.text(0));
            if (!jid) return row.mark_corrupt();
            hats.worn.push_back({.jid = std::move(*jid), .uri = std::string(row.text(1))});
        });
}

Result<void> load_requests(Transaction& transaction, const xmpp::Jid& room,
                           std::vector<RoomRequestRow>& requests) {
    return transaction.query(
        "SELECT jid, nick FROM room_requests WHERE room = $1 ORDER BY number", {room.bare_view()},
        [&](const Row& row) {
            auto jid = xmpp::Jid::parse(row.text(0));
            if (!jid) return row.mark_corrupt();
            requests.push_back({.jid = std::move(*jid), .nick = std::string(row.text(1))});
        });
}

Result<void> forget_old_tombstones(Transaction& transaction, const xmpp::Jid& room) {
    const auto newest_to_forget = TRY(transaction.first(
        "SELECT version FROM room_affiliations WHERE room = $1 AND affiliation = 1 "
        "ORDER BY version DESC LIMIT 1 OFFSET $2",
        {room.bare_view(), kRoomTombstonesMax}, [](const Row& row) { return row.int64(0); }));
    if (!newest_to_forget) return {};
    TRY(transaction.execute(
        "DELETE FROM room_affiliations WHERE room = $1 AND affiliation = 1 AND version <= $2",
        {room.bare_view(), *newest_to_forget}));
    TRY(transaction.execute("UPDATE rooms SET forgotten = $3 WHERE host = $1 AND name = $2",
                            {room.domain(), room.local(), *newest_to_forget}));
    return {};
}

Result<xmpp::Jid> jid_of(const Row& row, std::string_view host) {
    return xmpp::Jid::make(row.text(0), host);
}

}  // namespace

constinit const StoreSchema kRoomsSchema = {"rooms", kMigrations, {}, note_departure};

Result<std::optional<RoomState>> Rooms::load(const xmpp::Jid& room) {
    auto state = TRY(transaction_.first(
        "SELECT title, listed, persistent, config, subject, subject_at, created_at, version, "
        "forgotten FROM rooms WHERE host = $1 AND name = $2",
        {room.domain(), room.local()}, [](const Row& row) {
            RoomState loaded;
            loaded.row = {.name = std::string(row.text(0)),
                          .listed = row.flag(1),
                          .persistent = row.flag(2),
                          .config = std::string(row.blob(3)),
                          .subject = std::string(row.blob(4)),
                          .subject_at = row.time(5),
                          .created_at = row.time(6)};
            loaded.version = row.int64(7);
            loaded.forgotten = row.int64(8);
            return loaded;
        }));
    if (!state) return std::nullopt;
    TRY(transaction_.query(
        "SELECT jid, affiliation, nick, reason, version FROM room_affiliations WHERE room = $1 "
        "ORDER BY version, jid",
        {room.bare_view()},
        [&](const Row& row) { state->affiliations.push_back(read_affiliation(row)); }));
    TRY(transaction_.query("SELECT jid, role FROM room_roles WHERE room = $1 ORDER BY number",
                           {room.bare_view()}, [&](const Row& row) {
                               auto jid = xmpp::Jid::parse(row.text(0));
                               if (!jid) return row.mark_corrupt();
                               state->roles.push_back(
                                   {.jid = std::move(*jid),
                                    .role = static_cast<std::uint8_t>(row.int64(1))});
                           }));
    TRY(load_hats(transaction_, room, state->hats));
    TRY(load_requests(transaction_, room, state->requests));
    return state;
}

Result<void> Rooms::put(const xmpp::Jid& room, const RoomRow& row) {
    if (!room.has_local()) return base::fail(Errc::invalid_argument, "a room has a name");
    if (row.config.size() + row.subject.size() > kRoomConfigBytesMax)
        return base::fail(Errc::resource_exhausted, "the configuration of the room is too big");
    const auto known = TRY(transaction_.first(
        "SELECT version FROM rooms WHERE host = $1 AND name = $2", {room.domain(), room.local()},
        [](const Row& found) { return found.int64(0); }));
    if (!known) {
        const auto epoch = TRY(
            transaction_.first("INSERT INTO room_epochs (id, epoch) VALUES (1, 1) ON CONFLICT (id) "
                               "DO UPDATE SET epoch = room_epochs.epoch + 1 RETURNING epoch",
                               {}, [](const Row& found) { return found.int64(0); }));
        const RoomVersion start = epoch.value_or(1) * kVersionsPerEpoch;
        TRY(transaction_.execute(
            "INSERT INTO rooms (host, name, listed, persistent, title, config, subject, "
            "subject_at, created_at, version, forgotten) "
            "VALUES ($1, $2, 0, 0, '', $3, $3, 0, $4, $5, $5)",
            {room.domain(), room.local(), Blob{std::string_view("", 0)}, row.created_at, start}));
    }
    TRY(transaction_.execute(
        "UPDATE rooms SET listed = $3, persistent = $4, title = $5, config = $6, subject = $7, "
        "subject_at = $8 WHERE host = $1 AND name = $2",
        {room.domain(), room.local(), row.listed, row.persistent, row.name, Blob{row.config},
         Blob{row.subject}, row.subject_at}));
    return {};
}

Result<void> Rooms::set_subject(const xmpp::Jid& room, std::string_view subject,
                                base::WallTime at) {
    const auto changed = TRY(transaction_.execute(
        "UPDATE rooms SET subject = $3, subject_at = $4 WHERE host = $1 AND name = $2",
        {room.domain(), room.local(), Blob{subject}, at}));
    if (changed == 0) return base::fail(Errc::not_found, "no such room");
    return {};
}

Result<RoomVersion> Rooms::put_affiliations(const xmpp::Jid& room,
                                            std::span<const RoomAffiliationRow> changes) {
    const auto count = static_cast<std::int64_t>(changes.size());
    const auto last = TRY(transaction_.first(
        "UPDATE rooms SET version = version + $3 WHERE host = $1 AND name = $2 RETURNING version",
        {room.domain(), room.local(), count}, [](const Row& row) { return row.int64(0); }));
    if (!last) return base::fail(Errc::not_found, "no such room");
    RoomVersion version = *last - count;
    for (const RoomAffiliationRow& entry : changes)
        TRY(transaction_.execute(
            "INSERT INTO room_affiliations (room, jid, affiliation, nick, reason, version) "
            "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (room, jid) DO UPDATE SET "
            "affiliation = excluded.affiliation, nick = excluded.nick, reason = excluded.reason, "
            "version = excluded.version",
            {room.bare_view(), entry.jid.bare_view(), static_cast<int>(entry.affiliation),
             entry.nick, entry.reason, ++version}));
    TRY(forget_old_tombstones(transaction_, room));
    return *last;
}

Result<void> Rooms::put_roles(const xmpp::Jid& room, std::span<const RoomRoleRow> roles) {
    for (const RoomRoleRow& one : roles) {
        if (one.role == 0) {
            TRY(transaction_.execute("DELETE FROM room_roles WHERE room = $1 AND jid = $2",
                                     {room.bare_view(), one.jid.bare_view()}));
            continue;
        }
        TRY(transaction_.execute(
            "INSERT INTO room_roles (room, jid, role, number) VALUES ($1, $2, $3, "
            "(SELECT COALESCE(MAX(number), 0) + 1 FROM room_roles WHERE room = $1)) "
            "ON CONFLICT (room, jid) DO UPDATE SET role = excluded.role, number = excluded.number",
            {room.bare_view(), one.jid.bare_view(), static_cast<int>(one.role)}));
    }
    TRY(transaction_.execute(
        "DELETE FROM room_roles WHERE room = $1 AND number <= (SELECT number FROM room_roles "
        "WHERE room = $1 ORDER BY number DESC LIMIT 1 OFFSET $2)",
        {room.bare_view(), kRoomRolesMax}));
    return {};
}

Result<void> Rooms::forget_roles(const xmpp::Jid& room) {
    TRY(transaction_.execute("DELETE FROM room_roles WHERE room = $1", {room.bare_view()}));
    return {};
}

Result<void> Rooms::put_requests(const xmpp::Jid& room, std::span<const RoomRequestRow> requests) {
    for (const RoomRequestRow& one : requests) {
        if (one.nick.empty()) {
            TRY(transaction_.execute("DELETE FROM room_requests WHERE room = $1 AND jid = $2",
                                     {room.bare_view(), one.jid.bare_view()}));
            continue;
        }
        TRY(transaction_.execute(
            "INSERT INTO room_requests (room, jid, nick, number) VALUES ($1, $2, $3, "
            "(SELECT COALESCE(MAX(number), 0) + 1 FROM room_requests WHERE room = $1)) "
            "ON CONFLICT (room, jid) DO UPDATE SET nick = excluded.nick, number = excluded.number",
            {room.bare_view(), one.jid.bare_view(), one.nick}));
    }
    return {};
}

Result<void> Rooms::put_hats(const xmpp::Jid& room, const RoomHats& hats) {
    TRY(transaction_.execute("DELETE FROM room_hats WHERE room = $1", {room.bare_view()}));
    TRY(transaction_.execute("DELETE FROM room_hats_worn WHERE room = $1", {room.bare_view()}));
    std::int64_t number = 0;
    for (const RoomHats::Hat& hat : hats.hats)
        TRY(transaction_.execute(
            "INSERT INTO room_hats (room, number, uri, title, hue) VALUES ($1, $2, $3, $4, $5)",
            {room.bare_view(), ++number, hat.uri, hat.title, hat.hue}));
    for (const RoomHats::Worn& one : hats.worn)
        TRY(transaction_.execute(
            "INSERT INTO room_hats_worn (room, number, jid, uri) VALUES ($1, $2, $3, $4)",
            {room.bare_view(), ++number, one.jid.bare_view(), one.uri}));
    return {};
}

Result<bool> Rooms::remove(const xmpp::Jid& room) {
    const auto removed = TRY(transaction_.execute("DELETE FROM rooms WHERE host = $1 AND name = $2",
                                                  {room.domain(), room.local()}));
    TRY(transaction_.execute("DELETE FROM room_affiliations WHERE room = $1", {room.bare_view()}));
    TRY(transaction_.execute("DELETE FROM room_occupants WHERE room = $1", {room.bare_view()}));
    TRY(transaction_.execute("DELETE FROM room_requests WHERE room = $1", {room.bare_view()}));
    TRY(forget_roles(room));
    TRY(put_hats(room, {}));
    TRY(Vcards(transaction_).remove(room));
    TRY(remove_account_messages(transaction_, room.bare_view()));
    return removed > 0;
}

// --- lists

Result<std::int64_t> Rooms::count(std::string_view host) {
    const auto count = TRY(transaction_.first("SELECT COUNT(*) FROM rooms WHERE host = $1", {host},
                                              [](const Row& row) { return row.int64(0); }));
    return count.value_or(0);
}

Result<std::int64_t> Rooms::owned_by(const xmpp::Jid& user) {
    const auto count = TRY(transaction_.first(
        "SELECT COUNT(*) FROM room_affiliations WHERE jid = $1 AND affiliation = $2",
        {user.bare_view(), static_cast<int>(RoomAffiliation::owner)},
        [](const Row& row) { return row.int64(0); }));
    return count.value_or(0);
}

Result<RoomPage> Rooms::listed(std::string_view host, const RoomListQuery& query) {
    RoomPage page;
    // Constants of the program.
    const std::string of_host =
        query.hidden ? " FROM rooms WHERE host = $1" : " FROM rooms WHERE host = $1 AND listed = 1";
    const auto number = [&](const std::string& rest,
                            Parameters parameters) -> Result<std::optional<std::int64_t>> {
        const auto found =
            TRY(transaction_.first("SELECT COUNT(*) FROM (SELECT 1" + of_host + rest + " LIMIT " +
                                       std::to_string(kRoomCountMax + 1) + ") AS counted",
                                   parameters, [](const Row& row) { return row.int64(0); }));
        if (found.value_or(0) > kRoomCountMax) return std::nullopt;
        return found.value_or(0);
    };
    const auto read = [&](const std::string& rest, Parameters parameters) {
        return transaction_.query(
            "SELECT name, title" + of_host + rest, parameters, [&](const Row& row) {
                auto jid = jid_of(row, host);
                if (!jid) return row.mark_corrupt();
                page.rooms.push_back({.jid = std::move(*jid), .name = std::string(row.text(1))});
            });
    };
    page.count = TRY(number("", {host}));
    const std::uint32_t most = std::min(query.max, kRoomPageMax);
    if (most == 0) return page;
    if (query.before && query.before->empty()) {
        TRY(read(" ORDER BY name DESC LIMIT $2", {host, most}));
    } else if (query.before) {
        TRY(read(" AND name < $2 ORDER BY name DESC LIMIT $3", {host, *query.before, most}));
    } else {
        TRY(read(" AND name > $2 ORDER BY name LIMIT $3", {host, query.after.value_or(""), most}));
    }
    if (query.before) std::ranges::reverse(page.rooms);
    if (!page.rooms.empty())
        page.index = TRY(number(" AND name < $2", {host, page.rooms.front().jid.local()}));
    return page;
}

// --- accounts that are gone

Result<std::vector<xmpp::Jid>> Rooms::departed() {
    std::vector<xmpp::Jid> accounts;
    TRY(transaction_.query("SELECT jid FROM room_departures ORDER BY jid", {}, [&](const Row& row) {
        auto jid = xmpp::Jid::parse(row.text(0));
        if (!jid) return row.mark_corrupt();
        accounts.push_back(std::move(*jid));
    }));
    return accounts;
}

Result<std::vector<xmpp::Jid>> Rooms::rooms_of(const xmpp::Jid& user, std::string_view after,
                                               std::uint32_t limit) {
    std::vector<xmpp::Jid> rooms;
    TRY(transaction_.query(
        "SELECT room FROM room_affiliations WHERE jid = $1 AND affiliation >= $2 AND room > $4 "
        "UNION SELECT room FROM room_roles WHERE jid = $1 AND role >= $3 AND room > $4 "
        "UNION SELECT room FROM room_hats_worn WHERE jid = $1 AND room > $4 "
        "UNION SELECT room FROM room_requests WHERE jid = $1 AND room > $4 "
        "ORDER BY room LIMIT $5",
        {user.bare_view(), kGivenAffiliation, kGivenRole, after, limit}, [&](const Row& row) {
            auto room = xmpp::Jid::parse(row.text(0));
            if (!room) return row.mark_corrupt();
            rooms.push_back(std::move(*room));
        }));
    return rooms;
}

Result<void> Rooms::forget_departed(const xmpp::Jid& user) {
    TRY(transaction_.execute("DELETE FROM room_departures WHERE jid = $1", {user.bare_view()}));
    return {};
}

// --- occupants

Result<void> Rooms::save_occupants(std::span<const RoomOccupantRow> occupants) {
    for (const RoomOccupantRow& occupant : occupants)
        TRY(transaction_.execute(
            "INSERT INTO room_occupants (room, jid, nick, role, presence) "
            "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (room, jid) DO UPDATE SET "
            "nick = excluded.nick, role = excluded.role, presence = excluded.presence",
            {occupant.room.bare_view(), occupant.jid.text(), occupant.nick, occupant.role,
             Blob{occupant.presence}}));
    return {};
}

Result<std::vector<RoomOccupantRow>> Rooms::take_occupants() {
    std::vector<RoomOccupantRow> occupants;
    TRY(transaction_.query(
        "SELECT room, jid, nick, role, presence FROM room_occupants ORDER BY room, jid", {},
        [&](const Row& row) {
            auto room = xmpp::Jid::parse(row.text(0));
            auto jid = xmpp::Jid::parse(row.text(1));
            if (!room || !jid) return row.mark_corrupt();
            occupants.push_back({.room = std::move(*room),
                                 .jid = std::move(*jid),
                                 .nick = std::string(row.text(2)),
                                 .role = static_cast<std::uint8_t>(row.int64(3)),
                                 .presence = std::string(row.blob(4))});
        }));
    std::vector<xmpp::Jid> abandoned;
    TRY(transaction_.query(
        "SELECT name, host FROM rooms WHERE persistent = 0 AND NOT EXISTS "
        "(SELECT 1 FROM room_occupants WHERE room = rooms.name || '@' || rooms.host)",
        {}, [&](const Row& row) {
            auto room = jid_of(row, row.text(1));
            if (!room) return row.mark_corrupt();
            abandoned.push_back(std::move(*room));
        }));
    for (const xmpp::Jid& room : abandoned)
        TRY(remove(room));
    TRY(transaction_.execute("DELETE FROM room_occupants"));
    return occupants;
}

}  // namespace storage
