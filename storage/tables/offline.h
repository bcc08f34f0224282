// Offline: stanzas kept for an account while none of its resources can take them (XEP-0160), in
// order of arrival, capped and with an expiry. Stanzas are opaque bytes here.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "reactor/base/units.h"
#include "storage/schema.h"
#include "storage/transaction.h"
#include "xmpp/core/jid.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

/// Grows with each stanza stored, over all accounts; never used twice.
using OfflineId = std::int64_t;

struct OfflineStanza {
    OfflineId id = 0;
    std::string stanza;
    base::WallTime stored_at;  ///< For the <delay/> stamp (XEP-0203).
    std::optional<base::WallTime> expires_at;
};

struct OfflineTotals {
    std::int64_t stanzas = 0;
    std::int64_t bytes = 0;
};

struct OfflineLimits {
    std::int64_t stanzas_max = 1000;  ///< Per account.
    std::int64_t bytes_max = static_cast<std::int64_t>(base::operator""_MiB(16));
};

inline constexpr std::uint32_t kOfflinePageMax = 1000;

/// `account` is a bare JID everywhere (a resource is ignored).
class Offline {
public:
    explicit Offline(Transaction& transaction, OfflineLimits limits = {})
        : transaction_(transaction), limits_(limits) {}

    /// Errors: resource_exhausted when the account's store is full (expired stanzas count until
    /// `expire` has removed them).
    base::Result<OfflineId> append(const xmpp::Jid& account, std::string_view stanza,
                                   base::WallTime stored_at,
                                   std::optional<base::WallTime> expires_at = {});
    /// The oldest stanzas after `after` (0: from the start) that have not expired at `now`, at most
    /// `limit` (at most kOfflinePageMax).
    base::Result<std::vector<OfflineStanza>> page(const xmpp::Jid& account, OfflineId after,
                                                  std::uint32_t limit, base::WallTime now);
    /// Removes all up to and including `last`; yields how many there were.
    base::Result<std::int64_t> remove_through(const xmpp::Jid& account, OfflineId last);
    /// Removes those of `ids` that the account has; yields how many.
    base::Result<std::int64_t> remove(const xmpp::Jid& account, std::span<const OfflineId> ids);
    base::Result<std::int64_t> clear(const xmpp::Jid& account);
    /// Removes at most `limit` stanzas of any account whose time has come; yields how many. Call
    /// again in another transaction while it yields `limit`.
    base::Result<std::int64_t> expire(base::WallTime now, std::uint32_t limit = kOfflinePageMax);
    base::Result<OfflineTotals> totals(const xmpp::Jid& account);

private:
    base::Result<void> subtract(std::string_view account, std::int64_t stanzas, std::int64_t bytes);

    Transaction& transaction_;
    OfflineLimits limits_;
};

extern const StoreSchema kOfflineSchema;

}  // namespace storage
