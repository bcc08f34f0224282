// See iq_tracker.h.
#include "xmpp/client/iq_tracker.h"

namespace xmpp {

bool may_answer_iq(const Jid& own, const std::optional<Jid>& to,
                   const std::optional<Jid>& from) noexcept {
    const auto is_own_bare = [&own](const Jid& jid) { return jid.text() == own.bare_view(); };
    const auto is_server = [&own](const Jid& jid) {
        return jid.is_domain() && jid.domain() == own.domain();
    };
    if (!to) return !from || *from == own || is_own_bare(*from) || is_server(*from);
    if (!from) return is_own_bare(*to) || is_server(*to);
    return *from == *to;
}

}  // namespace xmpp
