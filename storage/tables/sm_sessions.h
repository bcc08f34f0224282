// SmSessions: streams that can be resumed (XEP-0198 §5): who they are, how much of what the client
// sent was taken, and what a graceful restart needs to go on. What they were given and have not
// acknowledged is in deliveries (messages_deliveries.h).
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "reactor/base/units.h"
#include "storage/schema.h"
#include "storage/tables/messages.h"
#include "storage/transaction.h"
#include "xmpp/core/jid.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

struct NewSmSession {
    std::string token;  ///< The resumption id that the client knows; unguessable.
    xmpp::Jid owner;    ///< Full: with the resource that the stream is bound to.
    base::WallTime created_at;
    std::uint32_t max_seconds = 0;  ///< How long it may be resumed once its connection is gone.
};

struct SmSession {
    SmSessionKey key = 0;
    std::string token;
    xmpp::Jid owner;  ///< Full.
    base::WallTime created_at;
    std::uint32_t max_seconds = 0;
    std::uint32_t taken = 0;  ///< `h`: stanzas taken from the client, modulo 2^32.
    /// Since when no connection serves it; nullopt: one does (or did when the process died).
    std::optional<base::WallTime> detached_at;
    std::optional<std::string> state;  ///< As save_state got it; from `find` only.
};

inline constexpr std::size_t kSmTokenBytesMax = 256;
inline constexpr std::size_t kSmStateBytesMax = base::operator""_MiB(16);
inline constexpr std::uint32_t kSmSessionPageMax = 1000;

/// Methods that take a key, but for `remove`, fail with not_found when there is no such session.
class SmSessions {
public:
    explicit SmSessions(Transaction& transaction) : transaction_(transaction) {}

    /// Errors: already_exists for the token; invalid_argument for a token that is empty or over
    /// kSmTokenBytesMax, or an owner without a resource.
    base::Result<SmSessionKey> create(const NewSmSession& session);
    base::Result<std::optional<SmSession>> find(std::string_view token);
    /// All of an account (a resource is ignored), oldest first.
    base::Result<std::vector<SmSession>> of_account(const xmpp::Jid& owner);
    /// All of all accounts by key, those after `after` (0: from the start), at most `limit` (at
    /// most kSmSessionPageMax): what a starting server has to know.
    base::Result<std::vector<SmSession>> page(SmSessionKey after, std::uint32_t limit);

    /// Goes into the transaction of the stanzas that it counts. Never back: a count that is behind
    /// the one before, as counts modulo 2^32 go, changes nothing.
    base::Result<void> set_taken(SmSessionKey session, std::uint32_t taken);
    /// The connection is gone; the time to resume runs from `at`.
    base::Result<void> detach(SmSessionKey session, base::WallTime at);
    /// A connection serves it again; a saved state is forgotten.
    base::Result<void> attach(SmSessionKey session);
    /// After a crash: detaches all that are still attached. Yields how many.
    base::Result<std::int64_t> detach_all(base::WallTime at);
    /// Everything a graceful restart needs to resume; replaces what was saved before. Errors:
    /// resource_exhausted over kSmStateBytesMax.
    base::Result<void> save_state(SmSessionKey session, std::string_view state);

    /// Detached sessions whose time to resume is over at `now`, the longest over first, at most
    /// `limit` (at most kSmSessionPageMax). Their deliveries are to be moved (Deliveries), then
    /// they are to be removed.
    base::Result<std::vector<SmSession>> expired(base::WallTime now,
                                                 std::uint32_t limit = kSmSessionPageMax);
    /// Removes the session with its state and what it has not acknowledged. True when there was
    /// one.
    base::Result<bool> remove(SmSessionKey session);

private:
    Transaction& transaction_;
};

extern const StoreSchema kSmSessionsSchema;

}  // namespace storage
