// DurableDelivery: messages worth keeping, for accounts of one shard. A message is stored for both
// archives and for everybody who has yet to get it, in one transaction, and only then delivered and
// reported to its sender: what was acknowledged is on disk, and nobody was shown what a crash could
// undo.
//
// Who gets it is decided before, and each of them keeps a place for it in the order of what they
// are sent (SessionSink::reserve), because the numbers of XEP-0198 are stored with it.
#pragma once

#include "reactor/task_set.h"
#include "reactor/world.h"
#include "server/accounts/accounts.h"
#include "server/observe/metrics.h"
#include "server/routing/archive_id.h"
#include "server/routing/hooks.h"
#include "server/routing/local_delivery.h"
#include "server/routing/offline_queue.h"
#include "server/routing/origin.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace server {

class DurableDelivery {
public:
    /// What became of a message, for the one who keeps its origin.
    using Report = std::function<void(const Origin&, OriginReport)>;
    /// Answers the sender of a message with an error.
    using Bounce = std::function<void(xmpp::Stanza, const xmpp::StanzaError&)>;

    struct Parts {
        reactor::World& world;
        Accounts& accounts;
        storage::Database& database;
        Hooks& hooks;
        OfflineQueue& offline;
        const ArchiveIds& ids;
        Metrics& metrics;
        bool only_in_memory = false;  ///< Durability::memory
        Report report;
        Bounce bounce;
    };

    explicit DurableDelivery(Parts parts);

    /// Of the kind that is stored: chat and normal messages with something in them that keeps its
    /// worth (xmpp/payloads/message_class.h).
    static bool concerns(const xmpp::Stanza& stanza);

    /// False: it may be delivered at once, as nobody but clients that are here will have it and the
    /// operator does not ask for more.
    bool stores(Account& account, const xmpp::Stanza& message, DeliveryRule rule,
                const std::optional<Origin>& origin) const;

    /// Stores `message` and delivers it as `rule` says: to_resource, to_all_available or
    /// store_or_refuse. `origin`: of a client of ours; it is told.
    void take(Account& account, xmpp::Stanza message, DeliveryRule rule,
              const std::optional<Origin>& origin);

    /// Adds `message`, which `account` sends, to its archive, beside what becomes of it elsewhere.
    void keep_sent(const Account& account, const xmpp::Stanza& message);

private:
    reactor::Deferred<void> run_keep_sent(xmpp::Jid account, xmpp::Stanza message);
    struct Target {
        SessionId session = 0;
        Place place;
    };
    struct Job {
        xmpp::Jid account;
        xmpp::Stanza message;
        std::optional<Origin> origin;
        std::vector<Target> targets;
        bool archived = false;  // In the account's own archive.
        bool keeps = false;     // Worth keeping for an account that is offline.
        bool queued = false;    // Nobody is there to take it, or somebody gets it later.
        SessionId waiting = 0;  // Who that is.
    };

    static bool is_managed(const Target& target);
    static bool passes_queue(const Job& job);
    static bool is_shared(const Job& job);
    static bool waits_alone(const Job& job);
    void choose_targets(Account& account, DeliveryRule rule, Job& job);
    std::vector<storage::MessageCopy> copies_of(const Job& job) const;
    reactor::Deferred<void> store(Job job);
    void deliver(Job job, storage::MessageId id);
    void refuse(Job job, const base::Failure& why);

    Parts parts_;
    Counter& stored_;
    Counter& refused_;
    reactor::TaskSet tasks_;
};

}  // namespace server
