// TaskEntry: what shows up in a dump of live tasks (reactor/monitor/task_dump.h): a name and what
// it waits for. Base of Task and of TaskSet's tasks; not for everyday code.
#pragma once

#include "reactor/ready_queue.h"

#include <string_view>

namespace base {
class Failure;
}

namespace reactor {

class Reactor;

namespace detail {
class Node;
}

class TaskEntry : private detail::Link {
public:
    TaskEntry(Reactor& reactor, std::string_view name) noexcept;
    TaskEntry(const TaskEntry&) = delete;
    TaskEntry& operator=(const TaskEntry&) = delete;

    std::string_view entry_name() const noexcept { return name_; }
    /// Null: nothing pending.
    virtual const detail::Node* waits_for() const noexcept = 0;
    /// Calls `visit` for each entry in the list of a reactor, the oldest first.
    template <class Visitor>
    static void for_each(const detail::Link& list, Visitor visit) {
        for (const detail::Link* at = list.next; at != &list; at = at->next)
            visit(static_cast<const TaskEntry&>(*at));
    }

protected:
    ~TaskEntry();
    /// Logs "task.failed".
    void report(const base::Failure& failure) const;

private:
    const Reactor& reactor_;
    std::string_view name_;
};

}  // namespace reactor
