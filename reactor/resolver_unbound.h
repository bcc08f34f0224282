// The real Resolver: libunbound, a validating and caching one inside the process. One per shard
// that asks: each has a cache and, from its first question on, a thread of libunbound (1.5 MB).
// Questions of different shards are about different domains, so there is little to share.
#pragma once

#include "reactor/resolver.h"

namespace reactor {

struct World;

/// Files are read once, when the resolver is made.
struct UnboundOptions {
    ResolverLimits limits = {};
    /// Name servers to ask, from resolv.conf(5). Without a file or a server in it libunbound
    /// resolves from the root itself. Empty: not read.
    std::string resolv_conf = "/etc/resolv.conf";
    /// hosts(5); missing is fine. Empty: not read.
    std::string hosts = "/etc/hosts";
    /// DS or DNSKEY records of the root in zone format; the first that exists is used. None: no
    /// validation, every answer is insecure. The name servers above must pass DNSSEC records on,
    /// or everything is bogus.
    std::vector<std::string> trust_anchors = {"/usr/share/dns/root.key",
                                              "/var/lib/unbound/root.key"};
    /// Name servers asked instead of those of resolv.conf: "192.0.2.1" or "192.0.2.1@5353".
    std::vector<std::string> name_servers = {};
};

/// On the shard's thread (or in a Reactor::Scope); `world` must outlive the resolver. Errors:
/// resource_exhausted, io_error, invalid_argument (a name server, a damaged trust anchor).
base::Result<std::unique_ptr<Resolver>> make_unbound_resolver(World& world,
                                                              UnboundOptions options = {});

}  // namespace reactor
