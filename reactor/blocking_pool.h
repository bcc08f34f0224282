// BlockingPool: a bounded pool of threads for work that blocks (SQLite, PBKDF2, files, name
// look-ups). Each class has its own threads and its own queue cap, so that slow disks cannot starve
// logins.
#pragma once

#include "reactor/deferred.h"

#include <array>
#include <cstdint>
#include <memory>

namespace reactor {

enum class WorkClass : std::uint8_t { crypto, dns, misc };
constexpr std::size_t kWorkClasses = 3;

class BlockingPool {
public:
    virtual ~BlockingPool() = default;

    /// Runs `work` on a thread of the class and answers on the calling shard. `work` owns what it
    /// touches and may not touch shard state; it is destroyed on the calling shard. It returns R or
    /// Result<R>. Fails with queue_full (cap reached) or closed.
    /// Dropping or cancelling the Deferred does not stop running work; its result is discarded.
    template <class Function>
    auto run(WorkClass work_class, Function work)
        -> Deferred<detail::Flattened<std::invoke_result_t<Function&>>>;

    /// The type-erased entry: runs `job` once on some thread. False: the queue is full or closed.
    virtual bool submit(WorkClass work_class, base::UniqueFunction<void()> job) = 0;
    /// True once the pool takes no more work.
    virtual bool closed() const noexcept = 0;
};

/// Threads and places in the queue of one class.
struct WorkClassOptions {
    /// At most, 1 to ThreadPool::kThreadsMax. One is always there; the others start when work waits
    /// and end when they had none for `idle_timeout`.
    std::uint32_t threads = 1;
    std::uint32_t queued_max = 1024;
    base::Duration idle_timeout = std::chrono::seconds(30);
};

struct BlockingPoolOptions {
    WorkClassOptions crypto{.threads = 1, .queued_max = 256};
    WorkClassOptions dns{.threads = 4, .queued_max = 256};
    WorkClassOptions misc{.threads = 2, .queued_max = 1024};

    const WorkClassOptions& of(WorkClass work_class) const noexcept {
        return work_class == WorkClass::crypto ? crypto : work_class == WorkClass::dns ? dns : misc;
    }
};

/// Of one class, at one moment.
struct WorkClassStatistics {
    std::uint32_t threads = 0;  ///< Alive now.
    std::uint32_t busy = 0;
    std::size_t queued = 0;
    std::uint64_t finished = 0;  ///< Since construction.
};

/// The real pool. Any thread may submit.
class ThreadPool final : public BlockingPool {
public:
    explicit ThreadPool(const BlockingPoolOptions& options);
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    /// Closes.
    ~ThreadPool() override;

    bool submit(WorkClass work_class, base::UniqueFunction<void()> job) override;
    bool closed() const noexcept override;
    WorkClassStatistics statistics(WorkClass work_class) const;
    /// A class may have up to so many threads, 1 to kThreadsMax (clamped). Those too many end when
    /// they are idle; nothing is lost. Not from a pool thread. No effect once closed.
    void resize(WorkClass work_class, std::uint32_t threads);
    static constexpr std::uint32_t kThreadsMax = 256;
    /// Takes no more work, finishes what is queued and joins the threads. Not from a pool thread.
    void close();

private:
    class Lane;
    std::array<std::unique_ptr<Lane>, kWorkClasses> lanes_;
};

}  // namespace reactor

#include "reactor/blocking_run.h"
