// What rooms and their service say of themselves in service discovery (XEP-0045 §6, XEP-0128).
#pragma once

#include "server/modules/muc/room.h"
#include "xmpp/payloads/disco.h"

#include <optional>
#include <string_view>

namespace server::modules::muc {

/// Of the service; `name` is for people.
xmpp::DiscoInfo service_info(std::string_view name);

/// Of a room (§6.4): what bears on privacy and security, and the roominfo form.
xmpp::DiscoInfo room_info(const Room& room);

/// The nick reserved for `user` (§7.12), node x-roomuser-item.
xmpp::DiscoInfo reserved_nick(const Room& room, const xmpp::Jid& user);

/// The answer to a request to the room's own address that only needs looking: service discovery and
/// pings. Outer nullopt: it is something else; inner: an empty result.
using RoomAnswer = base::Result<std::optional<xmpp::Element>, xmpp::StanzaError>;
std::optional<RoomAnswer> answer_about(const Room& room, const xmpp::Stanza& request);

inline constexpr std::string_view kReservedNickNode = "x-roomuser-item";
inline constexpr std::string_view kTrafficNode = "http://jabber.org/protocol/muc#traffic";

}  // namespace server::modules::muc
