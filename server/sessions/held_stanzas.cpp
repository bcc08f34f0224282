#include "server/sessions/held_stanzas.h"

#include <algorithm>
#include <utility>

namespace server {

bool HeldStanzas::hold(const xmpp::Stanza& stanza) {
    const std::string from = stanza.from() ? stanza.from()->text() : std::string();
    bool replaced = false;
    if (stanza.is_presence()) {
        const auto before = std::ranges::find_if(held_, [&](const Held& held) {
            return held.kind == xmpp::StanzaKind::presence && held.from == from;
        });
        if (before != held_.end()) {
            // To the end: it may say what the client must not learn before what came in between (a
            // name that somebody else has taken in a room).
            bytes_ -= before->xml.size();
            held_.erase(before);
            replaced = true;
        }
    }
    held_.push_back({stanza.kind(), from, stanza.to_xml()});
    bytes_ += held_.back().xml.size();
    return replaced;
}

std::vector<HeldStanzas::Held> HeldStanzas::take() {
    bytes_ = 0;
    return std::exchange(held_, {});
}

}  // namespace server
