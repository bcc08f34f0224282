// ShardLocal: one value per shard, reached without locks, because each shard sees only its own.
// Unlike a thread_local it belongs to an object, so two servers in one process do not share it, and
// the simulator's shards, all on one thread, each have theirs.
#pragma once

#include "reactor/shards.h"

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace reactor {

template <class T>
class ShardLocal {
public:
    /// `make` is called on each shard at its first `here()`; it must be callable from any thread.
    /// `shards` must outlive this.
    explicit ShardLocal(Shards& shards, std::function<T(World&)> make)
        : shards_(shards),
          make_(std::move(make)),
          slots_(std::make_unique<Slot[]>(shards.count())) {}
    ShardLocal(const ShardLocal&) = delete;
    ShardLocal& operator=(const ShardLocal&) = delete;
    /// Destroys what is left, on the destroying thread: no loop may run any more. Values that hold
    /// Deferreds or timers are to be destroyed by `reset_here` on their shards before.
    ~ShardLocal() = default;

    /// The value of the current shard. CHECKs that there is one.
    T& here() {
        const ShardId id = shards_.current();
        Slot& slot = slots_[id];
        if (!slot.value) slot.value.emplace(make_(shards_.world(id)));
        return *slot.value;
    }
    bool exists_here() const noexcept { return slots_[shards_.current()].value.has_value(); }
    void reset_here() { slots_[shards_.current()].value.reset(); }

private:
    /// A cache line of its own: shards never disturb each other.
    struct alignas(64) Slot {
        std::optional<T> value;
    };

    Shards& shards_;
    std::function<T(World&)> make_;
    std::unique_ptr<Slot[]> slots_;
};

}  // namespace reactor
