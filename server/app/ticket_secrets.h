// The secrets of TLS tickets (RFC 8446 §4.6.1), kept in the database so that clients resume TLS
// over a restart as they do XEP-0198. Each enciphers new tickets for a day and is understood for
// another one, as long as the last of its tickets is good; then it is gone.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace storage {
class Transaction;
}

namespace server {

inline constexpr base::Duration kTicketSecretPeriod = std::chrono::hours(24);
/// How often to look whether it is time for a new secret.
inline constexpr base::Duration kTicketSecretCheck = std::chrono::hours(1);

/// The secrets as of `now`, newest first, for TlsServerOptions::ticket_secrets. When it is time for
/// a new one that is `fresh`: reactor::kTicketSecretBytes random bytes. Storage in which nothing
/// can be read starts anew; no ticket is worth a refusal to start.
base::Result<std::vector<std::string>> ticket_secrets(storage::Transaction& transaction,
                                                      base::WallTime now, std::string_view fresh);

}  // namespace server
