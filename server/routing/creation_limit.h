// CreationLimit: how many accounts an address has made in the running hour (XEP-0077 §8). One for
// the whole process, on one shard.
#pragma once

#include "reactor/base/clock.h"
#include "server/routing/address_key.h"

#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace server {

class CreationLimit {
public:
    /// Addresses that are remembered; one more forgets all of them.
    static constexpr std::size_t kAddressesMax = 10'000;

    /// Counts one more account of `address`; false: it has made `most` already.
    bool allow(const AddressKey& address, base::MonotonicTime now, std::int64_t most);

private:
    base::MonotonicTime started_at_;
    std::unordered_map<AddressKey, std::int64_t, AddressKeyHash> made_;
};

}  // namespace server
