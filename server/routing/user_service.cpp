#include "server/routing/user_service.h"

#include "reactor/blocking_pool.h"
#include "reactor/reactor.h"
#include "server/accounts/accounts.h"
#include "server/config/config.h"
#include "server/config/core_keys.h"
#include "server/routing/presence.h"
#include "server/routing/router.h"
#include "storage/database.h"
#include "storage/tables/users.h"
#include "xmpp/sasl/scram_keys.h"

#include <array>
#include <utility>

namespace server {
namespace {

constexpr reactor::ShardId kLimitsShard = 0;

using Salts = std::array<std::string, storage::kScramHashCount>;

Salts draw_salts(reactor::Entropy& entropy) {
    Salts salts;
    for (std::string& salt : salts) {
        salt.resize(xmpp::sasl::kSaltBytesDefault);
        entropy.secure(std::as_writable_bytes(std::span(salt.data(), salt.size())));
    }
    return salts;
}

// Slow on purpose (PBKDF2): runs in the pool.
base::Result<storage::ScramKeySet> derive_all(const std::string& password, const Salts& salts,
                                              std::uint32_t iterations) {
    storage::ScramKeySet keys;
    for (const xmpp::sasl::ScramHash hash : xmpp::sasl::kScramHashes) {
        const auto index = static_cast<std::size_t>(hash);
        auto derived = TRY(xmpp::sasl::derive_keys(hash, password, salts.at(index), iterations));
        keys.at(index) =
            storage::ScramKeys{std::move(derived.salt), derived.iterations,
                               std::move(derived.stored_key), std::move(derived.server_key)};
    }
    return keys;
}

}  // namespace

UserService::UserService(Parts parts, const Config& config) : parts_(parts) {
    reload(config);
}

void UserService::reload(const Config& config) {
    iterations_ = static_cast<std::uint32_t>(config.get(keys::kScramIterations));
    creations_per_hour_ = config.get(keys::kRegistrationsPerAddressPerHour);
}

base::Result<void> UserService::check(const xmpp::Jid& account) const {
    if (!account.has_local() || account.is_full())
        return base::fail(base::Errc::invalid_argument,
                          "an account is named user@host, without a resource");
    if (!parts_.router.is_local(account.domain()))
        return base::fail(base::Errc::not_found,
                          "the domain " + std::string(account.domain()) +
                              " is not served here; add a [[host]] for it to the configuration");
    return {};
}

// Runs `task(home service, account)` on the shard where the account lives.
template <class Task>
reactor::Deferred<void> UserService::at_home(xmpp::Jid account, Task task) {
    if (auto checked = check(account); !checked) return checked;
    const reactor::ShardId id = shard_of(account.bare_view(), parts_.world.shards.count());
    return parts_.world.shards.run_on(
        id, [home = all_[id], account = std::move(account), task = std::move(task)]() mutable {
            return task(*home, std::move(account));
        });
}

reactor::Deferred<bool> UserService::may_create(AddressKey address) {
    return parts_.world.shards.run_on(kLimitsShard, [home = all_[kLimitsShard], address] {
        return home->creations_.allow(address, home->parts_.world.reactor.now(),
                                      home->creations_per_hour_);
    });
}

reactor::Deferred<void> UserService::create(xmpp::Jid account, std::string password) {
    return at_home(std::move(account),
                   [password = std::move(password)](UserService& home, xmpp::Jid&& user) mutable {
                       return home.store_new(std::move(user), std::move(password));
                   });
}

reactor::Deferred<void> UserService::set_password(xmpp::Jid account, std::string password) {
    return at_home(std::move(account),
                   [password = std::move(password)](UserService& home, xmpp::Jid&& user) mutable {
                       return home.store_password(std::move(user), std::move(password));
                   });
}

reactor::Deferred<void> UserService::remove(xmpp::Jid account,
                                            std::optional<xmpp::Stanza> last_words) {
    return at_home(std::move(account), [last_words = std::move(last_words)](
                                           UserService& home, xmpp::Jid&& user) mutable {
        return home.remove_here(std::move(user), std::move(last_words));
    });
}

Subscription UserService::after_removal(Removed removed) {
    removed_ = std::move(removed);
    return Subscription([this] { removed_ = nullptr; });
}

reactor::Deferred<void> UserService::store_new(xmpp::Jid account, std::string password) {
    auto working = parts_.world.blocking.run(
        reactor::WorkClass::crypto,
        [password = std::move(password), salts = draw_salts(parts_.world.entropy),
         iterations = iterations_] { return derive_all(password, salts, iterations); });
    base::Result<storage::ScramKeySet> keys = co_await std::move(working);
    if (!keys) co_return keys.error();
    auto writing =
        parts_.database.write([account, keys = std::move(*keys),
                               now = parts_.world.clock.wall()](storage::Transaction& transaction) {
            return storage::Users(transaction).create(account, keys, now);
        });
    base::Result<void> stored = co_await std::move(writing);
    if (!stored) co_return stored.error();
    parts_.accounts.created(account);
    co_return {};
}

reactor::Deferred<void> UserService::store_password(xmpp::Jid account, std::string password) {
    auto working = parts_.world.blocking.run(
        reactor::WorkClass::crypto,
        [password = std::move(password), salts = draw_salts(parts_.world.entropy),
         iterations = iterations_] { return derive_all(password, salts, iterations); });
    base::Result<storage::ScramKeySet> keys = co_await std::move(working);
    if (!keys) co_return keys.error();
    auto writing = parts_.database.write(
        [account, keys = std::move(*keys)](storage::Transaction& transaction) {
            return storage::Users(transaction).set_keys(account, keys);
        });
    co_return co_await std::move(writing);
}

reactor::Deferred<void> UserService::remove_here(xmpp::Jid account,
                                                 std::optional<xmpp::Stanza> last_words) {
    // Loaded first, so that the contacts are known.
    reactor::Promise<void> loaded;
    reactor::Deferred<void> when_loaded = loaded.deferred();
    parts_.accounts.with(
        account, [promise = std::move(loaded)](base::Result<Account*> found) mutable {
            promise.resolve(found ? base::Result<void>() : std::unexpected(found.error()));
        });
    base::Result<void> ready = co_await std::move(when_loaded);
    if (!ready) co_return ready.error();
    auto writing = parts_.database.write([account](storage::Transaction& transaction) {
        return storage::Users(transaction).remove(account);
    });
    base::Result<void> removed = co_await std::move(writing);
    if (!removed) co_return removed.error();
    take_leave(account, std::move(last_words));
    if (!removed_) co_return {};
    auto following = removed_(account);
    const base::Result<void> followed = co_await std::move(following);
    if (!followed)
        parts_.world.log.error("account.removal_unfinished",
                               {{"account", account.text()}, {"why", followed.error().message()}});
    co_return {};
}

// The account is gone from the database: tell those who were subscribed, and the account's clients.
void UserService::take_leave(const xmpp::Jid& account, std::optional<xmpp::Stanza> last_words) {
    Account* gone = parts_.accounts.find(account);
    if (gone == nullptr) return;
    std::vector<xmpp::Stanza> farewells;
    for (const Contact& contact : gone->roster.items()) {
        using xmpp::PresenceType;
        for (const PresenceType type : {PresenceType::unsubscribe, PresenceType::unsubscribed}) {
            xmpp::Stanza farewell = xmpp::Stanza::presence(type);
            farewell.set_from(account);
            farewell.set_to(contact.jid());
            farewells.push_back(std::move(farewell));
        }
    }
    // Whoever sees them sees them go, while it is still known who that is.
    for (const auto& resource : gone->resources())
        parts_.router.presence().resource_gone(*gone, *resource);
    for (const auto& resource : gone->resources()) {
        if (last_words && last_words->to() == resource->jid)
            resource->session->deliver(*last_words);
        resource->session->close(
            xmpp::StreamError(xmpp::StreamCondition::not_authorized, "the account was removed"));
    }
    for (xmpp::Stanza& farewell : farewells)
        parts_.router.route(std::move(farewell));
    // The sessions unbind themselves in later steps; they find no account then, which is fine.
    parts_.accounts.removed(account);
}

}  // namespace server
