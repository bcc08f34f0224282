// Expenses: what users have had from the rooms of a shard where no pace of a room counts: entering,
// which shows a newcomer to everybody and everybody to them, long lists, changes that everybody is
// told of. In stanzas and items of lists. Of those who cause little nothing is kept.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/net/pace.h"
#include "xmpp/core/jid.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace server::modules::muc {

class Expenses {
public:
    /// What one user may cause for long, and at once: five thousand entries to rooms of a hundred.
    static constexpr reactor::PaceLimit kLimit{.per_second = 50'000, .burst = 1'000'000};
    /// What costs no more is free.
    static constexpr std::uint64_t kFree = 20;
    /// Users who are remembered; of one more nothing is.
    static constexpr std::size_t kUsersMax = 10'000;
    /// Looking for the rooms of a service, or into the archive of one, whatever is found.
    static constexpr std::uint64_t kSearch = 100;
    /// Asking the admins of a room for something: twenty times at once, then once a second.
    static constexpr std::uint64_t kRequest = 50'000;

    /// False: `user`, whichever of their clients it is, is ahead of the limit.
    bool may_ask(const xmpp::Jid& user, base::MonotonicTime now) const;
    void add(const xmpp::Jid& user, std::uint64_t cost, base::MonotonicTime now);
    /// Forgets those who have used nothing of what they may.
    void forget_rested(base::MonotonicTime now);
    std::size_t users() const { return paces_.size(); }

private:
    std::unordered_map<std::string, reactor::Pace> paces_;  // By bare address.
};

}  // namespace server::modules::muc
