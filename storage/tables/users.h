// Users: the accounts of the hosted domains and their SCRAM keys (RFC 5802 §3). No password is ever
// stored. Only about storage: making and checking keys is xmpp/sasl's.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "storage/schema.h"
#include "storage/transaction.h"
#include "xmpp/core/jid.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace storage {

enum class ScramHash : std::uint8_t { sha1, sha256, sha512 };
inline constexpr std::size_t kScramHashCount = 3;

/// What SCRAM needs to check a password for one hash; raw bytes. Secret: never to be logged.
struct ScramKeys {
    std::string salt;
    std::uint32_t iterations = 0;
    std::string stored_key;
    std::string server_key;

    friend bool operator==(const ScramKeys&, const ScramKeys&) = default;
};

/// Indexed by ScramHash; an account may lack some (imported from a server that had only SHA-1).
using ScramKeySet = std::array<std::optional<ScramKeys>, kScramHashCount>;

struct User {
    xmpp::Jid account;  ///< Bare.
    bool enabled = true;
    base::WallTime created_at;
    std::optional<base::WallTime> last_login_at;
    ScramKeySet keys;

    const std::optional<ScramKeys>& key(ScramHash hash) const {
        return keys[static_cast<std::size_t>(hash)];
    }
};

/// A line of a listing; without keys.
struct UserSummary {
    xmpp::Jid account;
    bool enabled = true;
    base::WallTime created_at;
    std::optional<base::WallTime> last_login_at;
};

inline constexpr std::uint32_t kUserPageMax = 1000;

/// `account` is a bare JID with a localpart everywhere (a resource is ignored); without a
/// localpart: invalid_argument.
class Users {
public:
    explicit Users(Transaction& transaction) : transaction_(transaction) {}

    /// Errors: already_exists.
    base::Result<void> create(const xmpp::Jid& account, const ScramKeySet& keys,
                              base::WallTime created_at);
    base::Result<std::optional<User>> find(const xmpp::Jid& account);
    base::Result<bool> exists(const xmpp::Jid& account);
    /// Replaces all keys: a hash that is not given is no longer there. Errors: not_found.
    base::Result<void> set_keys(const xmpp::Jid& account, const ScramKeySet& keys);
    /// Errors: not_found.
    base::Result<void> set_enabled(const xmpp::Jid& account, bool enabled);
    /// Errors: not_found.
    base::Result<void> record_login(const xmpp::Jid& account, base::WallTime at);
    /// Removes the account with everything any store keeps under it (catalog.h), in this
    /// transaction. Errors: not_found (nothing is removed).
    base::Result<void> remove(const xmpp::Jid& account);

    /// Accounts of `host` by localpart, those after `after_local` ("" from the start), at most
    /// `limit` (at most kUserPageMax). The next page starts after the last localpart of this one.
    base::Result<std::vector<UserSummary>> list(std::string_view host, std::string_view after_local,
                                                std::uint32_t limit);
    /// Counts rows: meant for operators, not for each stanza.
    base::Result<std::int64_t> count(std::string_view host);

private:
    Transaction& transaction_;
};

extern const StoreSchema kUsersSchema;

}  // namespace storage
