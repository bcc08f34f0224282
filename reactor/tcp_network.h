// The kernel's sockets as a Network: TCP over IPv4 and IPv6 and Unix-domain stream sockets.
#pragma once

#include "reactor/network.h"

#include <memory>

namespace reactor {

/// For the shard of `world`, which must outlive it; `world.network` itself is not used, so the
/// result may become it.
///
/// `connect` fails with connection_refused, timed_out, address_in_use (source), permission_denied,
/// no_route (unreachable), connection_lost, resource_exhausted or invalid_argument (not a numeric
/// address). It has no deadline of its own beside the kernel's: combine it with
/// `with_timeout`.
std::unique_ptr<Network> make_tcp_network(World& world);

}  // namespace reactor
