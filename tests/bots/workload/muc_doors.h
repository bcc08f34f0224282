// MucDoors: how bots find the chat service, make rooms, enter and leave them (XEP-0045), and how
// long that takes. Of one shard.
#pragma once

#include "reactor/deferred.h"
#include "tests/bots/run/crew.h"
#include "tests/bots/workload/muc_seats.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace bots {

class MucDoors {
public:
    MucDoors(Crew& crew, const MucSeats& seats) : crew_(crew), seats_(seats) {}

    /// Asks the server which of its services has rooms (XEP-0045 §6.1). Fails with unsupported.
    reactor::Deferred<void> find_service();
    /// The founders of this shard's make their rooms, as the service configures them (§10.1.2).
    reactor::Deferred<void> make_rooms();
    /// Everybody of this shard enters, so many at a time; each counts as "join".
    reactor::Deferred<void> enter_all(std::size_t at_once);
    /// The bot leaves its room and enters it again, which counts as "reentry".
    reactor::Deferred<void> reenter(BotNumber bot);

    /// The room's address, for an attribute.
    std::string room_of(BotNumber bot) const;
    /// To be told of all presence.
    void on_presence(BotNumber bot, const xmpp::Stanza& presence);

private:
    std::string nick_of(BotNumber bot) const;
    reactor::Deferred<void> make_room(BotNumber founder);
    reactor::Deferred<void> enter_some(const std::vector<BotNumber>& bots, std::size_t& next);
    /// Until the room has told the bot that it is in, or out.
    reactor::Deferred<void> pass(BotNumber bot, std::string presence);
    reactor::Deferred<void> enter(BotNumber bot, std::string_view figure);
    reactor::Deferred<std::vector<std::string>> items();

    Crew& crew_;
    const MucSeats& seats_;
    std::string service_;
    std::unordered_map<BotNumber, reactor::Promise<void>> at_door_;
};

}  // namespace bots
