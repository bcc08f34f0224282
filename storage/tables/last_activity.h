// LastActivity: when an account was last online and its last presence status (XEP-0012 §3).
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "storage/schema.h"
#include "storage/transaction.h"
#include "xmpp/core/jid.h"

#include <optional>
#include <string>

namespace storage {

/// A longer status is cut at a character's end.
inline constexpr std::size_t kLastStatusBytesMax = 1024;

struct LastSeen {
    base::WallTime at;
    std::string status;
};

class LastActivity {
public:
    explicit LastActivity(Transaction& transaction) : transaction_(transaction) {}

    base::Result<std::optional<LastSeen>> get(const xmpp::Jid& account);
    base::Result<void> put(const xmpp::Jid& account, const LastSeen& seen);

private:
    Transaction& transaction_;
};

extern const StoreSchema kLastActivitySchema;

}  // namespace storage
