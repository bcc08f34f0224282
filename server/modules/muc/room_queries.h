// RoomQueries: what is asked of a room's vCard (XEP-0486), which everybody may have, and of its
// archive (XEP-0313): its form, its ends, its pages. Whoever may enter may ask that. Real
// addresses, which the archive keeps behind each message, are only in answers to those who may see
// them now.
#pragma once

#include "reactor/base/units.h"
#include "reactor/task_set.h"
#include "reactor/world.h"
#include "server/modules/muc/room.h"
#include "server/observe/metrics.h"
#include "server/routing/archive_id.h"
#include "server/routing/iq_routes.h"
#include "server/routing/router.h"
#include "server/routing/shares.h"
#include "storage/tables/archive.h"
#include "xmpp/payloads/mam.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

namespace storage {
class Database;
}

namespace server::modules::muc {

class RoomQueries {
public:
    /// Queries under way on this shard, of one user and of all; one more gets resource-constraint.
    static constexpr Shares::Limits kUnderWay{.each_count_max = 200,
                                              .each_bytes_max = base::operator""_MiB(2),
                                              .all_count_max = 4000,
                                              .all_bytes_max = base::operator""_MiB(64)};
    /// So many of one user run at a time, the others wait for their turn: whoever catches up with
    /// all rooms at once leaves room for others.
    static constexpr std::size_t kRunningMax = 8;

    struct Parts {
        reactor::World& world;
        Router& router;
        storage::Database& database;
        const ArchiveIds& ids;
        Metrics& metrics;
    };
    struct Settings {
        std::uint32_t page_max = 100;
        std::size_t page_bytes_max = 65'536;  ///< Sent at once: less than a session may queue.
    };

    explicit RoomQueries(Parts parts);
    void set(const Settings& settings) { settings_ = settings; }

    static bool concerns(const xmpp::Stanza& request);
    /// Answers later, from `room`'s address.
    void answer(const Room& room, xmpp::Stanza request);

private:
    /// A user's queries: so many run, and the others are told when it is their turn.
    struct Line {
        std::size_t running = 0;
        std::list<reactor::Promise<void>> waiting;
    };

    reactor::Deferred<void> take_turn(xmpp::Stanza request, bool sees_addresses);
    void end_turn(const std::string& user);
    reactor::Deferred<void> run(xmpp::Stanza request, bool sees_addresses);
    reactor::Deferred<IqReply> page(xmpp::Stanza request, bool sees_addresses);
    reactor::Deferred<IqReply> metadata(xmpp::Jid room);
    reactor::Deferred<IqReply> vcard(xmpp::Jid room);
    IqReply send(const xmpp::Stanza& request, const xmpp::MamQuery& query,
                 const storage::ArchiveQuery& planned, const storage::ArchivePage& page,
                 bool sees_addresses);
    void reply(const xmpp::Stanza& request, IqReply answer);

    Parts parts_;
    Settings settings_;
    Counter& queries_;
    Shares under_way_{kUnderWay};
    std::unordered_map<std::string, Line> lines_;  // By bare address.
    reactor::TaskSet tasks_;                       // Last: ends before what the tasks use.
};

/// `stanza`, from the archive, without the real address of its sender, which stands last in it.
std::string without_address(std::string_view stanza);

}  // namespace server::modules::muc
