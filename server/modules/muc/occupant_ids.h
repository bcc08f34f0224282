// Occupant ids (XEP-0421): the same for one user in one room, ever; they tell nothing about the
// user and differ from room to room.
#pragma once

#include "xmpp/core/element.h"
#include "xmpp/core/jid.h"
#include "xmpp/core/stanza.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace server::modules::muc {

using OccupantId = std::array<std::uint8_t, 16>;

class OccupantIds {
public:
    static constexpr std::size_t kSecretBytes = 32;

    /// `secret`: kSecretBytes random bytes, the same on all shards and over restarts.
    explicit OccupantIds(std::string secret);

    /// Of the bare address.
    OccupantId of(const xmpp::Jid& room, const xmpp::Jid& user) const;
    /// The id in 32 hexadecimal digits.
    static xmpp::Element element_of(const OccupantId& id);
    xmpp::Element element_of(const xmpp::Jid& room, const xmpp::Jid& user) const;

private:
    std::string secret_;
};

/// The id that a room put into `stanza`; empty when there is none. Valid as long as the stanza is.
std::string_view occupant_id_of(const xmpp::Stanza& stanza);

}  // namespace server::modules::muc
