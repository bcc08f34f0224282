#include "storage/lanes.h"

#include "reactor/reactor.h"
#include "reactor/timers.h"
#include "storage/faults.h"

#include <pthread.h>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace storage {
namespace {

/// Threads inherit the mask: signals are for the main thread's loop.
class AllSignalsBlocked {
public:
    AllSignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    AllSignalsBlocked(const AllSignalsBlocked&) = delete;
    AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
    ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_;
};

class ThreadLane final : public Lane {
public:
    explicit ThreadLane(LaneWork work) : work_(std::move(work)) {}
    ~ThreadLane() override { stop(); }

    base::Result<void> start(const std::string& name, std::uint32_t workers) {
        const AllSignalsBlocked blocked;
        workers_ = workers;
        try {
            for (std::uint32_t worker = 0; worker < workers; ++worker) {
                threads_.emplace_back([this, worker] { run(worker); });
                pthread_setname_np(threads_.back().native_handle(), name.c_str());
            }
        } catch (const std::system_error& error) {
            return base::fail(base::Errc::resource_exhausted,
                              std::string("cannot start a database thread: ") + error.what());
        }
        return {};
    }

    void wake() override {
        {
            std::lock_guard lock(mutex_);
            if (calls_ < workers_) ++calls_;
        }
        changed_.notify_one();
    }

    void stop() override {
        {
            std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        for (std::thread& thread : threads_)
            thread.join();
        threads_.clear();
    }

private:
    void run(std::uint32_t worker) {
        for (bool last = false; !last;) {
            {
                std::unique_lock lock(mutex_);
                changed_.wait(lock, [this] { return calls_ > 0 || stopping_; });
                if (calls_ > 0) --calls_;
                last = stopping_;
            }
            work_(worker);
        }
    }

    const LaneWork work_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint32_t calls_ = 0;  // Wakes that no worker has taken; more than workers say nothing new.
    std::uint32_t workers_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

class TurnLane final : public Lane, private reactor::TurnEnd {
public:
    TurnLane(const Faults* faults, LaneWork work)
        : faults_(faults), work_(std::move(work)), timer_([this] { work_(0); }) {}

    void wake() override {
        reactor::Reactor& reactor = reactor::Reactor::current();
        const base::Duration delay = faults_ != nullptr ? faults_->delay() : base::Duration(0);
        if (delay == base::Duration(0)) {
            reactor.at_turn_end(*this);
        } else if (!timer_.armed()) {
            reactor.arm(timer_, delay);
        }
    }

    void stop() override {
        withdraw();
        timer_.cancel();
        if (!std::exchange(stopped_, true)) work_(0);
    }

private:
    void on_turn_end() override { work_(0); }

    const Faults* faults_;
    LaneWork work_;
    reactor::CallbackTimer timer_;
    bool stopped_ = false;
};

}  // namespace

base::Result<std::unique_ptr<Lane>> make_thread_lane(std::string name, std::uint32_t workers,
                                                     LaneWork work) {
    auto lane = std::make_unique<ThreadLane>(std::move(work));
    auto started = lane->start(name, workers);
    if (!started) return std::unexpected(std::move(started).error());
    return lane;
}

std::unique_ptr<Lane> make_turn_lane(const Faults* faults, LaneWork work) {
    return std::make_unique<TurnLane>(faults, std::move(work));
}

}  // namespace storage
