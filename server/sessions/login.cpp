#include "server/sessions/login.h"

#include "reactor/base/text.h"
#include "reactor/blocking_pool.h"
#include "storage/database.h"
#include "storage/tables/users.h"

#include <utility>

namespace server {
namespace {

using xmpp::sasl::SaslCondition;

constexpr std::size_t kAnonymousBytes = 12;

xmpp::sasl::Failure unavailable(std::string why) {
    return {SaslCondition::temporary_auth_failure, std::move(why)};
}

xmpp::sasl::ScramKeys to_sasl(xmpp::sasl::ScramHash hash, const storage::ScramKeys& keys) {
    return {hash, keys.salt, keys.iterations, keys.stored_key, keys.server_key};
}

std::optional<xmpp::sasl::ScramKeys> keys_of(const std::optional<storage::User>& user,
                                             xmpp::sasl::ScramHash hash) {
    if (!user) return std::nullopt;
    const auto& stored = user->keys[static_cast<std::size_t>(hash)];
    if (!stored) return std::nullopt;
    return to_sasl(hash, *stored);
}

}  // namespace

Login::Login(Parts parts, std::string_view mechanism,
             std::unique_ptr<xmpp::sasl::ServerMechanism> exchange)
    : parts_(std::move(parts)), mechanism_(mechanism), exchange_(std::move(exchange)) {}

Login::~Login() = default;

reactor::Deferred<LoginOutcome> Login::start(std::optional<std::string> initial_response) {
    return follow(exchange_->start(std::move(initial_response)));
}

reactor::Deferred<LoginOutcome> Login::respond(std::string response) {
    return follow(exchange_->respond(std::move(response)));
}

// Answers what the mechanism asks of us until it wants something from the client or has decided.
reactor::Deferred<LoginOutcome> Login::follow(Step step) {
    for (;;) {
        base::Result<Step> next = Step(xmpp::sasl::Failure{});
        if (auto* keys = std::get_if<xmpp::sasl::NeedKeys>(&step)) {
            next = co_await provide_keys(std::move(*keys));
        } else if (auto* check = std::get_if<xmpp::sasl::NeedPasswordCheck>(&step)) {
            next = co_await check_password(std::move(*check));
        } else if (auto* success = std::get_if<xmpp::sasl::Success>(&step)) {
            co_return co_await accept(std::move(*success));
        } else if (auto* challenge = std::get_if<xmpp::sasl::Challenge>(&step)) {
            co_return LoginOutcome(std::move(*challenge));
        } else {
            co_return LoginOutcome(std::get<xmpp::sasl::Failure>(std::move(step)));
        }
        if (!next) co_return LoginOutcome(unavailable(next.error().message()));
        step = *std::move(next);
    }
}

reactor::Deferred<Login::Step> Login::provide_keys(xmpp::sasl::NeedKeys wanted) {
    const auto user = co_await load(wanted.username);
    if (!user) co_return user.error();
    co_return exchange_->provide_keys(keys_of(*user, wanted.hash));
}

// Somebody who does not exist costs the same PBKDF2 as somebody who does.
reactor::Deferred<Login::Step> Login::check_password(xmpp::sasl::NeedPasswordCheck wanted) {
    using xmpp::sasl::ScramHash;
    const auto user = co_await load(wanted.username);
    if (!user) co_return user.error();
    std::optional<xmpp::sasl::ScramKeys> keys;
    for (const ScramHash hash : {ScramHash::sha256, ScramHash::sha512, ScramHash::sha1})
        if (!keys) keys = keys_of(*user, hash);
    if (!keys)
        keys = xmpp::sasl::fake_keys(ScramHash::sha256, wanted.username, parts_.fake_salt_secret,
                                     parts_.iterations);
    reactor::Deferred<bool> checking =
        parts_.world.blocking.run(reactor::WorkClass::crypto,
                                  [keys = *std::move(keys), password = std::move(wanted.password)] {
                                      return xmpp::sasl::verify_password(keys, password);
                                  });
    const base::Result<bool> right = co_await std::move(checking);
    if (!right) co_return right.error();
    co_return exchange_->provide_verdict(*right);
}

reactor::Deferred<std::optional<storage::User>> Login::load(std::string username) {
    base::Result<xmpp::Jid> account = xmpp::Jid::make(username, parts_.host);
    if (!account) co_return std::optional<storage::User>();
    reactor::Deferred<std::optional<storage::User>> reading =
        parts_.database.read([account = *std::move(account)](storage::Transaction& transaction) {
            return storage::Users(transaction).find(account);
        });
    base::Result<std::optional<storage::User>> user = co_await std::move(reading);
    if (user && *user) enabled_ = (*user)->enabled;
    co_return user;
}

// The account must exist and be enabled: EXTERNAL has not looked yet, and an administrator may have
// disabled it. Only somebody who has proved who they are learns the latter.
reactor::Deferred<LoginOutcome> Login::accept(xmpp::sasl::Success success) {
    if (success.username.empty()) {
        reactor::Deferred<LoginOutcome> made = accept_anonymous(std::move(success.final_data));
        co_return co_await std::move(made);
    }
    if (!enabled_) {
        const auto user = co_await load(success.username);
        if (!user) co_return LoginOutcome(unavailable(user.error().message()));
    }
    if (!enabled_)
        co_return LoginOutcome(
            xmpp::sasl::Failure{SaslCondition::not_authorized, "no such account"});
    if (!*enabled_)
        co_return LoginOutcome(
            xmpp::sasl::Failure{SaslCondition::account_disabled, "the account is disabled"});
    base::Result<xmpp::Jid> account = xmpp::Jid::make(success.username, parts_.host);
    if (!account) co_return LoginOutcome(unavailable(account.error().message()));
    co_return LoginOutcome(LoginAccepted{*std::move(account), std::move(success.final_data)});
}

// XEP-0175: an account of a random name without keys, which the session takes with it when it ends.
reactor::Deferred<LoginOutcome> Login::accept_anonymous(std::optional<std::string> final_data) {
    const std::string name = base::hex_encode(parts_.world.entropy.token(kAnonymousBytes));
    base::Result<xmpp::Jid> account = xmpp::Jid::make(name, parts_.host);
    if (!account) co_return LoginOutcome(unavailable(account.error().message()));
    reactor::Deferred<void> making = parts_.database.write(
        [account = *account, now = parts_.world.clock.wall()](storage::Transaction& transaction) {
            return storage::Users(transaction).create(account, {}, now);
        });
    const base::Result<void> made = co_await std::move(making);
    if (!made) co_return LoginOutcome(unavailable(made.error().message()));
    co_return LoginOutcome(LoginAccepted{*std::move(account), std::move(final_data)});
}

}  // namespace server
