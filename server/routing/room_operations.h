// RoomOperations: what an operator may ask of the server's chat rooms, by parleyctl or by ad-hoc
// commands. The module of the rooms implements it; everybody else only sees these values.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/deferred.h"
#include "xmpp/core/jid.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace server {

struct RoomSummary {
    xmpp::Jid room;  ///< Bare.
    std::string name{};
};
struct RoomSummaryPage {
    std::vector<RoomSummary> rooms{};
    std::string next{};  ///< Pass as `after` for the next page; empty: that was the last.
};

struct RoomDetails {
    struct Person {
        xmpp::Jid jid;  ///< Bare, or a domain.
        std::string affiliation{};
        std::string nick{};
        std::string reason{};
    };
    struct Occupant {
        std::string nick{};
        xmpp::Jid jid;  ///< Full.
        std::string role{};
    };
    using Setting = std::pair<std::string, std::vector<std::string>>;

    xmpp::Jid room;
    base::WallTime created_at{};
    std::string subject{};
    std::vector<Setting> settings{};  ///< By the names of muc#roomconfig; without the password.
    std::vector<Person> people{};     ///< Owners first.
    std::vector<Occupant> occupants{};
};

struct RoomMessagePage {
    struct Message {
        std::string id{};  ///< In the room's archive.
        base::WallTime at{};
        std::string xml{};  ///< As it was sent, with the speaker's real address in muc#user.
    };
    std::vector<Message> messages{};
    std::string next{};
};

/// Every call is made on shard 0 and answers there. Failures carry a sentence for the operator:
/// not_found (no such room, no such service), already_exists, invalid_argument, storage's.
class RoomOperations {
public:
    static constexpr std::size_t kPageMax = 1000;
    static constexpr std::size_t kMessagePageMax = 100;

    virtual ~RoomOperations() = default;

    /// Of one service, or of all (empty), hidden rooms as well; behind `after`, at most `limit`.
    virtual reactor::Deferred<RoomSummaryPage> list(std::string service, std::string after,
                                                    std::size_t limit) = 0;
    virtual reactor::Deferred<RoomDetails> describe(xmpp::Jid room) = 0;
    /// Its archive, oldest first.
    virtual reactor::Deferred<RoomMessagePage> messages(xmpp::Jid room, std::string after,
                                                        std::size_t limit) = 0;
    /// A persistent one, configured as new rooms are.
    virtual reactor::Deferred<void> create(xmpp::Jid room, xmpp::Jid owner, std::string name) = 0;
    /// With all it has; who is in it is told, and of the other venue.
    virtual reactor::Deferred<void> destroy(xmpp::Jid room, std::optional<xmpp::Jid> venue,
                                            std::string reason) = 0;
    /// `affiliation`: owner, admin, member, none, outcast. A room keeps its last owner.
    virtual reactor::Deferred<void> set_affiliation(xmpp::Jid room, xmpp::Jid user,
                                                    std::string affiliation,
                                                    std::string reason) = 0;
};

}  // namespace server
