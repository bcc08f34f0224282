#include "reactor/task/scheduling.h"

#include "reactor/base/check.h"
#include "reactor/reactor.h"
#include "reactor/world.h"

#include <algorithm>
#include <utility>

namespace reactor {

namespace {
constexpr std::uint64_t kStride = 1 << 20;
}

ScheduledTask::ScheduledTask(const TaskAttributes& attributes, SchedulingGroup* group) noexcept
    : attributes_(attributes), group_(group) {
    if (group_) group_->members_.push_back(this);
}

ScheduledTask::~ScheduledTask() {
    detach_from_group();
}

void ScheduledTask::detach_from_group() noexcept {
    if (!group_) return;
    std::erase(group_->members_, this);
    group_ = nullptr;
    // What waits in the policy goes back to the common queue.
    if (!paused()) ReadyQueue::current().adopt(waiting_);
}

void ScheduledTask::admit(ReadyItem& item) {
    waiting_.push(item);
    if (paused()) return;
    if (group_) {
        group_->ready(*this, false);
    } else {
        run_step();
    }
}

void ScheduledTask::resume() noexcept {
    CHECK(pauses_ > 0);
    if (--pauses_ > 0 || waiting_.empty()) return;
    if (group_) {
        group_->ready(*this, false);
    } else {
        ReadyQueue::current().adopt(waiting_);
    }
}

// The step may end the task.
void ScheduledTask::run_step() {
    retain();
    {
        const detail::FreshScope scope(this, nullptr);
        ++steps_;
        waiting_.run(1);
    }
    release();
}

SchedulingGroup::SchedulingGroup(Scheduler& scheduler, GroupOptions options)
    : scheduler_(scheduler), options_(std::move(options)) {
    CHECK(options_.shares > 0);
    if (!options_.policy) options_.policy = fifo_policy();
}

SchedulingGroup::~SchedulingGroup() {
    while (ScheduledTask* task = options_.policy->pop()) {
        task->queued_ = false;
        task->release();
    }
    while (!members_.empty())
        members_.back()->detach_from_group();
}

// The policy holds a reference: a task that goes while it is queued is passed over in `next`.
void SchedulingGroup::ready(ScheduledTask& task, bool went_on) {
    if (std::exchange(task.queued_, true)) return;
    task.retain();
    options_.policy->push(task, went_on);
    if (queued_++ == 0) scheduler_.wake(*this);
}

ScheduledTask* SchedulingGroup::next() {
    while (ScheduledTask* task = options_.policy->pop()) {
        --queued_;
        task->queued_ = false;
        if (task->runnable()) return task;  // With the policy's reference.
        task->release();
    }
    return nullptr;
}

void SchedulingGroup::make_step(const Clock* clock) {
    ScheduledTask* task = next();
    if (!task) return;
    const base::MonotonicTime begin = clock ? clock->monotonic() : base::MonotonicTime{};
    pass_ += kStride / options_.shares;
    ++statistics_.steps;
    task->run_step();
    if (clock) statistics_.cpu += clock->monotonic() - begin;
    if (task->runnable() && task->group_ == this) ready(*task, true);
    task->release();
}

SchedulingGroup& Scheduler::add_group(GroupOptions options) {
    return *groups_.emplace_back(std::make_unique<SchedulingGroup>(*this, std::move(options)));
}

// A group that was idle joins at the common pass: it may not make up for its silence.
void Scheduler::wake(SchedulingGroup& group) {
    group.pass_ = std::max(group.pass_, pass_);
    if (!queued()) reactor_.ready_queue().push(*this);
}

SchedulingGroup* Scheduler::pick() noexcept {
    SchedulingGroup* best = nullptr;
    for (const auto& group : groups_) {
        if (group->queued_ == 0) continue;
        if (!best || (group->options_.latency && !best->options_.latency) ||
            (group->options_.latency == best->options_.latency && group->pass_ < best->pass_))
            best = group.get();
    }
    return best;
}

void Scheduler::run() {
    SchedulingGroup* group = pick();
    if (!group) return;
    if (!group->options_.latency) pass_ = group->pass_;
    // Queued before the step, so that an exception does not end the scheduling.
    reactor_.ready_queue().push(*this);
    group->make_step(clock_);
}

}  // namespace reactor
