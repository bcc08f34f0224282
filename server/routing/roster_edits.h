// RosterEdits: changes to rosters, saved before they apply. A change runs as an edit of its account
// (Accounts::edit), so that it never overlaps another one: save, apply in memory, then whatever the
// caller sends. A crash in between loses a push, never a change; a failed save changes nothing.
#pragma once

#include "reactor/world.h"
#include "server/accounts/accounts.h"
#include "xmpp/core/error.h"

#include <string>

namespace storage {
class Database;
}

namespace server {

class RosterEdits {
public:
    /// References outlive this object.
    RosterEdits(reactor::World& world, Accounts& accounts, storage::Database& database);

    void set_items_max(std::uint32_t items_max) { limits_.items_max = items_max; }

    /// Runs `task` as an edit of `account` and answers with its result. Fails with queue_full when
    /// too many wait, broken_promise when the account is gone.
    reactor::Deferred<void> run(const xmpp::Jid& account, Accounts::Edit task);

    /// Within an edit: writes `change` (its `version` is filled in here) and applies it. `request`:
    /// the stanza to keep when a request is added. Fails as storage::Roster does, or with
    /// not_found when the account is no longer in memory.
    reactor::Deferred<void> save(xmpp::Jid account, RosterChange change, std::string request = {});

    /// The item of `contact`, as it is now, to every interested resource (RFC 6121 §2.1.6).
    static void push(Account& account, const xmpp::Jid& contact);

private:
    reactor::World& world_;
    Accounts& accounts_;
    storage::Database& database_;
    storage::RosterLimits limits_;
};

/// What a client is told when its change could not be saved.
xmpp::StanzaError refusal_of(const base::Failure& failure);

}  // namespace server
