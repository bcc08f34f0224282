// Places to connect to, as people and servers write them. Internal to tests/bots/client.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bots {

inline constexpr std::uint16_t kClientPort = 5222;

/// Where to try.
struct Place {
    std::string host;        ///< A name or a numeric address.
    std::uint16_t port = 0;  ///< 0: none was said.
    bool direct_tls = false;

    friend bool operator==(const Place&, const Place&) = default;
};

/// "name", "name:port", "192.0.2.1:5222", "[2001:db8::1]:5222" (RFC 6120 §4.9.3.19, XEP-0198 §3);
/// an IPv6 address may do without brackets where no port follows. nullopt when it is neither.
std::optional<Place> parse_place(std::string_view text);

}  // namespace bots
