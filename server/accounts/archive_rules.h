// What an account wants archived (XEP-0441): its rules in memory, and how they decide. Loaded with
// the account; a change is saved before it applies, like the roster's.
#pragma once

#include "reactor/base/result.h"
#include "storage/tables/archive_preferences.h"
#include "xmpp/core/jid.h"

#include <memory>

namespace storage {
class Transaction;
}

namespace server {

class Roster;

/// Whether `rules` want a message archived that was exchanged with `peer` (with its resource, if it
/// has one). An item with a resource matches exactly that address, one without every resource of
/// it (§2.3.1); the more exact one decides. `own`: the account's address, which counts as being in
/// its roster. Both lists are sorted.
bool wants_archived(const storage::ArchiveRules& rules, const Roster& roster, const xmpp::Jid& own,
                    const xmpp::Jid& peer);

/// Null: the account never set any. On a storage thread; the result may move to the shard.
base::Result<std::unique_ptr<const storage::ArchiveRules>> load_archive_rules(
    storage::Transaction& transaction, const xmpp::Jid& account);

}  // namespace server
