// History: the last messages of a room, for those who enter (XEP-0045 §7.2.13, §7.2.14). In memory,
// as text, because rooms are many and newcomers few; what lasts is the room's archive.
#pragma once

#include "reactor/base/clock.h"
#include "xmpp/core/stanza.h"
#include "xmpp/payloads/muc.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

namespace server::modules::muc {

class History {
public:
    /// Bytes of stanzas that are kept, whatever their number.
    static constexpr std::size_t kBytesMax = 262'144;

    /// A message as it was reflected, without 'to'. The oldest beyond `messages_max` go.
    void add(const xmpp::Stanza& message, base::WallTime at, std::uint32_t messages_max);
    /// One that is older than all that are here. False: there is no place for it.
    bool add_older(const xmpp::Stanza& message, base::WallTime at, std::uint32_t messages_max);
    /// The message with that id of the room (XEP-0359) is not to be shown any more. `occupant_id`:
    /// only if it is that occupant's (XEP-0421); empty: anybody's.
    void remove(const xmpp::Jid& room, std::string_view stanza_id,
                std::string_view occupant_id = {});
    void trim(std::uint32_t messages_max);

    void clear();

    /// The newest ones within `wanted`, oldest first, addressed and stamped by `room`. Complete
    /// ones; their characters together are at most `wanted.characters`.
    std::vector<xmpp::Stanza> replay(const xmpp::Jid& room, const xmpp::Jid& to,
                                     const xmpp::MucHistoryLimits& wanted,
                                     base::WallTime now) const;

    std::size_t size() const { return messages_.size(); }

private:
    struct Message {
        std::string xml;
        base::WallTime at;
    };
    void drop_oldest();

    std::list<Message> messages_;
    std::size_t bytes_ = 0;
};

}  // namespace server::modules::muc
