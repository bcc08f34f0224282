#include "reactor/net/connection_limits.h"

#include <arpa/inet.h>
#include <netinet/in.h>

namespace reactor {

using base::Errc;
using base::fail;

std::string address_key(const Endpoint& peer) {
    if (peer.is_unix()) return "unix";
    in6_addr v6{};
    const std::string host = peer.address.substr(0, peer.address.find('%'));
    if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return peer.address;
    const auto* bytes = reinterpret_cast<const char*>(v6.s6_addr);
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        char text[INET_ADDRSTRLEN] = {};
        inet_ntop(AF_INET, bytes + 12, text, sizeof text);
        return text;
    }
    return std::string(bytes, 8);
}

base::Result<ConnectionLimits::Admission> ConnectionLimits::admit(const Endpoint& peer) {
    if (count_ >= options_.total_max)
        return fail(Errc::resource_exhausted, "too many connections altogether");
    std::string key = address_key(peer);
    const auto found = by_address_.find(key);
    if (found != by_address_.end() ? found->second >= options_.per_address_max
                                   : options_.per_address_max == 0)
        return fail(Errc::resource_exhausted, "too many connections from " + peer.address);
    ++by_address_[key];
    ++count_;
    return Admission(*this, std::move(key));
}

void ConnectionLimits::leave(const std::string& key) noexcept {
    --count_;
    const auto found = by_address_.find(key);
    if (--found->second == 0) by_address_.erase(found);
}

std::size_t ConnectionLimits::count_of(const Endpoint& peer) const {
    const auto found = by_address_.find(address_key(peer));
    return found == by_address_.end() ? 0 : found->second;
}

}  // namespace reactor
