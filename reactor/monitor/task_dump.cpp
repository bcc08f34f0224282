#include "reactor/monitor/task_dump.h"

#include "reactor/deferred.h"
#include "reactor/reactor.h"
#include "reactor/task/task_list.h"

namespace reactor {

namespace {

std::string place(const std::source_location& at) {
    std::string_view file = at.file_name();
    if (const std::size_t slash = file.rfind('/'); slash != std::string_view::npos)
        file = file.substr(slash + 1);
    return std::string(file) + ":" + std::to_string(at.line());
}

}  // namespace

std::vector<std::string> await_chain(const detail::Node* node) {
    std::vector<std::string> chain;
    while (node && !node->settled() && chain.size() < kTraceDepthMax) {
        const detail::Hop hop = node->hop();
        chain.push_back(hop.at.line() != 0 ? place(hop.at) : std::string(hop.what));
        node = hop.next;
    }
    return chain;
}

std::vector<LiveTask> live_tasks(Reactor& reactor) {
    std::vector<LiveTask> tasks;
    TaskEntry::for_each(reactor.task_entries(), [&](const TaskEntry& entry) {
        if (const detail::Node* node = entry.waits_for())
            tasks.push_back({std::string(entry.entry_name()), await_chain(node)});
    });
    reactor.ready_queue().for_each_detached([&](const detail::DetachedBase& work) {
        tasks.push_back({std::string(work.why()), await_chain(work.waits_for())});
    });
    return tasks;
}

std::string dump_tasks(Reactor& reactor) {
    std::string text;
    for (const LiveTask& task : live_tasks(reactor)) {
        text.append(task.name).append(":");
        for (std::size_t i = 0; i < task.waits.size(); ++i)
            text.append(i == 0 ? " " : " < ").append(task.waits[i]);
        if (task.waits.empty()) text.append(" ready");
        text.push_back('\n');
    }
    return text;
}

}  // namespace reactor
