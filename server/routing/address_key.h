// AddressKey: who a connection comes from, as limits count it: an IPv4 address or an IPv6 /64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace server {

/// IPv4-mapped IPv6 addresses count as IPv4.
struct AddressKey {
    std::uint64_t bits = 0;  ///< An IPv4 address, or the upper half of an IPv6 one.
    bool is_v6 = false;

    /// Nothing for what is not limited: what is no IP address (a Unix-domain socket), and this
    /// machine itself (127.0.0.0/8, ::1), behind which a proxy puts everybody's clients.
    static std::optional<AddressKey> of(std::string_view numeric_address);
    friend bool operator==(const AddressKey&, const AddressKey&) = default;
};

struct AddressKeyHash {
    std::size_t operator()(const AddressKey& key) const noexcept {
        return std::hash<std::uint64_t>{}(key.bits * 0x9E3779B97F4A7C15u + (key.is_v6 ? 1 : 0));
    }
};

}  // namespace server
