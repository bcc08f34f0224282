// Occupant ids (XEP-0421): the same for one user in one room, ever; they tell nothing about the
// user and differ from room to room.
#pragma once

#include "xmpp/core/element.h"
#include "xmpp/core/jid.h"

#include <string>

namespace server::modules::muc {

class OccupantIds {
public:
    static constexpr std::size_t kSecretBytes = 32;

    /// `secret`: kSecretBytes random bytes, the same on all shards and over restarts.
    explicit OccupantIds(std::string secret);

    /// 32 hexadecimal digits; of the bare address.
    std::string of(const xmpp::Jid& room, const xmpp::Jid& user) const;
    xmpp::Element element_of(const xmpp::Jid& room, const xmpp::Jid& user) const;

private:
    std::string secret_;
};

}  // namespace server::modules::muc
