// ResumableSessions: the streams of one shard that may be resumed (XEP-0198 §5), by the id their
// clients know: those that live here, and those that have ended, of which the count of what they
// took is worth knowing.
#pragma once

#include "reactor/base/clock.h"
#include "server/accounts/resource.h"
#include "server/sessions/stream_management.h"
#include "storage/tables/messages_deliveries.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace server {

/// Counts of streams that have ended, kept in case their clients ask.
inline constexpr std::size_t kCountsKeptMax = 10'000;
inline constexpr base::Duration kCountKept = std::chrono::hours(24);
/// Deliveries of theirs that are remembered, of one stream and of all on a shard.
inline constexpr std::uint32_t kGivenMax = 1'000;
inline constexpr std::size_t kGivenInAllMax = 100'000;
/// What storage refused is tried again after so long.
inline constexpr base::Duration kReleaseRetry = std::chrono::seconds(10);

/// A stream that nobody can resume any more: a crash, or time, has ended it. Its count outlives its
/// deliveries: a client that did not hear of it before the next crash asks again.
struct LostStream {
    std::string token;  ///< Empty: nobody will ask.
    storage::SmSessionKey key = 0;
    xmpp::Jid owner = {};  ///< Full.
    std::uint32_t taken = 0;
    /// Deliveries that its client has, in the client's count and in ours.
    std::optional<std::uint32_t> handled = {};
    StreamManagement::Acknowledged gone = {};
    storage::SharedDeliveries shared = storage::SharedDeliveries::taken;
    bool released = false;                      ///< Others have taken over its deliveries:
    std::vector<storage::HandOver> given = {};  ///< These. Its client may say yet that it has them.
    base::MonotonicTime forget_at = {};         ///< When the count is worth nothing any more.
};

class ResumableSessions {
public:
    void add(const std::string& token, SessionId session) { live_[token] = session; }
    void remove(const std::string& token) { live_.erase(token); }
    std::optional<SessionId> find(const std::string& token) const;

    /// A stream that has ended, and of which `add_lost` will tell when that is in the database.
    void begin_end(const std::string& token) { ending_.insert(token); }
    void finish_end(const std::string& token) { ending_.erase(token); }
    bool is_ending(const std::string& token) const { return ending_.contains(token); }

    /// `until`: when `take_lost_until` gives it. Replaces what is known of the same stream.
    void add_lost(LostStream stream, base::MonotonicTime until);
    /// As it was before: it is released from now on.
    std::optional<LostStream> release_lost(const std::string& token, const xmpp::Jid& account);
    /// Those of an account that were not released before, oldest first.
    std::vector<LostStream> release_lost_of(const xmpp::Jid& account);
    /// Those whose time has come, oldest first; nothing is known of them afterwards.
    std::vector<LostStream> take_lost_until(base::MonotonicTime now);
    /// When take_lost_until has something to give; nullopt: never.
    std::optional<base::MonotonicTime> next_lost() const;
    /// For the count of one more stream.
    bool has_room() const noexcept { return lost_.size() < kCountsKeptMax; }
    std::size_t lost_count() const noexcept { return lost_.size(); }

private:
    using Key = storage::SmSessionKey;
    struct Lost {
        LostStream stream;
        base::MonotonicTime until;
    };
    std::optional<LostStream> take_lost(Key key);

    std::unordered_map<std::string, SessionId> live_;
    std::set<std::string> ending_;
    std::map<Key, Lost> lost_;
    std::size_t given_ = 0;  // Of those.
    std::unordered_map<std::string, Key> lost_by_token_;
    std::set<std::pair<std::string, Key>> lost_by_account_;
    std::set<std::pair<base::MonotonicTime, Key>> lost_by_time_;
};

}  // namespace server
