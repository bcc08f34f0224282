#include "server/modules/muc/kept_roles.h"

#include <algorithm>

namespace server::modules::muc {

std::optional<xmpp::MucRole> KeptRoles::of(const xmpp::Jid& jid) const {
    const auto found = kept_.find(std::string(jid.bare_view()));
    if (found == kept_.end()) return std::nullopt;
    return found->second.role;
}

void KeptRoles::put(const KeptRole& kept) {
    const std::string key(kept.jid.bare_view());
    if (kept.role == xmpp::MucRole::none) {
        kept_.erase(key);
        return;
    }
    kept_.insert_or_assign(key, Kept{kept.role, ++last_number_});
    if (kept_.size() <= kMax) return;
    kept_.erase(
        std::ranges::min_element(kept_, {}, [](const auto& entry) { return entry.second.number; }));
}

}  // namespace server::modules::muc
