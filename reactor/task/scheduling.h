// Who runs next among Tasks (reactor/task/task.h): groups share the shard by weight, and inside a
// group a policy picks the task that makes the next step. A step is one resumption of a coroutine.
// Work without a group is not touched: it runs from the ready queue, in order. Decisions count
// steps, never time, so that a simulation repeats.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/ready_queue.h"
#include "reactor/surroundings.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

namespace reactor {

class Clock;
class Reactor;
class Scheduler;
class SchedulingGroup;

/// What policies look at.
struct TaskAttributes {
    std::string_view name = "task";  ///< A literal.
    std::int32_t priority = 0;       ///< Higher first (priority policy).
    std::uint32_t shares = 100;      ///< Weight (shares policy), at least 1.
    /// Earlier first (earliest deadline policy); the default is no deadline.
    base::MonotonicTime deadline{std::numeric_limits<std::int64_t>::max()};
};

/// A task as the scheduler sees it: its attributes and the steps that wait. Made by Task.
class ScheduledTask final : public detail::Lane {
public:
    ScheduledTask(const TaskAttributes& attributes, SchedulingGroup* group) noexcept;

    const TaskAttributes& attributes() const noexcept { return attributes_; }
    std::uint64_t steps() const noexcept { return steps_; }

    /// For a policy to keep what it knows of a task.
    std::uint64_t policy_number = 0;

    // For Task.
    void admit(ReadyItem& item) override;
    void pause() noexcept { ++pauses_; }
    /// Precondition: paused.
    void resume() noexcept;
    bool paused() const noexcept { return pauses_ > 0; }
    void detach_from_group() noexcept;

private:
    friend class SchedulingGroup;
    ~ScheduledTask() override;
    bool runnable() const noexcept { return pauses_ == 0 && !waiting_.empty(); }
    void run_step();

    TaskAttributes attributes_;
    SchedulingGroup* group_;
    ReadyQueue waiting_{base::Log::silent()};
    std::size_t pauses_ = 0;
    std::uint64_t steps_ = 0;
    bool queued_ = false;  // In the policy.
};

/// The order inside a group. It holds each task at most once, between `push` and `pop`.
class SchedulingPolicy {
public:
    virtual ~SchedulingPolicy() = default;
    /// `task` has a step to make. `went_on`: it has just made one and has another.
    virtual void push(ScheduledTask& task, bool went_on) = 0;
    /// The task that makes the next step, taken out; null when there is none.
    virtual ScheduledTask* pop() = 0;
};

/// In the order of becoming ready; a task goes on until it waits.
std::unique_ptr<SchedulingPolicy> fifo_policy();
/// In rotation, `slice` steps each.
std::unique_ptr<SchedulingPolicy> round_robin_policy(std::uint32_t slice = 1);
/// The highest priority first. One that waits gains a step of priority with every `aging` steps
/// that others make, so nobody waits for ever.
std::unique_ptr<SchedulingPolicy> priority_policy(std::uint32_t aging = 64);
/// Steps in proportion to `shares` among the tasks that are ready.
std::unique_ptr<SchedulingPolicy> shares_policy();
/// The earliest deadline first, equal ones in the order of becoming ready.
std::unique_ptr<SchedulingPolicy> earliest_deadline_policy();

struct GroupOptions {
    std::string_view name = "group";  ///< A literal.
    std::uint32_t shares = 100;       ///< Against other groups, at least 1.
    /// Runs before all groups that are not of this kind, whatever the shares.
    bool latency = false;
    std::unique_ptr<SchedulingPolicy> policy = {};  ///< None: fifo.
};

struct GroupStatistics {
    std::uint64_t steps = 0;
    base::Duration cpu{};  ///< Time in steps, by the clock of the Scheduler.
};

/// Made by Scheduler::add_group. Tasks that outlive it run on without a group.
class SchedulingGroup {
public:
    SchedulingGroup(Scheduler& scheduler, GroupOptions options);
    SchedulingGroup(const SchedulingGroup&) = delete;
    SchedulingGroup& operator=(const SchedulingGroup&) = delete;
    ~SchedulingGroup();

    std::string_view name() const noexcept { return options_.name; }
    const GroupStatistics& statistics() const noexcept { return statistics_; }

private:
    friend class ScheduledTask;
    friend class Scheduler;
    void ready(ScheduledTask& task, bool went_on);
    ScheduledTask* next();
    void make_step(const Clock* clock);

    Scheduler& scheduler_;
    GroupOptions options_;
    GroupStatistics statistics_;
    std::vector<ScheduledTask*> members_;
    std::size_t queued_ = 0;
    std::uint64_t pass_ = 0;  // Stride scheduling: the group with the least goes next.
};

/// One per shard that wants groups. Must outlive what runs in its groups, or be destroyed between
/// turns.
class Scheduler final : private ReadyItem {
public:
    /// With a clock each step is measured for GroupStatistics::cpu, at the cost of two readings.
    explicit Scheduler(Reactor& reactor, const Clock* clock = nullptr) noexcept
        : reactor_(reactor), clock_(clock) {}

    SchedulingGroup& add_group(GroupOptions options);
    const std::vector<std::unique_ptr<SchedulingGroup>>& groups() const noexcept { return groups_; }

private:
    friend class SchedulingGroup;
    void wake(SchedulingGroup& group);
    SchedulingGroup* pick() noexcept;
    void run() override;

    Reactor& reactor_;
    const Clock* clock_;
    std::vector<std::unique_ptr<SchedulingGroup>> groups_;
    std::uint64_t pass_ = 0;
};

}  // namespace reactor
