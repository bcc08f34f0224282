// Shards: the group of loops of a process, one per core, share-nothing. They talk through bounded
// mailboxes (one SPSC ring per ordered pair) with a doorbell that is rung only when the target
// sleeps. FIFO per pair of shards. One shard is a first-class mode.
#pragma once

#include "reactor/deferred.h"
#include "reactor/world.h"

#include <cstdint>

namespace reactor {

using ShardId = std::uint32_t;

class Shards {
public:
    /// Calls that may wait in the mailbox of one ordered pair; also answers outstanding per pair.
    static constexpr std::uint32_t kMailboxMax = 1024;

    virtual ~Shards() = default;
    virtual ShardId count() const noexcept = 0;
    /// The shard whose turn is running on this thread. CHECKs that there is one.
    virtual ShardId current() const noexcept = 0;
    virtual World& world(ShardId id) noexcept = 0;

    /// Runs `call` on shard `target` in a later turn. From a shard: through the mailbox; false when
    /// the mailbox is full (the caller must shed or pause: nothing was queued). To itself: like
    /// `soon`.
    [[nodiscard]] virtual bool post(ShardId target, base::UniqueFunction<void()>&& call) = 0;

    /// Runs `call` on shard `target` and answers on the calling shard with what it returns: R,
    /// Result<R> or Deferred<R>. Fails with queue_full when the mailbox is full or kMailboxMax
    /// answers are outstanding. `call` is destroyed on the calling shard. Dropping or cancelling
    /// the Deferred does not stop the call; its answer is discarded.
    template <class Function>
    auto run_on(ShardId target, Function call)
        -> Deferred<detail::Flattened<std::invoke_result_t<Function&>>>;

protected:
    template <class R, class Function>
    friend class RemoteCall;

    /// Takes a place in the lane of answers from `target` to the current shard; false: none left.
    virtual bool reserve_answer(ShardId target) = 0;
    /// Gives it back, on the shard that took it.
    virtual void release_answer(ShardId target) noexcept = 0;
    /// On the shard that answers; never full, because the place was reserved.
    virtual void post_answer(ShardId asker, base::UniqueFunction<void()> call) = 0;
};

}  // namespace reactor

#include "reactor/remote_call.h"
