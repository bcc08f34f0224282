// ResumableSessions: the streams of one shard that may be resumed (XEP-0198 §5), by the id their
// clients know: those that live here, and those of which a crash left only what the database has.
#pragma once

#include "reactor/base/clock.h"
#include "server/accounts/resource.h"
#include "storage/tables/sm_sessions.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace server {

/// A stream that nobody can resume any more, with deliveries that nobody has taken over yet.
struct LostStream {
    std::string token;
    storage::SmSessionKey key = 0;
    xmpp::Jid owner;  ///< Full.
    std::uint32_t taken = 0;
};

class ResumableSessions {
public:
    void add(const std::string& token, SessionId session) { live_[token] = session; }
    void remove(const std::string& token) { live_.erase(token); }
    std::optional<SessionId> find(const std::string& token) const;

    /// `until`: when its deliveries go to the offline queue whatever happens.
    void add_lost(LostStream stream, base::MonotonicTime until);
    std::optional<LostStream> take_lost(const std::string& token, const xmpp::Jid& account);
    std::vector<LostStream> take_lost_of(const xmpp::Jid& account);
    std::vector<LostStream> take_lost_until(base::MonotonicTime now);
    /// When take_lost_until has something to give; nullopt: never.
    std::optional<base::MonotonicTime> next_lost() const;

private:
    struct Lost {
        LostStream stream;
        base::MonotonicTime until;
    };
    template <class Wanted>
    std::vector<LostStream> take_if(Wanted wanted);

    std::unordered_map<std::string, SessionId> live_;
    std::unordered_map<std::string, Lost> lost_;  // Empty but after a crash.
};

}  // namespace server
