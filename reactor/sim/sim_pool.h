// SimPool: a BlockingPool without threads. A job runs in one piece at the virtual time at which a
// thread would have finished it: a seeded while after a place among the class's threads was free.
// Also SimEvents, the things that happen at a time and on no shard. Internal to SimWorld.
#pragma once

#include "reactor/blocking_pool.h"
#include "reactor/world.h"

#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace reactor {

/// Calls at points of virtual time, those of equal time in the order they were made.
class SimEvents {
public:
    void at(base::MonotonicTime time, base::UniqueFunction<void()> call);
    std::optional<base::MonotonicTime> next() const noexcept;
    /// Runs the first call whose time has come; false when there is none.
    bool run_one(base::MonotonicTime now);
    void clear() noexcept;

private:
    std::multimap<base::MonotonicTime, base::UniqueFunction<void()>> calls_;
};

class SimPool final : public BlockingPool {
public:
    struct Times {
        base::Duration job_min;
        base::Duration job_max;
    };
    SimPool(const BlockingPoolOptions& options, Times times, const Clock& clock, SimEvents& events,
            std::uint64_t seed, std::uint64_t stream);

    bool submit(WorkClass work_class, base::UniqueFunction<void()> job) override;
    bool closed() const noexcept override { return closed_; }
    void close() noexcept { closed_ = true; }
    void set_times(Times times) noexcept { times_ = times; }

private:
    struct Lane {
        std::deque<base::UniqueFunction<void()>> waiting;
        std::uint32_t running = 0;
    };

    void begin(WorkClass work_class, base::UniqueFunction<void()> job);
    void end(WorkClass work_class, base::UniqueFunction<void()>& job);

    BlockingPoolOptions options_;
    Times times_;
    const Clock& clock_;
    SimEvents& events_;
    std::unique_ptr<Entropy> chance_;
    std::array<Lane, kWorkClasses> lanes_;
    bool closed_ = false;
};

}  // namespace reactor
