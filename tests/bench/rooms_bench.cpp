// Rooms: what one takes in memory that nobody talks in, loaded from the database, by its occupants
// and by what was said there before; and what it costs a room to let somebody in.
#include "server/modules/muc/rooms.h"
#include "storage/tables/messages.h"
#include "storage/tables/rooms.h"
#include "tests/bench/bare_server.h"
#include "xmpp/xml/read_stanza.h"

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace server {
namespace {

using modules::muc::OccupantIds;
using modules::muc::RoomConfig;
using modules::muc::Rooms;
using storage::Transaction;

constexpr int kRooms = 2000;
constexpr int kAtOnce = 20;

/// What a usual client says of itself: its capabilities (XEP-0115).
constexpr std::string_view kPresence =
    "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://client.example'"
    " ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>";

xmpp::Jid room_of(int number) {
    return *xmpp::Jid::parse("room-" + std::to_string(number) + "@rooms.example.org");
}

/// One shard's rooms over a database in memory.
class Service {
public:
    /// So many messages in the archive of each room.
    explicit Service(int messages) {
        bare_.on_shard([&] {
            rooms_.emplace(Rooms::Parts{bare_.sim.world(), *bare_.router, *bare_.database,
                                        bare_.ids, occupant_ids_, bare_.metrics},
                           modules::muc::RoomsSettings{});
            for (int room = 0; room < kRooms; ++room)
                make(room_of(room), messages);
        });
        bare_.sim.advance(std::chrono::seconds(1));
    }
    ~Service() {
        bare_.on_shard([this] { rooms_.reset(); });
    }
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// All rooms, each with so many people in it.
    void load(int occupants) {
        // A few at a time: coroutines keep the memory of as many as there ever were at once.
        for (int first = 0; first < kRooms; first += kAtOnce) {
            bare_.on_shard([&] {
                for (int room = first; room < first + kAtOnce; ++room)
                    occupants == 0 ? ask(room_of(room)) : fill(room_of(room), occupants);
            });
            bare_.sim.advance(std::chrono::milliseconds(1));
        }
        if (rooms_->loaded(room_of(kRooms - 1)) == nullptr) std::abort();
    }

private:
    void make(const xmpp::Jid& room, int messages) {
        const auto save = [room, messages, at = bare_.sim.world().clock.wall()](
                              Transaction& transaction) -> base::Result<void> {
            storage::Rooms rooms(transaction);
            RoomConfig config;
            config.persistent = true;
            const std::string said =
                "<message xmlns='jabber:client' type='groupchat' id='6f1d2b8e-5f0c-4f5e-9d1c' "
                "from='" +
                room.text() +
                "/thirdwitch'><body>Thrice the brinded cat hath mew'd, and one more line of the "
                "usual length.</body><x xmlns='http://jabber.org/protocol/muc#user'>"
                "<item jid='user-1@example.org/laptop'/></x></message>";
            TRY(rooms.put(room, {.name = "A room",
                                 .listed = true,
                                 .persistent = true,
                                 .config = save_config(config)}));
            const storage::RoomAffiliationRow owner{
                .jid = *xmpp::Jid::parse("owner-of-it@example.org"),
                .affiliation = storage::RoomAffiliation::owner};
            static_cast<void>(TRY(rooms.put_affiliations(room, std::span(&owner, 1))));
            for (int i = 0; i < messages; ++i) {
                const storage::MessageCopy copy{.owner = room,
                                                .peer = *xmpp::Jid::parse("user-1@example.org/a"),
                                                .outgoing = false,
                                                .groupchat = true,
                                                .archived = true,
                                                .deliveries = {}};
                static_cast<void>(
                    TRY(storage::Messages(transaction).append(at, said, std::span(&copy, 1))));
            }
            return {};
        };
        bare_.database->write(save).detach("bench");
    }

    void ask(const xmpp::Jid& room) {
        xmpp::Stanza question = xmpp::Stanza::iq(xmpp::IqType::get, "d");
        question.set_from(*xmpp::Jid::parse("user-1@example.org/laptop"));
        question.set_to(room);
        question.edit().add_child("query", "http://jabber.org/protocol/disco#info");
        rooms_->receive(std::move(question), {});
    }

    void fill(const xmpp::Jid& room, int occupants) {
        for (int i = 0; i < occupants; ++i)
            rooms_->restore({.room = room,
                             .jid = *xmpp::Jid::parse("user-" + std::to_string(i) +
                                                      "@example.org/client.6f1d2b8e"),
                             .nick = "Witch " + std::to_string(i),
                             .role = 2,
                             .presence = std::string(kPresence)});
    }

    bench::BareServer bare_;
    OccupantIds occupant_ids_{std::string(OccupantIds::kSecretBytes, 's')};
    std::optional<Rooms> rooms_;
};

// Arguments: occupants of a room, messages in its archive. The counter "bytes" is for one room with
// everybody in it.
void memory_of_idle_rooms(benchmark::State& state) {
    const auto occupants = static_cast<int>(state.range(0));
    for (auto _ : state) {
        Service service(static_cast<int>(state.range(1)));
        const std::size_t before = mallinfo2().uordblks;
        service.load(occupants);
        state.counters["bytes"] =
            static_cast<double>(mallinfo2().uordblks - before) / static_cast<double>(kRooms);
    }
}
BENCHMARK(memory_of_idle_rooms)
    ->ArgNames({"occupants", "messages"})
    ->Args({0, 0})
    ->Args({0, 20})
    ->Args({1, 20})
    ->Args({10, 0})
    ->Args({10, 20})
    ->Args({100, 0})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

// Argument: occupants who are there. One more enters, is shown all of them page by page, and
// leaves; what is sent is thrown away. The counter "stanzas" is what that was, for everybody.
void entering_a_room(benchmark::State& state) {
    using modules::muc::Effects;
    const auto occupants = static_cast<std::uint32_t>(state.range(0));
    const OccupantIds ids(std::string(OccupantIds::kSecretBytes, 's'));
    const modules::muc::RoomLimits limits{.occupants_max = occupants + 1};
    const modules::muc::RoomService service;
    modules::muc::SharedTexts texts;
    modules::muc::Room room(
        {.jid = room_of(0), .ids = ids, .limits = limits, .service = service, .texts = texts},
        {.config = {}, .subject = {}, .affiliations = {}});
    for (std::uint32_t i = 0; i < occupants; ++i) {
        const std::string name = "user" + std::to_string(i);
        room.restore(name, xmpp::MucRole::participant,
                     *xmpp::Jid::parse(name + "@example.org/phone"), std::string(kPresence));
    }
    const auto stanza = [](std::string_view attribute, std::string_view content) {
        return *xmpp::read_stanza("<presence xmlns='jabber:client' from='late@example.org/phone' " +
                                  std::string(attribute) + " to='room-0@rooms.example.org/late'>" +
                                  std::string(content) + "</presence>");
    };
    const xmpp::Stanza enters =
        stanza("", std::string(kPresence) + "<x xmlns='http://jabber.org/protocol/muc'/>");
    const xmpp::Stanza leaves = stanza("type='unavailable'", "");
    std::size_t stanzas = 0;
    for (auto _ : state) {
        Effects effects;
        room.on_presence(enters, {}, effects);
        stanzas = 0;
        const auto take = [&] {
            for (const auto& one : effects)
                stanzas += one.to.size();
            effects.clear();
        };
        for (const xmpp::Jid& client : room.take_new_entries())
            while (room.continue_entry(client, {}, effects))
                take();
        take();
        room.on_presence(leaves, {}, effects);
        benchmark::DoNotOptimize(effects);
    }
    state.counters["stanzas"] = static_cast<double>(stanzas);
}
BENCHMARK(entering_a_room)
    ->ArgName("occupants")
    ->Arg(100)
    ->Arg(1000)
    ->Arg(2500)
    ->Arg(5000)
    ->Arg(10'000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace server
