// SentMessages: messages that clients of this shard have sent and whose fate is not known yet. When
// it is, their session is told, and the account's other clients may have their copies: in the order
// in which a session sent them, whichever is known first.
#pragma once

#include "server/accounts/accounts.h"
#include "server/routing/archive_id.h"
#include "server/routing/hooks.h"
#include "server/routing/origin.h"
#include "server/routing/router.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>

namespace server {

class SentMessages {
public:
    SentMessages(Accounts& accounts, Hooks& hooks, const ArchiveIds& ids)
        : accounts_(accounts), hooks_(hooks), ids_(ids) {}

    /// A ticket for the message. Bounded by what may be stored at a time (the database's queue) and
    /// be under way between shards (Outbox).
    std::uint64_t add(const Account& account, const Resource& resource, const xmpp::Stanza& message,
                      std::uint32_t taken, bool archived);
    /// What is known right after it was routed.
    Router::Submitted state_of(std::uint64_t ticket) const;
    /// From now on the session wants to hear of it.
    void announce(std::uint64_t ticket);
    void report(const OriginReport& about);

private:
    struct Sent {
        xmpp::Jid from;  // Full.
        SessionId session = 0;
        std::uint32_t taken = 0;
        /// Kept while the account has other clients, who may be due a copy.
        std::unique_ptr<const xmpp::Stanza> message;
        bool archived = false;
        bool placed = false;
        bool announced = false;
        bool known = false;         // Its copies wait for those of earlier messages.
        storage::MessageId id = 0;  // Then; 0: it is not stored.
    };

    void tell_known(SessionId session);
    void tell_copies(const Sent& sent);

    Accounts& accounts_;
    Hooks& hooks_;
    const ArchiveIds& ids_;
    std::unordered_map<std::uint64_t, Sent> sent_;
    std::unordered_map<SessionId, std::deque<std::uint64_t>> copied_;  // Tickets, oldest first.
    std::uint64_t last_ticket_ = 0;
};

}  // namespace server
