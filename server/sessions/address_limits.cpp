#include "server/sessions/address_limits.h"

#include <arpa/inet.h>
#include <string>

namespace server {
namespace {

// A minute's worth may come at once. An attempt counts as 60 units of which `per_minute` come back
// each second, so that small limits keep their precision.
constexpr std::uint64_t kAttemptUnits = 60;

PaceLimit login_pace(std::uint64_t per_minute) {
    return {.per_second = per_minute, .burst = per_minute * kAttemptUnits};
}

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

AddressLimits::Verdict AddressLimits::connected(const std::optional<AddressKey>& address) {
    if (connections_ >= options_.connections_max) return Verdict::too_many;
    if (address) {
        Entry& entry = entries_[*address];
        if (entry.connections >= options_.connections_per_address_max)
            return Verdict::too_many_of_address;
        ++entry.connections;
    }
    ++connections_;
    return Verdict::admitted;
}

void AddressLimits::force_connected(const std::optional<AddressKey>& address) {
    if (address) ++entries_[*address].connections;
    ++connections_;
}

void AddressLimits::disconnected(const std::optional<AddressKey>& address,
                                 base::MonotonicTime now) {
    if (connections_ > 0) --connections_;
    if (!address) return;
    const auto found = entries_.find(*address);
    if (found == entries_.end()) return;
    if (found->second.connections > 0) --found->second.connections;
    if (found->second.connections == 0 && found->second.logins.rested(now)) entries_.erase(found);
}

bool AddressLimits::may_log_in(const std::optional<AddressKey>& address, base::MonotonicTime now) {
    if (!address) return true;
    return entries_[*address].logins.try_take(login_pace(options_.logins_per_minute), kAttemptUnits,
                                              now);
}

void AddressLimits::sweep(base::MonotonicTime now) {
    std::erase_if(entries_, [now](const auto& item) {
        return item.second.connections == 0 && item.second.logins.rested(now);
    });
}

}  // namespace server
