#include "server/modules/muc/expenses.h"

namespace server::modules::muc {

bool Expenses::may_ask(const xmpp::Jid& user, base::MonotonicTime now) const {
    if (paces_.empty()) return true;
    const auto known = paces_.find(std::string(user.bare_view()));
    if (known == paces_.end()) return true;
    reactor::Pace pace = known->second;
    return pace.try_take(kLimit, 1, now);
}

// What is more than may be had at once is owed: its cost is known when it has been caused.
void Expenses::add(const xmpp::Jid& user, std::uint64_t cost, base::MonotonicTime now) {
    if (cost <= kFree) return;
    const std::string key(user.bare_view());
    auto known = paces_.find(key);
    if (known == paces_.end()) {
        if (paces_.size() >= kUsersMax) return;
        known = paces_.emplace(key, reactor::Pace()).first;
    }
    (void)known->second.take(kLimit, cost, now);
}

void Expenses::forget_rested(base::MonotonicTime now) {
    std::erase_if(paces_, [now](const auto& entry) { return entry.second.rested(now); });
}

}  // namespace server::modules::muc
