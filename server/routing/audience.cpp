#include "server/routing/audience.h"

#include "server/routing/router.h"

#include <utility>

namespace server {

Audience::Audience(List list, reactor::ShardId shard_count)
    : list_(std::move(list)), parts_(shard_count) {
    for (std::vector<const xmpp::Jid*>& part : parts_)
        part.reserve(list_->size() / shard_count + 1);
    for (const xmpp::Jid& to : *list_)
        parts_[shard_of(to.bare_view(), shard_count)].push_back(&to);
}

}  // namespace server
