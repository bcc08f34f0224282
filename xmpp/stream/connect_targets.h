// Where to connect for a domain: RFC 6120 §3.2 with direct TLS (XEP-0368). SRV records of both
// kinds are mixed and ordered by priority and weight (RFC 2782). Sans-I/O: the caller looks names
// up and passes what came; resolving a target's host to addresses is the caller's as well.
#pragma once

#include "reactor/base/result.h"
#include "reactor/base/srv_record.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xmpp {

enum class ConnectService : std::uint8_t { client, server };

/// One place to try.
struct ConnectTarget {
    std::string host;  ///< ASCII host name or numeric address (IPv6 without brackets).
    std::uint16_t port = 0;
    /// TLS from the first byte, ALPN as `alpn_of` says; otherwise STARTTLS.
    bool direct_tls = false;

    friend bool operator==(const ConnectTarget&, const ConnectTarget&) = default;
};

/// The most targets that `order_targets` yields: a domain cannot keep its peers busy for long.
inline constexpr std::size_t kConnectTargetsMax = 16;

/// "_xmpp-client._tcp.example.org", "_xmpps-server._tcp.example.org"; `domain` in A-labels
/// (domain_to_ascii).
std::string srv_name(ConnectService service, bool direct_tls, std::string_view domain);

/// "xmpp-client" or "xmpp-server" (XEP-0368 §3).
std::string_view alpn_of(ConnectService service) noexcept;

/// True for an IPv4 or (bracketed) IPv6 address instead of a name: no SRV lookups, the only target
/// is `fallback_target`.
bool is_address_literal(std::string_view domain) noexcept;

/// The domain itself at port 5222 or 5269 with STARTTLS (RFC 6120 §3.2.2).
ConnectTarget fallback_target(ConnectService service, std::string_view domain);

/// What one SRV lookup came to: its records (none: the name has none, or does not exist), or why
/// nothing is known. Errc::corrupt stands for a bogus answer (DNSSEC).
using SrvLookup = base::Result<std::vector<base::SrvRecord>>;

/// Targets in the order in which to try them, at least one; `seed` decides among weights.
/// `starttls` is the lookup of "_xmpp-…", `direct` that of "_xmpps-…"; either may have failed.
/// Without any answer: the fallback target. Errors: unsupported (a target "." says that the domain
/// does not offer the service, and nothing else does: no fallback); the failure of a lookup where
/// another answer forbids the fallback, or that was bogus.
base::Result<std::vector<ConnectTarget>> order_targets(ConnectService service,
                                                       std::string_view domain, SrvLookup starttls,
                                                       SrvLookup direct, std::uint64_t seed);

}  // namespace xmpp
