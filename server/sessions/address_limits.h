// AddressLimits: connections and logins per client address, and connections altogether. One table
// for the process, kept on shard 0; other shards ask it by mail. An IPv6 client is its /64.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/net/pace.h"
#include "server/routing/address_key.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace server {

struct AddressLimitOptions {
    std::size_t connections_max = 100'000;
    std::size_t connections_per_address_max = 200;
    std::uint64_t logins_per_minute = 60;
};

class AddressLimits {
public:
    enum class Verdict : std::uint8_t { admitted, too_many, too_many_of_address };

    explicit AddressLimits(const AddressLimitOptions& options) : options_(options) {}
    void set_options(const AddressLimitOptions& options) { options_ = options; }

    /// Counts a connection; every admitted one is to be given back by `disconnected`.
    Verdict connected(const std::optional<AddressKey>& address);
    /// Counts one that could not be refused any more.
    void force_connected(const std::optional<AddressKey>& address);
    void disconnected(const std::optional<AddressKey>& address, base::MonotonicTime now);
    /// Whether the address may try to log in now; counts the attempt if so.
    bool may_log_in(const std::optional<AddressKey>& address, base::MonotonicTime now);

    /// Forgets addresses without connections whose attempts lie long enough back; to be called once
    /// in a while. The table holds at most one entry per connection or recent attempt.
    void sweep(base::MonotonicTime now);
    std::size_t addresses() const { return entries_.size(); }
    std::size_t connections() const { return connections_; }

private:
    struct Entry {
        std::size_t connections = 0;
        reactor::Pace logins;
    };

    AddressLimitOptions options_;
    std::unordered_map<AddressKey, Entry, AddressKeyHash> entries_;
    std::size_t connections_ = 0;
};

}  // namespace server
