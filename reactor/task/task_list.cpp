#include "reactor/task/task_list.h"

#include "reactor/base/failure.h"
#include "reactor/reactor.h"

namespace reactor {

TaskEntry::TaskEntry(Reactor& reactor, std::string_view name) noexcept
    : reactor_(reactor), name_(name) {
    insert_before(reactor.task_entries());
}

TaskEntry::~TaskEntry() {
    if (linked()) unlink();  // Not when the reactor went first.
}

void TaskEntry::report(const base::Failure& failure) const {
    if (failure.is(base::Errc::cancelled)) return;
    reactor_.log().error("task.failed", {{"task", name_}, {"failure", failure.message()}});
}

}  // namespace reactor
