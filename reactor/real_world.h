// The real World: the kernel's clocks and randomness, a thread pool, and one thread with a loop per
// shard. The only place where shards meet threads.
#pragma once

#include "reactor/blocking_pool.h"
#include "reactor/network.h"
#include "reactor/reactor.h"
#include "reactor/shards.h"
#include "reactor/world.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace reactor {

/// CLOCK_MONOTONIC and CLOCK_REALTIME. Stateless: any thread.
class RealClock final : public Clock {
public:
    base::MonotonicTime monotonic() const override;
    base::WallTime wall() const override;
};

/// getrandom(2), fetched in blocks; jitter from a generator seeded by it. One per shard.
class RealEntropy final : public Entropy {
public:
    RealEntropy();
    RealEntropy(const RealEntropy&) = delete;
    RealEntropy& operator=(const RealEntropy&) = delete;
    /// Wipes what it fetched and did not give out.
    ~RealEntropy() override;
    void secure(std::span<std::byte> into) override;
    std::uint64_t jitter() override;

private:
    std::array<std::byte, 512> block_;  // Bytes are wiped as they are given out.
    std::size_t used_;
    std::array<std::uint64_t, 4> state_;
};

struct RealShardsOptions {
    ShardId count = 1;
    bool pin = false;  ///< Thread i runs on CPU i (modulo their number) only.
    BlockingPoolOptions pool = {};
};

class Mailboxes;

/// The shards of this process. Construction makes every World; threads run only inside `run`.
class RealShards final : public Shards {
public:
    using NetworkFactory = std::function<std::unique_ptr<Network>(World&)>;

    /// `sink` must outlive this. `make_network` is called per shard on the constructing thread.
    RealShards(const RealShardsOptions& options, base::Log log, const NetworkFactory& make_network);
    RealShards(const RealShards&) = delete;
    RealShards& operator=(const RealShards&) = delete;
    /// Closes the pool first. Everything that lives on the shards must be gone.
    ~RealShards() override;

    /// Calls `start(shard)` as the first call of each shard's loop and runs until `stop`; shard 0
    /// runs on the calling thread. Afterwards calls `finish(shard)` on each shard, in its thread,
    /// to destroy what lives there; other shards' loops may have ended by then.
    void run(const std::function<void(ShardId)>& start, const std::function<void(ShardId)>& finish);
    /// From any thread or shard: every loop ends after its turn.
    void stop();

    ShardId count() const noexcept override;
    ShardId current() const noexcept override;
    World& world(ShardId id) noexcept override;
    /// From a thread that is no shard: through the target's Reactor, always true.
    [[nodiscard]] bool post(ShardId target, base::UniqueFunction<void()>&& call) override;
    ThreadPool& pool() noexcept { return pool_; }

private:
    struct Shard;
    bool reserve_answer(ShardId target) override;
    void release_answer(ShardId target) noexcept override;
    void post_answer(ShardId asker, base::UniqueFunction<void()> call) override;
    std::optional<ShardId> current_or_none() const noexcept;
    void run_shard(ShardId id, const std::function<void(ShardId)>& start,
                   const std::function<void(ShardId)>& finish);

    RealClock clock_;
    ThreadPool pool_;
    bool pin_;
    std::unique_ptr<Mailboxes> mailboxes_;
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace reactor
