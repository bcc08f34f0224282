// Shards: the group of loops of a process, one per core, share-nothing. They talk through bounded
// mailboxes (one SPSC ring per ordered pair) with a doorbell that is rung only when the target sleeps.
// FIFO per pair of shards. One shard is a first-class mode.
#pragma once

#include "reactor/deferred.h"
#include "reactor/world.h"

namespace reactor {

using ShardId = std::uint32_t;

class Shards {
public:
    virtual ~Shards() = default;
    virtual ShardId count() const noexcept = 0;
    /// The shard whose turn is running on this thread.
    virtual ShardId current() const noexcept = 0;
    virtual World& world(ShardId id) noexcept = 0;

    /// Runs `call` on shard `target` in a later turn. From a shard: through the mailbox; false when
    /// the mailbox is full (the caller must shed or pause: nothing was queued). To itself: like `soon`.
    [[nodiscard]] virtual bool post(ShardId target, base::UniqueFunction<void()> call) = 0;
    /// Runs `call` on shard `target` and answers on the calling shard; fails with queue_full.
    template <class Function>
    auto run_on(ShardId target, Function call);  // -> Deferred<R> for R or Deferred<R> results
};

}  // namespace reactor
