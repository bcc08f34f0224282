#include "reactor/blocking_pool.h"

#include <pthread.h>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace reactor {

namespace {

// At most 15 characters, as the kernel wants.
const char* thread_name(WorkClass work_class) noexcept {
    switch (work_class) {
        case WorkClass::crypto:
            return "pool-crypto";
        case WorkClass::dns:
            return "pool-dns";
        case WorkClass::misc:
            return "pool-misc";
    }
    return "pool";
}

}  // namespace

/// One class: a queue and the threads that empty it.
class ThreadPool::Lane {
public:
    Lane(const WorkClassOptions& options, const char* name) : queued_max_(options.queued_max) {
        for (std::uint32_t i = 0; i < options.threads; ++i) {
            threads_.emplace_back([this] { work(); });
            pthread_setname_np(threads_.back().native_handle(), name);
        }
    }
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;
    ~Lane() { close(); }

    bool submit(base::UniqueFunction<void()> job) {
        {
            const std::lock_guard lock(mutex_);
            if (closed_ || jobs_.size() >= queued_max_) return false;
            jobs_.push_back(std::move(job));
        }
        work_there_.notify_one();
        return true;
    }
    bool closed() const noexcept { return closed_; }
    void refuse() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        work_there_.notify_all();
    }
    void close() {
        refuse();
        for (std::thread& thread : threads_)
            if (thread.joinable()) thread.join();
    }

private:
    void work() {
        for (;;) {
            std::unique_lock lock(mutex_);
            work_there_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
            if (jobs_.empty()) return;
            base::UniqueFunction<void()> job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            job();
        }
    }

    const std::size_t queued_max_;
    std::mutex mutex_;
    std::condition_variable work_there_;
    std::deque<base::UniqueFunction<void()>> jobs_;  // Under `mutex_`.
    std::atomic<bool> closed_ = false;               // Written under `mutex_`.
    std::vector<std::thread> threads_;
};

ThreadPool::ThreadPool(const BlockingPoolOptions& options) {
    for (std::size_t i = 0; i < kWorkClasses; ++i) {
        const auto work_class = static_cast<WorkClass>(i);
        lanes_[i] = std::make_unique<Lane>(options.of(work_class), thread_name(work_class));
    }
}

ThreadPool::~ThreadPool() {
    close();
}

bool ThreadPool::submit(WorkClass work_class, base::UniqueFunction<void()> job) {
    return lanes_[static_cast<std::size_t>(work_class)]->submit(std::move(job));
}

bool ThreadPool::closed() const noexcept {
    return lanes_[0]->closed();
}

void ThreadPool::close() {
    for (auto& lane : lanes_)
        lane->refuse();
    for (auto& lane : lanes_)
        lane->close();
}

}  // namespace reactor
