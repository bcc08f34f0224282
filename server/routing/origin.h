// Origin: which client of ours a message comes from, as long as that client's session and archive
// must know what became of it. Travels with the stanza to the recipient's shard; reports come back.
#pragma once

#include "reactor/shards.h"
#include "server/accounts/resource.h"

#include <cstdint>

namespace server {

struct Origin {
    reactor::ShardId shard = 0;
    /// Names the message on that shard (Router); never 0.
    std::uint64_t ticket = 0;
    /// The sender's stream, when it is managed (XEP-0198), and its count of stanzas with this one:
    /// written in the transaction that stores the message.
    storage::SmSessionKey managed = 0;
    std::uint32_t taken = 0;
    /// The sender's archive takes a copy.
    bool archived = false;
};

/// What the recipient's shard tells the sender's.
struct OriginReport {
    enum class Kind : std::uint8_t {
        placed,   ///< Its storing is under way: the sender's next stanza may follow.
        stored,   ///< On disk under `id`.
        settled,  ///< Nothing had to be stored, or the sender was answered with an error.
    };
    std::uint64_t ticket = 0;
    Kind kind = Kind::placed;
    storage::MessageId id = 0;
};

}  // namespace server
