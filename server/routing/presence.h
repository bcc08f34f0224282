// Presence: RFC 6121 §3 (subscriptions) and §4 (exchanging presence) for the accounts of one shard.
// What a state change does comes from the one table in server/accounts/subscription_table.h.
#pragma once

#include "reactor/world.h"
#include "server/accounts/accounts.h"
#include "server/routing/hooks.h"

namespace storage {
class Database;
}

namespace server {

class Router;

class Presence {
public:
    struct Parts {
        reactor::World& world;
        Accounts& accounts;
        Router& router;
        Hooks& hooks;
        storage::Database& database;
    };

    explicit Presence(Parts parts);
    ~Presence();

    /// Any presence stanza a client sent, with or without `to`, after the outbound hooks.
    void outbound(Account& account, Resource& resource, xmpp::Stanza stanza);
    /// Any presence stanza for the bare JID or a resource of `account`, after the inbound hooks.
    void inbound(Account& account, xmpp::Stanza stanza);
    /// A presence stanza for an account that does not exist (probes and requests may need an answer).
    void inbound_for_absent(xmpp::Stanza stanza);
    /// The session ended without (or with) unavailable presence: withdraws it everywhere, directed
    /// presence included. To be called before Accounts::unbind.
    void resource_gone(Account& account, Resource& resource);
    /// The client asked for its roster: it is interested now.
    void roster_requested(Account& account, Resource& resource);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace server
