// Blocklist: the addresses an account wants nothing to do with (XEP-0191), in memory. What the
// server then refuses and hides is routing's and modules/blocking.cpp's. It changes after the
// change was saved, like the roster.
#pragma once

#include "reactor/base/result.h"
#include "xmpp/core/jid.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace storage {
class Transaction;
}

namespace server {

class Blocklist {
public:
    Blocklist() = default;
    /// Texts of prepared JIDs, in any order, also repeated.
    explicit Blocklist(std::vector<std::string> jids);

    bool empty() const { return jids_.empty(); }
    std::size_t size() const { return jids_.size(); }
    /// In the order of their bytes.
    const std::vector<std::string>& jids() const { return jids_; }

    /// Whether exactly this address is in the list.
    bool contains(std::string_view jid) const;
    /// Whether an item matches `peer` (XEP-0191 §5): user@domain/resource and domain/resource only
    /// themselves, user@domain any of its resources, domain everything there.
    bool covers(const xmpp::Jid& peer) const;

    void add(const Blocklist& more);
    void remove(const Blocklist& some);

private:
    std::vector<std::string> jids_;
};

/// On a storage thread; the result may move to the shard.
base::Result<Blocklist> load_blocklist(storage::Transaction& transaction, const xmpp::Jid& account);
/// resource_exhausted: the list would have more than `jids_max` items.
base::Result<void> save_blocked(storage::Transaction& transaction, const xmpp::Jid& account,
                                const Blocklist& added, std::uint32_t jids_max);
base::Result<void> save_unblocked(storage::Transaction& transaction, const xmpp::Jid& account,
                                  const Blocklist& removed);

}  // namespace server
