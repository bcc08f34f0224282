#include "reactor/blocking_pool.h"

#include <pthread.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
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
    Lane(const WorkClassOptions& options, const char* name)
        : queued_max_(options.queued_max), idle_timeout_(options.idle_timeout), name_(name) {
        threads_max_ = std::clamp(options.threads, 1U, kThreadsMax);
        const std::lock_guard lock(mutex_);
        start_one();
    }
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;
    ~Lane() { close(); }

    bool submit(base::UniqueFunction<void()> job) {
        {
            const std::lock_guard lock(mutex_);
            if (closed_ || jobs_.size() >= queued_max_) return false;
            jobs_.push_back(std::move(job));
            start_if_needed();
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
    void resize(std::uint32_t threads) {
        {
            const std::lock_guard lock(mutex_);
            if (closed_) return;
            threads_max_ = threads;
            for (std::size_t i = 0; i < jobs_.size(); ++i)
                start_if_needed();
        }
        work_there_.notify_all();
    }
    WorkClassStatistics statistics() const {
        const std::lock_guard lock(mutex_);
        return {.threads = alive_, .busy = busy_, .queued = jobs_.size(), .finished = finished_};
    }

private:
    // These under `mutex_`.
    void start_if_needed() {
        if (alive_ >= threads_max_ || jobs_.size() <= alive_ - busy_) return;
        try {
            start_one();
        } catch (const std::system_error&) {
            // The machine has none to give: those that are there do the work.
        }
    }
    void start_one() {
        // Who is in the list has left its loop, with the lock given back: this does not wait.
        std::erase_if(threads_, [&](std::thread& thread) {
            if (std::erase(ended_, thread.get_id()) == 0) return false;
            thread.join();
            return true;
        });
        threads_.emplace_back([this] { work(); });
        ++alive_;
        pthread_setname_np(threads_.back().native_handle(), name_);
    }
    bool one_too_many() const { return alive_ > threads_max_ && !closed_; }
    void leave() {
        --alive_;
        ended_.push_back(std::this_thread::get_id());
        // The job that woke us, perhaps, is for somebody else.
        work_there_.notify_one();
    }
    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            const bool woken = work_there_.wait_for(lock, idle_timeout_, [this] {
                return closed_ || !jobs_.empty() || one_too_many();
            });
            if (one_too_many() || (!woken && alive_ > 1)) return leave();
            if (!woken) continue;
            if (jobs_.empty()) return;
            base::UniqueFunction<void()> job = std::move(jobs_.front());
            jobs_.pop_front();
            ++busy_;
            lock.unlock();
            job();
            job = nullptr;
            lock.lock();
            --busy_;
            ++finished_;
        }
    }

    const std::size_t queued_max_;
    const base::Duration idle_timeout_;
    const char* const name_;
    mutable std::mutex mutex_;
    std::condition_variable work_there_;
    std::deque<base::UniqueFunction<void()>> jobs_;  // Under `mutex_`.
    std::atomic<bool> closed_ = false;               // Written under `mutex_`.
    std::uint32_t threads_max_ = 1;                  // Under `mutex_`, as
    std::uint32_t alive_ = 0;                        // all that follow.
    std::uint32_t busy_ = 0;
    std::uint64_t finished_ = 0;
    std::vector<std::thread::id> ended_;  // To be joined.
    std::vector<std::thread> threads_;    // Once closed, of the one who closes.
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

WorkClassStatistics ThreadPool::statistics(WorkClass work_class) const {
    return lanes_[static_cast<std::size_t>(work_class)]->statistics();
}

void ThreadPool::resize(WorkClass work_class, std::uint32_t threads) {
    lanes_[static_cast<std::size_t>(work_class)]->resize(std::clamp(threads, 1U, kThreadsMax));
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
