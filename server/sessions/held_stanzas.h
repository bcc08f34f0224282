// HeldStanzas: what an inactive client need not hear at once (XEP-0352): presence, the latest of
// each sender, and event notifications, in the order in which they came. Held as the text that will
// be written, which is smaller than the stanza. What is in here matters to nobody else: when the
// session ends it is dropped.
#pragma once

#include "xmpp/core/stanza.h"

#include <cstddef>
#include <string>
#include <vector>

namespace server {

class HeldStanzas {
public:
    /// Together with the number of stanzas, which the operator sets.
    static constexpr std::size_t kBytesMax = 65'536;

    struct Held {
        xmpp::StanzaKind kind;
        std::string from;
        std::string xml;
    };

    /// Holds a stanza of Urgency::later. Presence replaces that of the same full JID. True: that
    /// replaced one.
    bool hold(const xmpp::Stanza& stanza);
    /// There is more than may wait: all must go out now.
    bool exceeds(std::size_t stanzas_max) const {
        return held_.size() > stanzas_max || bytes_ > kBytesMax;
    }
    bool empty() const { return held_.empty(); }
    /// Everything, in order; nothing is held afterwards.
    std::vector<Held> take();

private:
    std::vector<Held> held_;
    std::size_t bytes_ = 0;
};

}  // namespace server
