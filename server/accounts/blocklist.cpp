#include "server/accounts/blocklist.h"

#include "storage/shapes.h"

#include <algorithm>
#include <utility>

namespace server {
namespace {

constexpr std::string_view kStore = "blocklist";

}  // namespace

Blocklist::Blocklist(std::vector<std::string> jids) : jids_(std::move(jids)) {
    std::ranges::sort(jids_);
    const auto repeated = std::ranges::unique(jids_);
    jids_.erase(repeated.begin(), repeated.end());
}

bool Blocklist::contains(std::string_view jid) const {
    return std::ranges::binary_search(
        jids_, jid, {}, [](const std::string& item) { return std::string_view(item); });
}

bool Blocklist::covers(const xmpp::Jid& peer) const {
    if (jids_.empty()) return false;
    return contains(peer.text()) || (peer.is_full() && contains(peer.bare_view())) ||
           contains(peer.domain());
}

void Blocklist::add(const Blocklist& more) {
    std::vector<std::string> all;
    all.reserve(jids_.size() + more.jids_.size());
    std::ranges::set_union(jids_, more.jids_, std::back_inserter(all));
    jids_ = std::move(all);
}

void Blocklist::remove(const Blocklist& some) {
    std::vector<std::string> rest;
    std::ranges::set_difference(jids_, some.jids_, std::back_inserter(rest));
    jids_ = std::move(rest);
}

base::Result<Blocklist> load_blocklist(storage::Transaction& transaction,
                                       const xmpp::Jid& account) {
    const auto entries = TRY(storage::MapStore(transaction, kStore).list(account.bare_view()));
    std::vector<std::string> jids;
    jids.reserve(entries.size());
    for (const auto& [jid, nothing] : entries)
        jids.push_back(jid);
    return Blocklist(std::move(jids));
}

base::Result<void> save_blocked(storage::Transaction& transaction, const xmpp::Jid& account,
                                const Blocklist& added, std::uint32_t jids_max) {
    storage::MapStore store(transaction, kStore, jids_max);
    for (const std::string& jid : added.jids())
        TRY(store.put(account.bare_view(), jid, {}));
    return {};
}

base::Result<void> save_unblocked(storage::Transaction& transaction, const xmpp::Jid& account,
                                  const Blocklist& removed) {
    storage::MapStore store(transaction, kStore);
    for (const std::string& jid : removed.jids())
        static_cast<void>(TRY(store.remove(account.bare_view(), jid)));
    return {};
}

}  // namespace server
