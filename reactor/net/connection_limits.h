// ConnectionLimits: how many connections may exist, altogether and from one address (an IPv4
// address or an IPv6 /64). Of one shard.
#pragma once

#include "reactor/base/result.h"
#include "reactor/stream.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

namespace reactor {

struct ConnectionLimitsOptions {
    std::size_t total_max = 10'000;
    std::size_t per_address_max = 100;
};

class ConnectionLimits {
public:
    explicit ConnectionLimits(ConnectionLimitsOptions options = {}) : options_(options) {}
    ConnectionLimits(const ConnectionLimits&) = delete;
    ConnectionLimits& operator=(const ConnectionLimits&) = delete;

    /// A place, given back when it is destroyed. The limits must outlive it.
    class Admission {
    public:
        Admission(Admission&& other) noexcept
            : limits_(std::exchange(other.limits_, nullptr)), key_(std::move(other.key_)) {}
        Admission& operator=(Admission&&) = delete;
        ~Admission() {
            if (limits_ != nullptr) limits_->leave(key_);
        }

    private:
        friend class ConnectionLimits;
        Admission(ConnectionLimits& limits, std::string key)
            : limits_(&limits), key_(std::move(key)) {}
        ConnectionLimits* limits_;
        std::string key_;
    };

    /// resource_exhausted: no place left; the text says by which limit.
    base::Result<Admission> admit(const Endpoint& peer);
    std::size_t count() const noexcept { return count_; }
    std::size_t count_of(const Endpoint& peer) const;

private:
    void leave(const std::string& key) noexcept;

    ConnectionLimitsOptions options_;
    std::size_t count_ = 0;
    std::unordered_map<std::string, std::size_t> by_address_;
};

/// What counts as one peer: an IPv4 address (also inside ::ffff:0:0/96), the first 64 bits of an
/// IPv6 one, "unix" for local peers.
std::string address_key(const Endpoint& peer);

}  // namespace reactor
