#include "server/sessions/resumable_sessions.h"

#include <algorithm>
#include <utility>

namespace server {

std::optional<SessionId> ResumableSessions::find(const std::string& token) const {
    const auto found = live_.find(token);
    if (found == live_.end()) return std::nullopt;
    return found->second;
}

void ResumableSessions::add_lost(LostStream stream, base::MonotonicTime until) {
    std::string token = stream.token;
    lost_.insert_or_assign(std::move(token), Lost{std::move(stream), until});
}

std::optional<LostStream> ResumableSessions::take_lost(const std::string& token,
                                                       const xmpp::Jid& account) {
    const auto found = lost_.find(token);
    if (found == lost_.end() || !found->second.stream.owner.same_bare(account)) return std::nullopt;
    LostStream stream = std::move(found->second.stream);
    lost_.erase(found);
    return stream;
}

template <class Wanted>
std::vector<LostStream> ResumableSessions::take_if(Wanted wanted) {
    std::vector<LostStream> taken;
    std::erase_if(lost_, [&](auto& entry) {
        if (!wanted(entry.second)) return false;
        taken.push_back(std::move(entry.second.stream));
        return true;
    });
    std::ranges::sort(taken, {}, &LostStream::key);
    return taken;
}

std::vector<LostStream> ResumableSessions::take_lost_of(const xmpp::Jid& account) {
    if (lost_.empty()) return {};
    return take_if([&](const Lost& lost) { return lost.stream.owner.same_bare(account); });
}

std::vector<LostStream> ResumableSessions::take_lost_until(base::MonotonicTime now) {
    return take_if([&](const Lost& lost) { return lost.until <= now; });
}

std::optional<base::MonotonicTime> ResumableSessions::next_lost() const {
    std::optional<base::MonotonicTime> next;
    for (const auto& [token, lost] : lost_)
        if (!next || lost.until < *next) next = lost.until;
    return next;
}

}  // namespace server
