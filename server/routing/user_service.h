// UserService: making, changing and removing accounts, for operators (admin) and owners (XEP-0077)
// alike. One per shard; every call may be made on any shard and answers there.
#pragma once

#include "reactor/deferred.h"
#include "reactor/shards.h"
#include "server/routing/creation_limit.h"
#include "server/routing/subscriptions.h"
#include "xmpp/core/jid.h"
#include "xmpp/core/stanza.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace storage {
class Database;
}

namespace server {

class Accounts;
class Config;
class Router;

class UserService {
public:
    struct Parts {
        reactor::World& world;
        storage::Database& database;
        Accounts& accounts;
        Router& router;
    };

    UserService(Parts parts, const Config& config);

    /// The services of all shards, index = shard id; once, while the server is built.
    void connect(std::vector<UserService*> all) { all_ = std::move(all); }
    void reload(const Config& config);

    /// Whether a stranger may make one more account from `address` in this hour
    /// (registration.per_address_per_hour, counted for all shards together). Errors: queue_full.
    reactor::Deferred<bool> may_create(AddressKey address);
    /// Errors: invalid_argument (no localpart, or a password that SASLprep refuses), not_found (the
    /// domain is not served here), already_exists, queue_full (too many at a time), storage's.
    reactor::Deferred<void> create(xmpp::Jid account, std::string password);
    /// Sessions stay. Errors: as `create`, but not_found when there is no such account.
    reactor::Deferred<void> set_password(xmpp::Jid account, std::string password);
    /// Deletes everything that is stored of the account, ends its subscriptions and closes its
    /// sessions; `last_words`, when given, goes to the session that its `to` names before that one
    /// is closed. Errors: not_found, storage's.
    reactor::Deferred<void> remove(xmpp::Jid account, std::optional<xmpp::Stanza> last_words = {});

    /// Runs on the account's shard when it is gone from the database and has no sessions any more;
    /// `remove` answers behind it, whatever it fails with. At most one.
    using Removed = std::function<reactor::Deferred<void>(xmpp::Jid account)>;
    [[nodiscard]] Subscription after_removal(Removed removed);

private:
    reactor::Deferred<void> store_new(xmpp::Jid account, std::string password);
    reactor::Deferred<void> store_password(xmpp::Jid account, std::string password);
    reactor::Deferred<void> remove_here(xmpp::Jid account, std::optional<xmpp::Stanza> last_words);
    template <class Task>
    reactor::Deferred<void> at_home(xmpp::Jid account, Task task);
    base::Result<void> check(const xmpp::Jid& account) const;
    void take_leave(const xmpp::Jid& account, std::optional<xmpp::Stanza> last_words);

    Parts parts_;
    std::vector<UserService*> all_;
    Removed removed_;
    std::uint32_t iterations_ = 0;
    std::int64_t creations_per_hour_ = 0;
    CreationLimit creations_;  // Used on kLimitsShard only.
};

}  // namespace server
