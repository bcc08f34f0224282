// ArchivePreferences: what an account wants archived (XEP-0441). Which rule a message falls under
// is server/'s to decide.
#pragma once

#include "reactor/base/result.h"
#include "storage/schema.h"
#include "storage/transaction.h"
#include "xmpp/core/jid.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace storage {

/// For addresses in neither list. Stored as these numbers: append only.
enum class ArchiveDefault : std::uint8_t { always = 0, never = 1, roster = 2 };

struct ArchiveRules {
    ArchiveDefault otherwise = ArchiveDefault::always;
    std::vector<xmpp::Jid> always = {};  ///< Bare or full; without order.
    std::vector<xmpp::Jid> never = {};

    friend bool operator==(const ArchiveRules&, const ArchiveRules&) = default;
};

/// Addresses in both lists together.
inline constexpr std::size_t kArchiveRulesMax = 1000;

/// `account` is a bare JID everywhere (a resource is ignored).
class ArchivePreferences {
public:
    explicit ArchivePreferences(Transaction& transaction) : transaction_(transaction) {}

    /// nullopt: the account never set any. Lists come ordered by JID text.
    base::Result<std::optional<ArchiveRules>> get(const xmpp::Jid& account);
    /// Replaces all. An address that is twice in one list is kept once. Errors: resource_exhausted
    /// past kArchiveRulesMax; invalid_argument for an address in both lists.
    base::Result<void> put(const xmpp::Jid& account, const ArchiveRules& rules);

private:
    Transaction& transaction_;
};

extern const StoreSchema kArchivePreferencesSchema;

}  // namespace storage
