// Router: brings every stanza to where its `to` says (RFC 6120 §10, RFC 6121 §8): this server's own
// entities, a local account on this or another shard, or a remote domain. One Router per shard.
#pragma once

#include "reactor/shards.h"
#include "server/accounts/accounts.h"
#include "server/routing/hooks.h"
#include "server/routing/iq_routes.h"
#include "server/routing/origin.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace storage {
class Database;
}

namespace server {

class Audience;      // server/routing/audience.h
class IqRequests;    // server/routing/iq_requests.h
class Hosts;         // server/config: the virtual hosts
class Metrics;       // server/observe
class Presence;      // server/routing/presence.h
class OfflineQueue;  // server/routing/offline_queue.h
class ArchiveIds;    // server/routing/archive_id.h

/// Hash of a bare JID, the same on all shards and in all processes: where an account lives.
reactor::ShardId shard_of(std::string_view bare_jid, reactor::ShardId shard_count);

/// Told once when a congested router has room again.
class CongestionObserver {
public:
    virtual void on_uncongested() = 0;

protected:
    ~CongestionObserver() = default;
};

/// Answers for a domain of ours that is no virtual host: a chat service. One on each shard.
class DomainService {
public:
    /// A stanza for the domain, on any shard, or for an address in it, on that address's shard.
    /// `origin`: a message of a client of ours; `Router::report` tells what became of it.
    virtual void receive(xmpp::Stanza stanza, const std::optional<Origin>& origin) = 0;

protected:
    ~DomainService() = default;
};

class Router {
public:
    struct Parts {
        reactor::World& world;
        const Hosts& hosts;
        Accounts& accounts;
        Hooks& hooks;
        IqRoutes& iq;
        Metrics& metrics;
        storage::Database& database;
        OfflineQueue& offline;
        const ArchiveIds& archive_ids;
        bool only_in_memory = false;  ///< Durability::memory
    };

    explicit Router(Parts parts);
    ~Router();

    /// Set once while the shard is built (Presence needs the router, the router needs it).
    void set_presence(std::unique_ptr<Presence> presence);

    /// The routers of all shards, index = shard id; set once while the server is built.
    void connect(std::vector<Router*> all);

    /// What a session must wait for after `submit`.
    enum class Submitted : std::uint8_t {
        settled,  ///< Nothing.
        pending,  ///< `SessionSink::settled` will be called, and `placed` before.
        placed,   ///< `SessionSink::settled` will be called.
    };
    /// A stanza of a bound client; `from` is its full JID (stamped by the session). RFC 6120 §10.3:
    /// without `to` it is for the account itself. `taken`: the session's count of stanzas with this
    /// one, if stream management is on.
    Submitted submit(Account& account, Resource& resource, xmpp::Stanza stanza,
                     std::uint32_t taken = 0);

    /// Sends to the entity named by `to`; `from` and `to` must be set. Any shard. `origin`: a
    /// message that came with it and is passed on in another's name; who ends it reports.
    void route(xmpp::Stanza stanza);
    void route(xmpp::Stanza stanza, const std::optional<Origin>& origin);

    /// Sends one stanza to many: `from` must be set, 'to' is set for each. What it says is
    /// serialised once, and another shard gets it once with those it is for.
    void route_to_all(xmpp::Stanza stanza, std::shared_ptr<const Audience> audience);

    /// Settles when a client has taken what was routed to it before, so that more may follow:
    /// SessionSink::flushed of its session; not_found without one. At once for who is not ours.
    reactor::Deferred<void> flushed(xmpp::Jid client);

    /// From now on stanzas for `domain` go to `service`, on every shard to its own. `domain` is
    /// prepared and none of the virtual hosts.
    [[nodiscard]] Subscription serve(std::string domain, DomainService& service);
    /// Tells the shard of `origin` what became of its message.
    void report(const Origin& origin, OriginReport about);

    /// Answers `stanza` with an error, unless it is itself an error or a result, or a kind that the
    /// RFC drops silently.
    void bounce(xmpp::Stanza stanza, const xmpp::StanzaError& error);

    /// A message that was given to a session and could not be written to its client: to the other
    /// resources if it was for this one, else undeliverable.
    void redeliver(const xmpp::Jid& bare, xmpp::Stanza message);

    bool is_local(std::string_view domain) const;
    /// Whether a set with this payload changes nothing (`IqRoutes::on_query`).
    bool is_query(const xmpp::Element& payload) const;
    /// On this shard?
    bool is_home(const xmpp::Jid& bare) const;

    /// A mailbox to another shard is full: sessions stop reading until told otherwise.
    bool congested() const;
    void wait(CongestionObserver& observer);
    void withdraw(CongestionObserver& observer);

    Presence& presence();
    /// For requests of the server's own.
    IqRequests& requests();
    Hooks& hooks();
    Accounts& accounts();
    OfflineQueue& offline();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace server
