// Task: work with verbs. It wraps a function that returns a Deferred and can be started, paused,
// resumed, cancelled and scheduled again. Pausing holds every coroutine that the function started:
// none is resumed, though what they wait for goes on. With a SchedulingGroup the group's policy
// decides when they run. Background work without verbs belongs into a TaskSet.
#pragma once

#include "reactor/deferred.h"
#include "reactor/reactor.h"
#include "reactor/task/scheduling.h"
#include "reactor/task/task_list.h"

#include <optional>
#include <utility>

namespace reactor {

enum class TaskState : std::uint8_t {
    idle,       ///< Never started, or cancelled before it was.
    scheduled,  ///< Starts after a delay.
    running,
    paused,
    done,  ///< Has its result, whether or not somebody took it.
};

template <class T = void>
class Task final : private ReadyItem, private TaskEntry {
public:
    /// `factory` is called at each start. Destroying the Task drops the work.
    Task(Reactor& reactor, const TaskAttributes& attributes,
         base::UniqueFunction<Deferred<T>()> factory, SchedulingGroup* group = nullptr)
        : TaskEntry(reactor, attributes.name),
          reactor_(reactor),
          factory_(std::move(factory)),
          lane_(new ScheduledTask(attributes, group)) {}
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    ~Task() {
        timer_.cancel();
        work_.reset();
        report_unseen();
        while (lane_->paused())
            lane_->resume();
        lane_->release();
    }

    /// Calls the factory now; a task that is done starts anew. Fails with `already_running`.
    base::Result<void> start() {
        if (work_) return base::fail(base::Errc::already_running, "the task has not ended yet");
        timer_.cancel();
        result_.reset();
        delivered_ = reported_ = false;
        const detail::FreshScope scope(lane_, detail::current_context());
        work_.emplace(invoke());
        work_->notify(*this);
        return {};
    }
    /// Starts after `delay`, in place of a start planned before.
    base::Result<void> reschedule(base::Duration delay) {
        if (work_) return base::fail(base::Errc::already_running, "the task has not ended yet");
        reactor_.arm(timer_, delay);
        return {};
    }
    /// As many resumes undo it. Fails with `not_running`.
    base::Result<void> pause() {
        if (!work_) return base::fail(base::Errc::not_running, "the task does not run");
        lane_->pause();
        return {};
    }
    /// Fails with `already_running` when not paused, `not_running` when not started.
    base::Result<void> resume() {
        if (!work_) return base::fail(base::Errc::not_running, "the task does not run");
        if (!lane_->paused())
            return base::fail(base::Errc::already_running, "the task is not paused");
        lane_->resume();
        return {};
    }
    /// Asks the work to end, lifting a pause so that it can clean up; withdraws a planned start.
    /// Fails with `not_running` when there is neither.
    base::Result<void> cancel() {
        if (timer_.armed()) {
            timer_.cancel();
            return {};
        }
        if (!work_) return base::fail(base::Errc::not_running, "the task does not run");
        while (lane_->paused())
            lane_->resume();
        work_->cancel();
        return {};
    }

    TaskState state() const noexcept {
        if (timer_.armed()) return TaskState::scheduled;
        if (work_) return lane_->paused() ? TaskState::paused : TaskState::running;
        return result_ || delivered_ ? TaskState::done : TaskState::idle;
    }
    /// The result of this run, or the next if none is on; at most one may be asked for at a time
    /// (`already_called`). A failure that nobody asked for is logged as "task.failed".
    Deferred<T> result() {
        if (result_) {
            delivered_ = true;
            return *std::exchange(result_, std::nullopt);
        }
        if (waiter_ && waiter_->wanted())
            return base::Failure(base::Errc::already_called, "somebody waits for this result");
        return waiter_.emplace().deferred();
    }
    const ScheduledTask& scheduled() const noexcept { return *lane_; }

private:
    Deferred<T> invoke() noexcept {
        try {
            return factory_();
        } catch (...) {
            return detail::failure_of_current_exception();
        }
    }
    // The work has settled.
    void run() override {
        if (lane_->paused()) {
            lane_->admit(*this);
            return;
        }
        result_.emplace(work_->take());
        work_.reset();
        if (auto waiter = std::exchange(waiter_, std::nullopt); waiter && waiter->wanted()) {
            delivered_ = true;
            waiter->try_resolve(*std::exchange(result_, std::nullopt));
        } else {
            report_unseen();
        }
    }
    void report_unseen() {
        if (result_ && !*result_ && !std::exchange(reported_, true)) report(result_->error());
    }
    const detail::Node* waits_for() const noexcept override {
        return work_ ? work_->node() : nullptr;
    }

    Reactor& reactor_;
    base::UniqueFunction<Deferred<T>()> factory_;
    ScheduledTask* lane_;
    std::optional<Deferred<T>> work_;
    std::optional<base::Result<T>> result_;
    std::optional<Promise<T>> waiter_;
    bool delivered_ = false;
    bool reported_ = false;
    CallbackTimer timer_{[this] { (void)start(); }};
};

}  // namespace reactor
