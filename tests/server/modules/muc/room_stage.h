// RoomStage: a room without a server. People send stanzas; what each of them hears is collected as
// one short line a stanza, so that a test reads like the conversation:
//   +nick affiliation/role [jid] {codes}   available presence, - for unavailable
//   nick: text          a groupchat message; (nick) text: a private one; nick# subject
//   ! condition type    an error;  {codes}: a message of the room with codes
#pragma once

#include "server/modules/muc/room.h"

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server::modules::muc::test {

class RoomStage {
public:
    /// The room of the XEP's examples; crone1@shakespeare.lit is its owner. `configured`: unlocked.
    explicit RoomStage(const RoomConfig& config = {}, bool configured = true);

    /// A stanza of `from`, without addresses of its own but 'to', which may be "/nick" for an
    /// occupant or absent for the room. Changes are saved and applied.
    void send(std::string_view from, std::string_view xml);
    /// `from` enters as `nick`; what is heard of it by anybody is forgotten.
    void enter(std::string_view from, std::string_view nick);
    /// An owner's or admin's request, answered with a result (checked) or thrown away.
    void admin(std::string_view from, std::string_view items);
    /// The next page for one who enters a large room; true: there is more.
    bool continue_entry(std::string_view jid);
    void affiliate(std::string_view bare, std::string_view affiliation);
    void configure(std::string_view fields);

    /// What the service wants of it: applied.
    void apply(RoomChange change);

    /// The lines that `jid` heard since the last time, joined by "\n".
    std::string heard(std::string_view jid);
    /// The stanzas themselves.
    std::vector<xmpp::Stanza> taken(std::string_view jid);
    /// Whom anything was sent to, in the order of sending, and what ("jid line").
    std::vector<std::string> everything();
    void forget() { sent_.clear(); }

    Room& room() { return room_; }
    bool saves = true;  ///< False: changes fail and are not applied.
    RoomLimits limits{};
    RoomService service{};
    base::WallTime now{1'000'000'000'000'000};
    std::string last_error{};

private:
    void collect(Effects effects);

    OccupantIds ids_;
    SharedTexts texts_;
    Room room_;
    std::vector<std::pair<xmpp::Jid, xmpp::Stanza>> sent_;
    int last_id_ = 0;
};

/// One stanza as a line.
std::string line_of(const xmpp::Stanza& stanza);

inline constexpr std::string_view kCrone = "crone1@shakespeare.lit/desktop";
inline constexpr std::string_view kWicca = "wiccarocks@shakespeare.lit/laptop";
inline constexpr std::string_view kHag = "hag66@shakespeare.lit/pda";
inline constexpr std::string_view kRoom = "coven@chat.shakespeare.lit";

}  // namespace server::modules::muc::test
