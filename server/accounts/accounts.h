// Accounts: the accounts that live on this shard. An account is loaded in one read transaction
// before its first stanza is routed, so that routing never waits; what arrives meanwhile queues,
// bounded and in order. An account without sessions is dropped after a while.
#pragma once

#include "reactor/deferred.h"
#include "reactor/world.h"
#include "server/accounts/account.h"

#include <functional>
#include <memory>
#include <unordered_map>

namespace storage {
class Database;
class Transaction;
}  // namespace storage

namespace server {

class Accounts {
public:
    struct Options {
        std::size_t waiting_max = 1000;  ///< Calls queued for one account.
        base::Duration idle_timeout = std::chrono::minutes(5);
        std::size_t absent_max = 10'000;  ///< Remembered names of accounts that do not exist.
        base::Duration absent_timeout = std::chrono::seconds(10);
    };

    Accounts(reactor::World& world, storage::Database& database, Options options);
    ~Accounts();

    /// The account if it is in memory; null says nothing about existence.
    Account* find(const xmpp::Jid& jid);
    /// The resource of a session of that account (bare or full JID), null when either is gone.
    Resource* resource_of(const xmpp::Jid& jid, SessionId session);

    /// The account if it is loaded and nothing waits for it: `with` would call at once.
    Account* ready(const xmpp::Jid& jid);

    using Call = base::UniqueFunction<void(base::Result<Account*>)>;
    /// Calls with the account: at once when it is loaded and no edit is running, else later, in the
    /// order of the calls. Failures: not_found (no such account), queue_full, or storage's.
    void with(const xmpp::Jid& bare, Call call);

    /// An edit: runs alone for its account; `with` calls and further edits for that account wait in
    /// order until the Deferred settles. Use it for changes that are saved before they apply
    /// (roster, subscriptions). The task must find the account again after each co_await.
    using Edit = base::UniqueFunction<reactor::Deferred<void>()>;
    /// Asked for within a `with` call, it runs before what waits already: the stanza that led to it
    /// came first. False: too many wait, nothing was queued (answer resource-constraint).
    bool edit(const xmpp::Jid& bare, Edit edit);

    /// Binds a session. The account must exist; loads it if needed.
    reactor::Deferred<Resource*> bind(const xmpp::Jid& full, SessionSink& session, SessionId id);
    /// Removes the resource of a session that ended; the account starts to age when it was the
    /// last.
    void unbind(const xmpp::Jid& bare, SessionId session);

    /// A new account: forgets that it was absent. A removed one: forgets what is in memory (its
    /// sessions must have been closed).
    void created(const xmpp::Jid& bare);
    void removed(const xmpp::Jid& bare);

    std::size_t loaded_count() const;
    void for_each(const std::function<void(Account&)>& visit);

    /// Registers per-account module state; its place in Account::slots.
    std::size_t add_slot();

private:
    struct Entry;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Typed view of one module's slot. `T` is default constructible and derives from ModuleState. An
/// account of which nothing is known yet costs nothing but the slot.
template <class T>
class AccountState {
public:
    explicit AccountState(Accounts& accounts) : slot_(accounts.add_slot()) {}
    /// Made on first use; good until `forget` or the end of the account.
    T& of(Account& account) const {
        std::unique_ptr<ModuleState>& slot = account.slots[slot_];
        if (slot == nullptr) slot = std::make_unique<T>();
        return static_cast<T&>(*slot);
    }
    /// Null: as if made just now.
    const T* find(const Account& account) const {
        return static_cast<const T*>(account.slots[slot_].get());
    }
    void forget(Account& account) const { account.slots[slot_].reset(); }

private:
    std::size_t slot_;
};

}  // namespace server
