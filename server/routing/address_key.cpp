#include "server/routing/address_key.h"

#include <arpa/inet.h>
#include <string>

namespace server {
namespace {

std::uint64_t big_endian(const unsigned char* bytes, int count) {
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i)
        value = value << 8 | bytes[i];
    return value;
}

// 127.0.0.0/8 is this machine itself: a proxy or a test, with everybody's clients behind one
// address.
std::optional<AddressKey> of_v4(std::uint64_t bits) {
    constexpr std::uint64_t kLoopbackNetwork = 127;
    if (bits >> 24 == kLoopbackNetwork) return std::nullopt;
    return AddressKey{bits, false};
}

}  // namespace

std::optional<AddressKey> AddressKey::of(std::string_view numeric_address) {
    const std::string text(numeric_address.substr(0, numeric_address.find('%')));
    in_addr v4;
    if (inet_pton(AF_INET, text.c_str(), &v4) == 1)
        return of_v4(big_endian(reinterpret_cast<const unsigned char*>(&v4), 4));
    in6_addr v6;
    if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return std::nullopt;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) return of_v4(big_endian(v6.s6_addr + 12, 4));
    if (IN6_IS_ADDR_LOOPBACK(&v6)) return std::nullopt;
    return AddressKey{big_endian(v6.s6_addr, 8), true};
}

}  // namespace server
