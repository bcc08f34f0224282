// Accounts for the bots: made and removed by whatever way the server offers. Accounts that exist
// already are fine; whether their password is the right one shows at login.
#pragma once

#include "reactor/deferred.h"
#include "reactor/world.h"
#include "tests/bots/run/plan.h"

#include <cstdint>
#include <functional>
#include <string>

namespace bots {

enum class AccountSource : std::uint8_t {
    automatic,  ///< A server on this machine: parleyctl if it answers, else in_band. Else existing.
    parleyctl,  ///< The operator's socket of a parleyd.
    in_band,    ///< XEP-0077, over many connections.
    command,    ///< A program per account.
    existing,   ///< They are there: nothing to do.
};

struct AccountOptions {
    AccountSource source = AccountSource::automatic;
    /// For `command`, to the shell, with {user}, {domain} and {password}, which come quoted.
    std::string command = {};
    std::string socket = {};  ///< For `parleyctl`.
    /// Connections or processes at a time.
    std::uint32_t at_once = 8;
    /// Called now and then on the shard; may be empty.
    std::function<void(std::uint64_t done, std::uint64_t all)> progress = {};
    /// Set when somebody presses Ctrl-C; looked at between accounts.
    const bool* stopped = nullptr;

    bool stop_wanted() const { return stopped && *stopped; }
};

struct AccountsDone {
    std::uint64_t changed = 0;    ///< Created or removed.
    std::uint64_t as_it_was = 0;  ///< Existed already; or, when removing, did not.
};

/// `options.source` is not `automatic`. Stops at the first account that cannot be made, with the
/// server's words and what to do about it. `plan` outlives the Deferred.
reactor::Deferred<AccountsDone> create_accounts(reactor::World& world, const Plan& plan,
                                                AccountOptions options);
reactor::Deferred<AccountsDone> remove_accounts(reactor::World& world, const Plan& plan,
                                                AccountOptions options);

/// Whether a parleyd answers at `socket` that serves `domain`.
reactor::Deferred<bool> parleyctl_serves(reactor::World& world, std::string socket,
                                         std::string domain);

}  // namespace bots
