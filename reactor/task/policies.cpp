// The policies that come with the library.
#include "reactor/task/scheduling.h"

#include <algorithm>
#include <deque>
#include <set>
#include <tuple>

namespace reactor {

namespace {

/// In turn; a task stays at the front for `slice` steps (0: as long as it has any).
class InTurn final : public SchedulingPolicy {
public:
    explicit InTurn(std::uint32_t slice) noexcept : slice_(slice) {}

    void push(ScheduledTask& task, bool went_on) override {
        if (!went_on) task.policy_number = 0;
        if (went_on && (slice_ == 0 || ++task.policy_number < slice_)) {
            tasks_.push_front(&task);
        } else {
            task.policy_number = 0;
            tasks_.push_back(&task);
        }
    }
    ScheduledTask* pop() override {
        if (tasks_.empty()) return nullptr;
        ScheduledTask* task = tasks_.front();
        tasks_.pop_front();
        return task;
    }

private:
    std::uint32_t slice_;
    std::deque<ScheduledTask*> tasks_;
};

/// The least key first; equal keys in the order of coming.
class ByKey : public SchedulingPolicy {
public:
    void push(ScheduledTask& task, bool) override {
        tasks_.emplace(key_of(task), ++pushed_, &task);
    }
    ScheduledTask* pop() override {
        if (tasks_.empty()) return nullptr;
        ScheduledTask* task = std::get<2>(*tasks_.begin());
        tasks_.erase(tasks_.begin());
        popped(*task);
        return task;
    }

protected:
    virtual std::int64_t key_of(ScheduledTask& task) = 0;
    virtual void popped(ScheduledTask&) {}
    std::int64_t pushed() const noexcept { return pushed_; }

private:
    std::set<std::tuple<std::int64_t, std::int64_t, ScheduledTask*>> tasks_;
    std::int64_t pushed_ = 0;
};

/// While tasks wait, all of them gain alike; so it is enough that who comes later starts lower.
class ByPriority final : public ByKey {
public:
    explicit ByPriority(std::uint32_t aging) noexcept : aging_(std::max(aging, 1u)) {}

private:
    std::int64_t key_of(ScheduledTask& task) override {
        return steps_ - std::int64_t{task.attributes().priority} * aging_;
    }
    void popped(ScheduledTask&) override { ++steps_; }
    std::int64_t aging_;
    std::int64_t steps_ = 0;
};

/// Stride scheduling: each step moves a task on by the inverse of its shares.
class ByShares final : public ByKey {
    static constexpr std::uint64_t kStride = 1 << 20;

    std::int64_t key_of(ScheduledTask& task) override {
        task.policy_number = std::max(task.policy_number, pass_);
        return static_cast<std::int64_t>(task.policy_number);
    }
    void popped(ScheduledTask& task) override {
        pass_ = task.policy_number;
        task.policy_number += kStride / std::max(task.attributes().shares, 1u);
    }
    std::uint64_t pass_ = 0;
};

class ByDeadline final : public ByKey {
    std::int64_t key_of(ScheduledTask& task) override {
        return task.attributes().deadline.nanoseconds;
    }
};

}  // namespace

std::unique_ptr<SchedulingPolicy> fifo_policy() {
    return std::make_unique<InTurn>(0);
}
std::unique_ptr<SchedulingPolicy> round_robin_policy(std::uint32_t slice) {
    return std::make_unique<InTurn>(std::max(slice, 1u));
}
std::unique_ptr<SchedulingPolicy> priority_policy(std::uint32_t aging) {
    return std::make_unique<ByPriority>(aging);
}
std::unique_ptr<SchedulingPolicy> shares_policy() {
    return std::make_unique<ByShares>();
}
std::unique_ptr<SchedulingPolicy> earliest_deadline_policy() {
    return std::make_unique<ByDeadline>();
}

}  // namespace reactor
