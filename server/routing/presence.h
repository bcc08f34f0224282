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
struct RosterSet;

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
    /// A presence stanza for an account that does not exist (probes and requests may need an
    /// answer).
    void inbound_for_absent(xmpp::Stanza stanza);
    /// The session ended without (or with) unavailable presence: withdraws it everywhere, directed
    /// presence included. To be called before Accounts::unbind.
    void resource_gone(Account& account, Resource& resource);
    /// The client asked for its roster: it is interested now.
    void roster_requested(Resource& resource);

    /// A roster set by a client of `account` (bare), checked by parse_roster_set: saved, pushed
    /// and, for a removal, the contact told (§2.5.2) when this settles. Errors: not_found (nothing
    /// to remove), resource_exhausted (the roster is full), queue_full, storage's.
    reactor::Deferred<void> set_roster(const xmpp::Jid& account, RosterSet set);
    /// `more` is about to be added to what `account` blocks: it goes from their sight. To be called
    /// once that is saved, before the list in memory says so.
    void hide(Account& account, const Blocklist& more);
    /// `fewer` were removed from what `account` blocks: they see it again, and it them.
    void show(Account& account, const Blocklist& fewer);

    /// Contacts that an account may have, from now on.
    void set_roster_items_max(std::uint32_t items_max);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace server
