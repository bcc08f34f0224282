// ClientShared: what the clients of one shard have in common, so that a client stays small: the
// World, the TLS context, the resolver, the read buffer, and the cache of salted passwords
// (RFC 5802 §5.1 allows a client to keep them for an unchanged salt and count).
#pragma once

#include "reactor/tls.h"
#include "reactor/world.h"

#include <cstddef>
#include <memory>
#include <string>

namespace reactor {
class Resolver;
}

namespace bots {

class ClientShared {
public:
    struct Parts {
        reactor::World& world;
        /// Null: clients can only be told addresses.
        reactor::Resolver* resolver = nullptr;
        /// Null: no TLS possible.
        std::shared_ptr<const reactor::TlsClientContext> tls;
        /// Salted passwords kept; the oldest goes first.
        std::size_t salted_passwords_max = 100'000;
    };

    explicit ClientShared(Parts parts);
    ClientShared(const ClientShared&) = delete;
    ClientShared& operator=(const ClientShared&) = delete;
    ~ClientShared();

    struct Impl;
    Impl& impl() noexcept { return *impl_; }

private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace bots
