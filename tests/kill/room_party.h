// RoomParty: the guests of a few rooms, and the book of what they said and heard.
#pragma once

#include "tests/kill/room_guest.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace talkers {

class RoomParty {
public:
    RoomParty(bots::ClientShared& shared, reactor::TaskSet& tasks, std::uint32_t guests,
              std::uint16_t port);

    void begin();
    void tick();
    void settle_down();
    /// Everybody is in their room and has been answered.
    bool at_rest() const;
    /// Reads what is left behind, and judges.
    reactor::Deferred<void> audit();
    /// "said 5 heard 20 …", for the books.
    std::string text() const;
    bool clean() const { return faults_ == 0 && (guests_.empty() || book_.totals().heard > 0); }

private:
    void complain(const std::string& what);

    reactor::TaskSet& tasks_;
    test::RoomBook book_;
    std::uint64_t faults_ = 0;
    std::vector<std::unique_ptr<RoomGuest>> guests_;
};

}  // namespace talkers
