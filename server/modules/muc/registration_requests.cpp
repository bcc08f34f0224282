#include "server/modules/muc/registration_requests.h"

#include "server/modules/muc/affiliations.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {

const RegistrationRequest* RegistrationRequests::of(const xmpp::Jid& jid) const {
    const auto found = std::ranges::find_if(
        waiting_, [&](const RegistrationRequest& one) { return one.jid.same_bare(jid); });
    return found == waiting_.end() ? nullptr : &*found;
}

const RegistrationRequest* RegistrationRequests::for_nick(std::string_view nick) const {
    const std::string key = nick_key(nick);
    const std::string skeleton = nick_skeleton(nick);
    const auto found = std::ranges::find_if(waiting_, [&](const RegistrationRequest& one) {
        return nick_key(one.nick) == key ||
               look_alike(nick, skeleton, one.nick, nick_skeleton(one.nick));
    });
    return found == waiting_.end() ? nullptr : &*found;
}

void RegistrationRequests::put(RegistrationRequest request) {
    forget(request.jid);
    if (!request.nick.empty()) waiting_.push_back(std::move(request));
}

void RegistrationRequests::forget(const xmpp::Jid& jid) {
    std::erase_if(waiting_, [&](const RegistrationRequest& one) { return one.jid.same_bare(jid); });
}

}  // namespace server::modules::muc
