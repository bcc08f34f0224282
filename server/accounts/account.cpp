#include "server/accounts/account.h"

#include "reactor/base/check.h"

#include <algorithm>
#include <utility>

namespace server {

Resource* Account::find(std::string_view resource_name) {
    for (const auto& resource : resources_)
        if (resource->name == resource_name) return resource.get();
    return nullptr;
}

Resource* Account::of_session(SessionId session) {
    for (const auto& resource : resources_)
        if (resource->session_id == session) return resource.get();
    return nullptr;
}

Resource& Account::add(std::unique_ptr<Resource> resource) {
    CHECK(find(resource->name) == nullptr);
    resources_.push_back(std::move(resource));
    return *resources_.back();
}

std::unique_ptr<Resource> Account::remove(SessionId session) {
    const auto found = std::ranges::find_if(
        resources_, [&](const auto& resource) { return resource->session_id == session; });
    if (found == resources_.end()) return nullptr;
    std::unique_ptr<Resource> removed = std::move(*found);
    resources_.erase(found);
    return removed;
}

bool Account::blocks_by(const Blocklist& list, const xmpp::Jid& peer) const {
    if (peer.same_bare(jid_)) return false;
    if (peer.is_domain() && peer.domain() == jid_.domain()) return false;
    return list.covers(peer);
}

bool Account::has_available() const {
    return std::ranges::any_of(resources_,
                               [](const auto& resource) { return resource->available(); });
}

bool Account::takes_messages() const {
    return std::ranges::any_of(resources_,
                               [](const auto& resource) { return resource->takes_messages(); });
}

}  // namespace server
