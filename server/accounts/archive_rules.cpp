#include "server/accounts/archive_rules.h"

#include "server/accounts/roster.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace server {
namespace {

bool contains(const std::vector<xmpp::Jid>& list, const xmpp::Jid& jid) {
    return std::ranges::binary_search(list, jid);
}

std::optional<bool> listed(const storage::ArchiveRules& rules, const xmpp::Jid& jid) {
    if (contains(rules.always, jid)) return true;
    if (contains(rules.never, jid)) return false;
    return std::nullopt;
}

}  // namespace

bool wants_archived(const storage::ArchiveRules& rules, const Roster& roster, const xmpp::Jid& own,
                    const xmpp::Jid& peer) {
    if (const auto exact = listed(rules, peer)) return *exact;
    if (peer.is_full() && !(rules.always.empty() && rules.never.empty()))
        if (const auto bare = listed(rules, peer.bare())) return *bare;
    switch (rules.otherwise) {
        case storage::ArchiveDefault::always:
            return true;
        case storage::ArchiveDefault::never:
            return false;
        case storage::ArchiveDefault::roster:
            break;
    }
    return peer.same_bare(own) || roster.find(peer.bare()) != nullptr;
}

base::Result<std::unique_ptr<const storage::ArchiveRules>> load_archive_rules(
    storage::Transaction& transaction, const xmpp::Jid& account) {
    auto rules = TRY(storage::ArchivePreferences(transaction).get(account));
    if (!rules) return nullptr;
    return std::make_unique<const storage::ArchiveRules>(*std::move(rules));
}

}  // namespace server
