#include "reactor/task_set.h"

#include "reactor/combine.h"
#include "reactor/reactor.h"
#include "reactor/task/task_list.h"

namespace reactor {

namespace {
// A type of its own, because a ReadyItem is a link (of another list) as well.
struct TaskLink : detail::Link {};
}  // namespace

/// One owned Deferred, linked into its set.
class TaskSet::Task final : public TaskLink,
                            public ReadyItem,
                            public TaskEntry,
                            public detail::FrameAllocated {
public:
    Task(TaskSet& set, std::string_view name, Deferred<void> work) noexcept
        : TaskEntry(set.reactor_, name), set_(set), work_(std::move(work)) {}

    static Task& at(detail::Link& link) noexcept {
        return static_cast<Task&>(static_cast<TaskLink&>(link));
    }
    void start() noexcept { work_.notify(*this); }
    void append_to(detail::Link& list) noexcept { TaskLink::insert_before(list); }
    void leave_list() noexcept { TaskLink::unlink(); }
    void cancel() noexcept { work_.cancel(); }
    const detail::Node* waits_for() const noexcept override { return work_.node(); }

private:
    void run() override {
        const base::Result<void> result = work_.take();
        if (!result) report(result.error());
        set_.settled(*this);
    }

public:
    std::uint64_t round = 0;  ///< The last `cancel_all` that reached it.

private:
    TaskSet& set_;
    Deferred<void> work_;
};

TaskSet::TaskSet(Reactor& reactor) noexcept : reactor_(reactor) {
    tasks_.next = tasks_.previous = &tasks_;
}

TaskSet::~TaskSet() {
    if (destroyed_) *destroyed_ = true;
    closed_ = true;
    drop_all();
}

void TaskSet::add(std::string_view name, Deferred<void> task) {
    if (closed_) return;
    auto* entry = new Task(*this, name, std::move(task));
    entry->round = round_;
    entry->append_to(tasks_);
    ++size_;
    entry->start();
}

void TaskSet::settled(Task& task) noexcept {
    task.leave_list();
    --size_;
    delete &task;
    if (size_ == 0 && emptied_) emptied_->try_resolve({});
}

// Dropping one task may run destructors that look at the set, so each leaves the list before it
// goes.
void TaskSet::drop_all() noexcept {
    while (tasks_.next != &tasks_) {
        Task& task = Task::at(*tasks_.next);
        task.leave_list();
        --size_;
        delete &task;
    }
}

// A canceller may drop tasks, cancel again or destroy the set, so nothing is held over a call: each
// task goes to the back of the list, marked, and the first marked one is the end.
void TaskSet::cancel_all() noexcept {
    const std::uint64_t round = ++round_;
    bool destroyed = false;
    bool* const outer = std::exchange(destroyed_, &destroyed);
    while (tasks_.next != &tasks_) {
        Task& task = Task::at(*tasks_.next);
        if (task.round >= round) break;
        task.round = round;
        task.leave_list();
        task.append_to(tasks_);
        task.cancel();
        if (destroyed) {
            if (outer) *outer = true;
            return;
        }
    }
    destroyed_ = outer;
}

Deferred<void> TaskSet::close(base::Duration grace) {
    closed_ = true;
    cancel_all();
    if (size_ == 0) co_return {};
    CHECK(!emptied_);
    Promise<void> emptied;
    emptied_ = &emptied;
    struct Forget {
        TaskSet& set;
        ~Forget() { set.emptied_ = nullptr; }
    } const forget{*this};
    const base::Result<void> in_time =
        co_await with_timeout(reactor_, emptied.deferred(), grace).as_result();
    if (size_ == 0) co_return {};
    if (!in_time && in_time.error().is(base::Errc::cancelled)) co_return base::Errc::cancelled;
    for (detail::Link* at = tasks_.next; at != &tasks_; at = at->next)
        reactor_.log().warn("task.dropped", {{"task", Task::at(*at).entry_name()}});
    drop_all();
    co_return {};
}

}  // namespace reactor
