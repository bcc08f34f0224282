// Audience: those who get the same stanzas again and again, dealt to the shards they live on. Made
// once, then shared by all stanzas for them and by the shards that those are on their way to.
#pragma once

#include "reactor/shards.h"
#include "xmpp/core/jid.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace server {

/// Immutable; may be shared with other threads.
class Audience {
public:
    using List = std::shared_ptr<const std::vector<xmpp::Jid>>;

    /// Keeps `list`. Who is no account of this server finds their way from any shard, and is
    /// somewhere in it.
    Audience(List list, reactor::ShardId shard_count);

    const List& list() const { return list_; }
    reactor::ShardId shard_count() const { return static_cast<reactor::ShardId>(parts_.size()); }
    /// Those of one shard, in the order of the list.
    const std::vector<const xmpp::Jid*>& part(reactor::ShardId shard) const {
        return parts_[shard];
    }

private:
    List list_;
    std::vector<std::vector<const xmpp::Jid*>> parts_;
};

}  // namespace server
