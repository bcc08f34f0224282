#include "server/sessions/resumable_sessions.h"

#include <algorithm>
#include <limits>

namespace server {

std::optional<SessionId> ResumableSessions::find(const std::string& token) const {
    const auto found = live_.find(token);
    if (found == live_.end()) return std::nullopt;
    return found->second;
}

void ResumableSessions::add_lost(LostStream stream, base::MonotonicTime until) {
    const Key key = stream.key;
    static_cast<void>(take_lost(key));
    if (given_ + stream.given.size() > kGivenInAllMax) stream.given.clear();
    given_ += stream.given.size();
    if (!stream.token.empty()) lost_by_token_[stream.token] = key;
    lost_by_account_.emplace(stream.owner.bare_view(), key);
    lost_by_time_.emplace(until, key);
    lost_.emplace(key, Lost{std::move(stream), until});
}

std::optional<LostStream> ResumableSessions::take_lost(Key key) {
    const auto found = lost_.find(key);
    if (found == lost_.end()) return std::nullopt;
    Lost lost = std::move(found->second);
    lost_.erase(found);
    given_ -= lost.stream.given.size();
    lost_by_token_.erase(lost.stream.token);
    lost_by_account_.erase({std::string(lost.stream.owner.bare_view()), key});
    lost_by_time_.erase({lost.until, key});
    return std::move(lost.stream);
}

std::optional<LostStream> ResumableSessions::release_lost(const std::string& token,
                                                          const xmpp::Jid& account) {
    const auto found = lost_by_token_.find(token);
    if (found == lost_by_token_.end()) return std::nullopt;
    LostStream& stream = lost_.find(found->second)->second.stream;
    if (!stream.owner.same_bare(account)) return std::nullopt;
    LostStream before = stream;
    stream.released = true;
    return before;
}

std::vector<LostStream> ResumableSessions::release_lost_of(const xmpp::Jid& account) {
    std::vector<LostStream> released;
    const std::string bare(account.bare_view());
    const auto first = lost_by_account_.lower_bound({bare, std::numeric_limits<Key>::min()});
    for (auto each = first; each != lost_by_account_.end() && each->first == bare; ++each) {
        LostStream& stream = lost_.find(each->second)->second.stream;
        if (stream.released) continue;
        released.push_back(stream);
        stream.released = true;
    }
    return released;
}

std::vector<LostStream> ResumableSessions::take_lost_until(base::MonotonicTime now) {
    std::vector<LostStream> taken;
    while (!lost_by_time_.empty() && lost_by_time_.begin()->first <= now)
        if (auto stream = take_lost(lost_by_time_.begin()->second))
            taken.push_back(*std::move(stream));
    std::ranges::sort(taken, {}, &LostStream::key);
    return taken;
}

std::optional<base::MonotonicTime> ResumableSessions::next_lost() const {
    if (lost_by_time_.empty()) return std::nullopt;
    return lost_by_time_.begin()->first;
}

}  // namespace server
