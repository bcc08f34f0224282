// SimWorld: Worlds on virtual time, all in one thread, everything that is chance drawn from a seed:
// which shard runs next, when mail between shards arrives, how long pool work takes, all entropy.
// The same seed and the same calls give the same run. Time passes only inside the run functions,
// which stop at every deadline on the way. For tests and simulations; sockets and signals do not
// exist here.
#pragma once

#include "reactor/blocking_pool.h"
#include "reactor/network.h"
#include "reactor/reactor.h"
#include "reactor/shards.h"
#include "reactor/world.h"

#include <array>
#include <functional>
#include <memory>
#include <string>

namespace reactor {

class TraceHash;

/// Stands still until told; wall time moves along and can be stepped on its own.
class VirtualClock final : public Clock {
public:
    explicit VirtualClock(base::WallTime wall) : wall_(wall) {}
    base::MonotonicTime monotonic() const override { return monotonic_; }
    base::WallTime wall() const override { return wall_; }
    void pass(base::Duration step) {
        monotonic_ = monotonic_ + step;
        wall_nanoseconds_ += step.count();
        wall_ = {wall_.microseconds + wall_nanoseconds_ / 1000};
        wall_nanoseconds_ %= 1000;
    }
    /// What an operator or NTP does; monotonic time does not notice.
    void step_wall(base::Duration step) { wall_ = wall_ + step; }

private:
    base::MonotonicTime monotonic_{1'000'000'000};
    base::WallTime wall_;
    std::int64_t wall_nanoseconds_ = 0;  // Less than a microsecond.
};

/// xoshiro256** from a seed and a stream number; both kinds of randomness are reproducible and
/// independent, so that one more draw of one does not shift the other.
class SeededEntropy final : public Entropy {
public:
    SeededEntropy(std::uint64_t seed, std::uint64_t stream) noexcept;
    void secure(std::span<std::byte> into) override;
    std::uint64_t jitter() override;

private:
    std::array<std::uint64_t, 4> secure_;
    std::array<std::uint64_t, 4> jitter_;
};

struct SimOptions {
    std::uint64_t seed = 1;
    ShardId shards = 1;  ///< Of node 0.
    BlockingPoolOptions pool = {};
    base::Duration job_time_min = std::chrono::microseconds(50);
    base::Duration job_time_max = std::chrono::milliseconds(5);
    base::WallTime wall_start = base::WallTime::from_seconds(1'767'225'600);  ///< 2026-01-01.
    /// Turns without time passing before a run gives up: a zero-delay loop.
    std::uint64_t turns_without_time_max = 1'000'000;
    base::Log log = base::Log::silent();
    /// Each turn goes into it (reactor/sim/trace_hash.h); must outlive the world. None: null.
    TraceHash* trace = nullptr;
    /// Makes rare things common in what runs inside (reactor/buggify.h).
    bool buggify = false;
};

class SimWorld {
public:
    /// Called once per shard when its node is made; may be empty (listen and connect then fail
    /// with `unsupported`).
    using NetworkFactory = std::function<std::unique_ptr<Network>(World&)>;

    explicit SimWorld(const SimOptions& options, const NetworkFactory& make_network = {});
    SimWorld(const SimWorld&) = delete;
    SimWorld& operator=(const SimWorld&) = delete;
    /// What lives on the shards must be gone before. Jobs that did not run are dropped.
    ~SimWorld();

    /// Another machine with shards, entropy and pool of its own on the same time; its number,
    /// from 1.
    std::size_t add_node(ShardId shards, const NetworkFactory& make_network = {});

    World& world(ShardId shard = 0, std::size_t node = 0) noexcept;
    Shards& shards(std::size_t node = 0) noexcept;
    VirtualClock& clock() noexcept;
    base::MonotonicTime now() const noexcept;

    /// Calls `function()` as if in a turn of that shard, so that what it starts belongs there.
    template <class Function>
    auto on(World& world, Function function) {
        Reactor::Scope scope(world.reactor);
        return function();
    }

    /// Runs everything that needs no time. False: the step limit was hit.
    bool run_ready();
    /// Lets `step` pass, deadline by deadline. False: the step limit was hit; time stands then.
    bool advance(base::Duration step);
    /// Runs until nothing is scheduled any more, or `limit` has passed (false).
    bool run_until_idle(base::Duration limit = std::chrono::hours(24 * 365));
    /// Runs until `done()` (asked after every turn) or `limit` has passed (false).
    bool run_until(const std::function<bool()>& done, base::Duration limit);

    /// Calls `call` at `time`, on no shard: for faults and scripts.
    void at(base::MonotonicTime time, base::UniqueFunction<void()> call);
    std::uint64_t turns() const noexcept;
    /// How often something rare was made to happen.
    std::uint64_t buggified() const noexcept;
    /// How long jobs of the pools take that are submitted from now on.
    void set_job_times(base::Duration least, base::Duration most);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace reactor
