// Account: everything a shard holds of one bare JID while somebody uses it: roster, blocklist, what
// to archive, resources and the state of modules. It lives on shard_of(jid) only, so nothing in it
// is locked.
#pragma once

#include "server/accounts/archive_rules.h"
#include "server/accounts/blocklist.h"
#include "server/accounts/resource.h"
#include "server/accounts/roster.h"

#include <memory>
#include <string_view>
#include <vector>

namespace server {

/// Per-account state of a module; see AccountState<T> in accounts.h.
class ModuleState {
public:
    virtual ~ModuleState() = default;
};

class Account {
public:
    explicit Account(xmpp::Jid bare, Roster contacts, Blocklist list = {})
        : roster(std::move(contacts)), blocked(std::move(list)), jid_(std::move(bare)) {}
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;

    const xmpp::Jid& jid() const { return jid_; }

    /// Null when no such resource is bound. Names compare exactly (they are already prepared).
    Resource* find(std::string_view resource_name);
    /// Null when the session has ended, even if another has its resource name since.
    Resource* of_session(SessionId session);
    /// All bound resources, available or not. References hold until one is added or removed.
    const std::vector<std::unique_ptr<Resource>>& resources() const { return resources_; }
    Resource& add(std::unique_ptr<Resource> resource);
    /// Returns the removed one, or null.
    std::unique_ptr<Resource> remove(SessionId session);
    bool has_available() const;
    /// Whether some resource gets messages addressed to the account.
    bool takes_messages() const;

    /// Whether nothing may pass between this account and `peer` (XEP-0191). Never its own resources
    /// or its own server, whatever the list says.
    bool blocks(const xmpp::Jid& peer) const {
        return !blocked.empty() && blocks_by(blocked, peer);
    }
    /// The same by another list than the one in force.
    bool blocks_by(const Blocklist& list, const xmpp::Jid& peer) const;

    Roster roster;
    Blocklist blocked;
    /// Null: as the server does by default.
    std::unique_ptr<const storage::ArchiveRules> archive_rules;
    /// One slot per module that keeps account state, in the order of registration; null while there
    /// is nothing to keep.
    std::vector<std::unique_ptr<ModuleState>> slots;

private:
    xmpp::Jid jid_;
    std::vector<std::unique_ptr<Resource>> resources_;
};

}  // namespace server
