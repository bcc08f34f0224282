#include "server/sessions/address_limits.h"

namespace server {
namespace {

// A minute's worth may come at once. An attempt counts as 60 units of which `per_minute` come back
// each second, so that small limits keep their precision.
constexpr std::uint64_t kAttemptUnits = 60;

reactor::PaceLimit login_pace(std::uint64_t per_minute) {
    return {.per_second = per_minute, .burst = per_minute * kAttemptUnits};
}

}  // namespace

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
