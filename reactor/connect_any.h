// connect_any: one connection to whichever of several addresses answers first, by RFC 8305 (happy
// eyeballs): families take turns, attempts start 250 ms apart, the first to succeed wins, the
// others are dropped. Resolving names is reactor/resolver.h.
#pragma once

#include "reactor/stream.h"

#include <chrono>
#include <optional>
#include <vector>

namespace reactor {

struct ConnectOptions {
    /// For all attempts together; then `timed_out`.
    base::Duration timeout = std::chrono::seconds(30);
    /// Between the starts of two attempts (RFC 8305 §8); a failure starts the next at once.
    base::Duration attempt_delay = std::chrono::milliseconds(250);
    /// Bind to this address first. Endpoints of another family are then left out.
    std::optional<Endpoint> source = {};
};

/// Of one call; endpoints beyond it (after interleaving) are ignored.
inline constexpr std::size_t kConnectEndpointsMax = 32;

/// `endpoints` with IPv6 and IPv4 taking turns, beginning with the family of the first; the order
/// within a family is kept (RFC 8305 §4). Unix-domain sockets count as IPv4.
std::vector<Endpoint> interleave_families(std::vector<Endpoint> endpoints);

/// Fails with invalid_argument (no endpoint that `source` can reach), timed_out, or, when every
/// attempt failed, the code of the last with a text that names every address tried. Dropping or
/// cancelling drops all attempts.
Deferred<std::unique_ptr<ByteStream>> connect_any(World& world, std::vector<Endpoint> endpoints,
                                                  ConnectOptions options = {});

}  // namespace reactor
