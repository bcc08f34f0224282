#include "tests/kill/room_guest.h"

#include <fmt/format.h>
#include <chrono>
#include <iterator>
#include <utility>

namespace talkers {
namespace {

using namespace std::chrono_literals;

/// How often the one who leads changes something.
constexpr std::uint32_t kTicksPerChange = 10;
/// Half the pace that a room allows.
constexpr std::uint32_t kTicksPerWord = 2;
constexpr std::uint32_t kUsers = 20;
constexpr std::string_view kAffiliations[] = {"member", "outcast", "admin", "none"};

test::RoomClient::Place place_of(std::uint32_t number, std::uint32_t room, bool leads) {
    return {.number = number,
            .room = room,
            .address = *xmpp::Jid::parse(fmt::format("room{}@rooms.localhost", room)),
            .nick = fmt::format("guest {}", number),
            .founds = leads,
            // Others would go with the server.
            .config = {{"muc#roomconfig_persistentroom", "1"}}};
}

bots::ClientOptions options_for(std::uint32_t number, std::uint16_t port) {
    bots::ClientOptions options;
    options.jid = *xmpp::Jid::parse(fmt::format("guest{}@localhost/phone", number));
    options.password = "correct horse battery";
    options.addresses.push_back({"127.0.0.1", port});
    return options;
}

}  // namespace

RoomGuest::RoomGuest(Parts parts, std::uint32_t number, std::uint32_t room, bool leads,
                     std::uint16_t port)
    : RoomClient(std::move(parts), place_of(number, room, leads), options_for(number, port)),
      leads_(leads) {}

reactor::Deferred<void> RoomGuest::stay_online() {
    return client().stay_online({.initial = 20ms, .max = 300ms, .attempts_max = 1'000'000});
}

void RoomGuest::tick() {
    if (!online()) return;
    if (!is_in()) return enter();
    if (!talks_) return;
    if (++ticks_ % kTicksPerChange == 0 && leads_) change_affiliation();
    if (ticks_ % kTicksPerWord == 0) say();
}

void RoomGuest::change_affiliation() {
    const std::uint32_t turn = ticks_ / kTicksPerChange;
    set_affiliation(fmt::format("user{}@localhost", turn % kUsers),
                    kAffiliations[turn / kUsers % std::size(kAffiliations)]);
}

}  // namespace talkers
