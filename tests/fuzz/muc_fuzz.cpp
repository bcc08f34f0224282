// What clients say to rooms (XEP-0045), from arbitrary XML: no element crashes a parser, and no
// stanza a room. Everything that a room sends can be read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "reactor/base/check.h"
#include "server/modules/muc/room.h"
#include "tests/fuzz/stanzas.h"
#include "xmpp/core/element.h"
#include "xmpp/core/stanza.h"
#include "xmpp/xml/read_stanza.h"

namespace {

using namespace server::modules::muc;

constexpr base::WallTime kNow{1'278'803'305'000'000};

void check_sent(const Effects& effects) {
    for (const Delivery& delivery : effects) {
        CHECK(delivery.count() > 0);
        xmpp::Stanza copy = delivery.stanza;
        copy.set_to(delivery.to_all != nullptr ? delivery.to_all->front() : delivery.to.front());
        CHECK(xmpp::read_stanza(copy.to_xml()).has_value());
    }
}

void take(Room& room, xmpp::Stanza stanza, bool from_owner) {
    stanza.set_from(*xmpp::Jid::parse(from_owner ? "crone1@shakespeare.lit/desktop"
                                                 : "hag66@shakespeare.lit/pda"));
    if (!stanza.to() || !stanza.to()->same_bare(room.jid())) stanza.set_to(room.jid());
    if (stanza.is_iq() && stanza.check_iq()) return;
    Effects effects;
    Outcome outcome;
    if (stanza.is_presence()) {
        room.on_presence(stanza, kNow, effects);
    } else if (stanza.is_message()) {
        outcome = room.on_message(stanza, kNow, effects);
    } else {
        static_cast<void>(room.on_iq(stanza, effects, outcome));
    }
    if (auto* said = std::get_if<Reflection>(&outcome)) {
        room.reflect(std::move(*said), kNow, "id", effects);
    } else if (auto* change = std::get_if<RoomChange>(&outcome)) {
        room.apply(std::move(*change), kNow, "id", effects);
    }
    check_sent(effects);
    CHECK(room.destroyed() || room.affiliations().owners() > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const OccupantIds ids(std::string(OccupantIds::kSecretBytes, 's'));
    static const RoomLimits limits;
    static const RoomService service;
    SharedTexts texts;
    Room room = Room::make_new({.jid = *xmpp::Jid::parse("coven@chat.shakespeare.lit"),
                                .ids = ids,
                                .limits = limits,
                                .service = service,
                                .texts = texts},
                               {}, *xmpp::Jid::parse("crone1@shakespeare.lit"));
    bool from_owner = true;
    fuzz::for_each_stanza(data, size, 32, [&](xmpp::StanzaElement& element) {
        auto stanza =
            xmpp::Stanza::from_element(std::move(element.element), std::move(element.raw_inner));
        if (stanza) take(room, *std::move(stanza), from_owner);
        from_owner = !from_owner;
        return !room.destroyed();
    });
    return 0;
}
