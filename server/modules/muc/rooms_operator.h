// RoomsOperator: the operator's hand on the rooms of all shards (server/routing/room_operations.h).
// Lives on shard 0. What changes a room stands in that room's line like everything else.
#pragma once

#include "reactor/world.h"
#include "server/modules/muc/rooms.h"
#include "server/routing/archive_id.h"
#include "server/routing/room_operations.h"

#include <string>
#include <vector>

namespace server::modules::muc {

class RoomsOperator final : public RoomOperations {
public:
    struct Parts {
        reactor::World& world;
        storage::Database& database;
        const ArchiveIds& archive_ids;
    };

    /// `services`: the domains that have rooms.
    explicit RoomsOperator(Parts parts) : parts_(parts) {}
    void serve(std::string service) { services_.push_back(std::move(service)); }
    /// The rooms of all shards, index = shard id.
    void connect(std::vector<Rooms*> all) { all_ = std::move(all); }

    reactor::Deferred<RoomSummaryPage> list(std::string service, std::string after,
                                            std::size_t limit) override;
    reactor::Deferred<RoomDetails> describe(xmpp::Jid room) override;
    reactor::Deferred<RoomMessagePage> messages(xmpp::Jid room, std::string after,
                                                std::size_t limit) override;
    reactor::Deferred<void> create(xmpp::Jid room, xmpp::Jid owner, std::string name) override;
    reactor::Deferred<void> destroy(xmpp::Jid room, std::optional<xmpp::Jid> venue,
                                    std::string reason) override;
    reactor::Deferred<void> set_affiliation(xmpp::Jid room, xmpp::Jid user, std::string affiliation,
                                            std::string reason) override;

private:
    base::Result<void> check(const xmpp::Jid& room) const;
    reactor::Deferred<void> order(xmpp::Jid room, RoomOrder order);

    Parts parts_;
    std::vector<std::string> services_;
    std::vector<Rooms*> all_;
};

}  // namespace server::modules::muc
