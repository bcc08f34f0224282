// RoomGuest: an account that is in a room, talks there, and comes back whenever its session was
// lost. The first of a room changes affiliations as well: what was answered must be in force in the
// end.
#pragma once

#include "tests/support/room_client.h"

#include <cstdint>

namespace talkers {

class RoomGuest final : public test::RoomClient {
public:
    RoomGuest(Parts parts, std::uint32_t number, std::uint32_t room, bool leads,
              std::uint16_t port);

    bool leads() const { return leads_; }
    /// Connects, again and again.
    reactor::Deferred<void> stay_online();
    /// Now and then: comes in, says something, changes something.
    void tick();
    /// No more of that, but it stays, and comes in if it is not.
    void settle_down() { talks_ = false; }

private:
    void change_affiliation();

    const bool leads_;
    bool talks_ = true;
    std::uint32_t ticks_ = 0;
};

}  // namespace talkers
