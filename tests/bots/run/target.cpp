#include "tests/bots/run/target.h"

#include "tests/bots/client/places.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <algorithm>
#include <array>
#include <memory>

namespace bots {
namespace {

constexpr std::uint16_t kPort = 5222;
constexpr std::uint16_t kTlsPort = 5223;
/// Ports that a system hands out for one address, unless it is told otherwise.
constexpr BotNumber kPortsPerAddress = 28'000;
constexpr BotNumber kSourcesMax = 250;

std::string numeric(const sockaddr* address, socklen_t length) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(address, length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
        return {};
    return text.data();
}

bool is_loopback(std::string_view address) {
    return address.starts_with("127.") || address == "::1";
}

bool is_numeric(const std::string& host) {
    in6_addr unused;
    return ::inet_pton(AF_INET, host.c_str(), &unused) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), &unused) == 1;
}

base::Result<std::vector<std::string>> look_up(const std::string& host) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
    if (error != 0)
        return base::fail(base::Errc::not_found, fmt::format("cannot find the server {}: {}", host,
                                                             ::gai_strerror(error)));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
    std::vector<std::string> addresses;
    for (const addrinfo* each = list; each; each = each->ai_next) {
        std::string address = numeric(each->ai_addr, each->ai_addrlen);
        if (!address.empty() && std::ranges::find(addresses, address) == addresses.end())
            addresses.push_back(std::move(address));
    }
    if (addresses.empty())
        return base::fail(base::Errc::not_found, fmt::format("the server {} has no address", host));
    return addresses;
}

}  // namespace

base::Result<Target> find_target(std::string_view written, std::string_view domain,
                                 ClientSecurity security) {
    const auto place = parse_place(written);
    if (!place)
        return base::fail(
            base::Errc::invalid_argument,
            fmt::format("\"{}\" is no server: give HOST, HOST:PORT or [IPV6]:PORT", written));
    std::uint16_t port = place->port;
    if (port == 0) port = security == ClientSecurity::direct_tls ? kTlsPort : kPort;
    std::vector<std::string> addresses = TRY(look_up(place->host));
    // On this machine IPv4 comes first: it has addresses to spare to connect from.
    if (std::ranges::all_of(addresses, is_loopback))
        std::ranges::stable_partition(addresses, [](const std::string& address) {
            return address.find(':') == std::string::npos;
        });
    Target target;
    target.on_this_machine = std::ranges::all_of(addresses, is_loopback);
    for (std::string& address : addresses)
        target.addresses.push_back({std::move(address), port});
    const bool bracketed = place->host.find(':') != std::string::npos;
    target.name =
        fmt::format("{}{}{}:{}", bracketed ? "[" : "", place->host, bracketed ? "]" : "", port);
    target.domain = domain;
    if (domain.empty()) {
        target.domain = place->host;
        if (is_numeric(place->host) && target.on_this_machine) target.domain = "localhost";
        if (is_numeric(place->host) && !target.on_this_machine)
            return base::fail(base::Errc::invalid_argument,
                              fmt::format("{} is an address: say which domain it serves with "
                                          "--domain",
                                          place->host));
    }
    return target;
}

base::Result<std::vector<std::string>> source_addresses(const Target& target, BotNumber connections,
                                                        BotNumber per_source) {
    std::vector<std::string> sources;
    if (connections <= per_source) return sources;
    const bool ipv4 = target.addresses.front().address.starts_with("127.");
    if (!target.on_this_machine || !ipv4) {
        if (connections <= kPortsPerAddress) return sources;
        return base::fail(
            base::Errc::resource_exhausted,
            fmt::format("{} connections need more than the {} ports of one address; use fewer "
                        "--users, or several machines",
                        connections, kPortsPerAddress));
    }
    const BotNumber needed = std::min((connections - 1) / per_source + 1, kSourcesMax);
    for (BotNumber source = 0; source < needed; ++source)
        sources.push_back(fmt::format("127.0.0.{}", source + 1));
    return sources;
}

}  // namespace bots
