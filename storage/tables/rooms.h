// Rooms: chat rooms (XEP-0045) with their affiliations, and who was in them when the server
// stopped. Configuration and subject are opaque here. A room's messages are its archive
// (archive.h), under its address.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "storage/schema.h"
#include "storage/transaction.h"
#include "xmpp/core/jid.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

/// Grows with every change of a room's affiliations; opaque to clients (XEP-0463).
using RoomVersion = std::int64_t;

/// What a row says of a room; the address is apart.
struct RoomRow {
    std::string name{};
    bool listed = false;
    bool persistent = false;
    std::string config{};
    std::string subject{};
    base::WallTime subject_at{};
    base::WallTime created_at{};
};

/// Stored as these numbers: append only. `none` is a tombstone: somebody who had another one.
enum class RoomAffiliation : std::uint8_t {
    outcast = 0,
    none = 1,
    member = 2,
    admin = 3,
    owner = 4
};

struct RoomAffiliationRow {
    xmpp::Jid jid;  ///< Bare, or a domain.
    RoomAffiliation affiliation = RoomAffiliation::none;
    std::string nick{};
    std::string reason{};
    RoomVersion version = 0;  ///< Of the change that made it so; not looked at when it is put.

    friend bool operator==(const RoomAffiliationRow&, const RoomAffiliationRow&) = default;
};

/// A role that outlasts a visit (XEP-0045 §5.1).
struct RoomRoleRow {
    xmpp::Jid jid;          ///< Bare.
    std::uint8_t role = 0;  ///< 0: none is kept.

    friend bool operator==(const RoomRoleRow&, const RoomRoleRow&) = default;
};

/// What a room has of hats (XEP-0317), as a whole.
struct RoomHats {
    struct Hat {
        std::string uri{};
        std::string title{};
        std::string hue{};

        friend bool operator==(const Hat&, const Hat&) = default;
    };
    struct Worn {
        xmpp::Jid jid;  ///< Bare.
        std::string uri{};

        friend bool operator==(const Worn&, const Worn&) = default;
    };
    std::vector<Hat> hats{};
    std::vector<Worn> worn{};

    friend bool operator==(const RoomHats&, const RoomHats&) = default;
};

/// Somebody waits for the room's admins to let them register (XEP-0045 §9.9).
struct RoomRequestRow {
    xmpp::Jid jid;       ///< Bare.
    std::string nick{};  ///< The one that is asked for; empty: they wait no more.

    friend bool operator==(const RoomRequestRow&, const RoomRequestRow&) = default;
};

struct RoomState {
    RoomRow row;
    std::vector<RoomAffiliationRow> affiliations;  ///< With tombstones, by version.
    RoomVersion version = 0;
    RoomVersion forgotten = 0;         ///< Removals up to this one are not known any more.
    std::vector<RoomRoleRow> roles{};  ///< Oldest first.
    RoomHats hats{};
    std::vector<RoomRequestRow> requests{};  ///< Oldest first.
};

/// A client in a room, over a restart.
struct RoomOccupantRow {
    xmpp::Jid room;  ///< Bare.
    xmpp::Jid jid;   ///< Full.
    std::string nick{};
    std::uint8_t role = 0;
    std::string presence{};
};

struct RoomListing {
    xmpp::Jid jid;
    std::string name{};
};
struct RoomPage {
    std::vector<RoomListing> rooms;
    /// Of the first one among all, and how many there are, up to kRoomCountMax: counting more costs
    /// too much for a question that anybody may ask.
    std::optional<std::int64_t> index = {};
    std::optional<std::int64_t> count = {};
};
struct RoomListQuery {
    bool hidden = false;                     ///< Rooms that are not listed as well.
    std::optional<std::string> after = {};   ///< Localparts.
    std::optional<std::string> before = {};  ///< Pages backwards from there; "": from the end.
    std::uint32_t max = 100;                 ///< At most kRoomPageMax.
};

inline constexpr std::uint32_t kRoomPageMax = 1000;
inline constexpr std::int64_t kRoomCountMax = 10'000;
/// Removed affiliations that are remembered, per room.
inline constexpr std::int64_t kRoomTombstonesMax = 1000;
inline constexpr std::size_t kRoomConfigBytesMax = 65'536;
/// Roles that are kept, per room; with one more the oldest is forgotten.
inline constexpr std::int64_t kRoomRolesMax = 1000;

/// `room` is a bare JID everywhere.
class Rooms {
public:
    explicit Rooms(Transaction& transaction) : transaction_(transaction) {}

    base::Result<std::optional<RoomState>> load(const xmpp::Jid& room);
    /// Makes it or replaces its row; affiliations stay. Errors: resource_exhausted over
    /// kRoomConfigBytesMax.
    base::Result<void> put(const xmpp::Jid& room, const RoomRow& row);
    /// Errors: not_found.
    base::Result<void> set_subject(const xmpp::Jid& room, std::string_view subject,
                                   base::WallTime at);
    /// Applies all, each with the next version; yields the last. Errors: not_found when there is no
    /// such room.
    base::Result<RoomVersion> put_affiliations(const xmpp::Jid& room,
                                               std::span<const RoomAffiliationRow> changes);
    /// Keeps or forgets roles, each as the newest.
    base::Result<void> put_roles(const xmpp::Jid& room, std::span<const RoomRoleRow> roles);
    base::Result<void> forget_roles(const xmpp::Jid& room);
    /// Keeps or forgets requests, each as the newest. How many there may be is the caller's.
    base::Result<void> put_requests(const xmpp::Jid& room,
                                    std::span<const RoomRequestRow> requests);
    /// Replaces what there was.
    base::Result<void> put_hats(const xmpp::Jid& room, const RoomHats& hats);
    /// With its affiliations, vCard and archive. True when there was one.
    base::Result<bool> remove(const xmpp::Jid& room);

    /// Rooms of `host` that may be listed, by localpart.
    base::Result<RoomPage> listed(std::string_view host, const RoomListQuery& query);
    base::Result<std::int64_t> count(std::string_view host);
    /// Of how many rooms `user` is an owner.
    base::Result<std::int64_t> owned_by(const xmpp::Jid& user);

    /// Accounts that were removed and may still belong to rooms.
    base::Result<std::vector<xmpp::Jid>> departed();
    /// Rooms to which `user` belongs: a member or more, with voice that was granted, with a hat,
    /// waiting to be registered.
    /// Behind `after` (a bare JID as text), by address.
    base::Result<std::vector<xmpp::Jid>> rooms_of(const xmpp::Jid& user, std::string_view after,
                                                  std::uint32_t limit);
    /// All rooms have taken note of it.
    base::Result<void> forget_departed(const xmpp::Jid& user);

    /// Who is in which room, for the time without a server.
    base::Result<void> save_occupants(std::span<const RoomOccupantRow> occupants);
    /// All of them, once: they are forgotten. Temporary rooms that nobody is in are removed.
    base::Result<std::vector<RoomOccupantRow>> take_occupants();

private:
    Transaction& transaction_;
};

extern const StoreSchema kRoomsSchema;

}  // namespace storage
