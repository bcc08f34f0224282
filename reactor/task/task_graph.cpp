#include "reactor/task/task_graph.h"

#include "reactor/base/check.h"

#include <algorithm>

namespace reactor {

bool GraphReport::ok() const noexcept {
    return std::all_of(tasks.begin(), tasks.end(), [](const Task& task) { return !task.failure; });
}

const base::Failure& GraphReport::failure() const noexcept {
    const auto found = std::find_if(tasks.begin(), tasks.end(),
                                    [](const Task& task) { return task.failure.has_value(); });
    CHECK(found != tasks.end());
    return *found->failure;
}

void TaskGraph::insert(std::string name, std::unique_ptr<Work> work,
                       std::initializer_list<Id> dependencies) {
    CHECK(!running_ && entries_.size() < kTasksMax);
    Entry entry{.name = std::move(name), .work = std::move(work), .dependencies = {}};
    for (const Id id : dependencies) {
        CHECK(id.index < entries_.size());
        entry.dependencies.push_back(id.index);
    }
    entries_.push_back(std::move(entry));
}

// A cycle would close if `earlier` already waits for `later`: look for that way, without recursion.
base::Result<void> TaskGraph::depend(Id later, Id earlier) {
    CHECK(later.index < entries_.size() && earlier.index < entries_.size());
    if (running_) return base::fail(base::Errc::already_running, "the graph runs");
    constexpr std::size_t kUnseen = kTasksMax;
    std::vector<std::size_t> reached_from(entries_.size(), kUnseen);
    std::vector<std::size_t> open{earlier.index};
    reached_from[earlier.index] = earlier.index;
    while (!open.empty()) {
        const std::size_t at = open.back();
        open.pop_back();
        for (const std::size_t next : entries_[at].dependencies) {
            if (reached_from[next] != kUnseen) continue;
            reached_from[next] = at;
            open.push_back(next);
        }
    }
    if (reached_from[later.index] == kUnseen) {
        entries_[later.index].dependencies.push_back(earlier.index);
        return {};
    }
    std::string way = entries_[later.index].name;
    for (std::size_t at = later.index; at != earlier.index; at = reached_from[at])
        way = entries_[reached_from[at]].name + " waits for " + way;
    return base::fail(base::Errc::would_deadlock, entries_[later.index].name + " waits for " + way);
}

/// One run; lives in the frame of `TaskGraph::run`.
class TaskGraph::Run {
public:
    Run(TaskGraph& graph, Reactor& reactor, const GraphOptions& options)
        : graph_(graph), reactor_(reactor), options_(options) {
        graph_.running_ = true;
        for (Entry& entry : graph_.entries_) {
            entry.work->forget();
            entry.report = {.name = entry.name};
        }
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run() {
        for (Entry& entry : graph_.entries_)
            entry.running.reset();
        graph_.running_ = false;
    }

    Event& changed() noexcept { return changed_; }
    std::size_t running() const noexcept { return running_; }

    /// Starts what may; skipping one task may make others skippable, so until nothing changes.
    void start_ready() {
        for (bool again = true; std::exchange(again, false);) {
            for (std::size_t i = 0; i < graph_.entries_.size(); ++i) {
                Entry& entry = graph_.entries_[i];
                if (entry.report.state != GraphTaskState::waiting) continue;
                const Verdict verdict = judge(entry);
                if (verdict == Verdict::wait) continue;
                if (verdict == Verdict::skip) {
                    entry.report.state = GraphTaskState::skipped;
                    again = true;
                } else if (options_.parallel == 0 || running_ < options_.parallel) {
                    start(i);
                }
            }
        }
    }
    void cancel_all() noexcept {
        stopping_ = true;
        for (Entry& entry : graph_.entries_)
            if (entry.running) entry.running->cancel();
    }
    GraphReport report() const;

private:
    enum class Verdict : std::uint8_t { wait, start, skip };

    Verdict judge(const Entry& entry) const noexcept {
        if (stopping_) return Verdict::skip;
        Verdict verdict = Verdict::start;
        for (const std::size_t index : entry.dependencies) {
            const GraphTaskState state = graph_.entries_[index].report.state;
            if (state == GraphTaskState::failed || state == GraphTaskState::skipped)
                return Verdict::skip;
            if (state != GraphTaskState::done) verdict = Verdict::wait;
        }
        return verdict;
    }
    void start(std::size_t index) {
        Entry& entry = graph_.entries_[index];
        entry.report.state = GraphTaskState::running;
        entry.began = reactor_.now();
        ++running_;
        Deferred<void> work = entry.work->start();
        entry.running.emplace(watch(*this, index, std::move(work)));
    }
    static Deferred<void> watch(Run& run, std::size_t index, Deferred<void> work) {
        base::Result<void> result = co_await std::move(work).as_result();
        run.ended(index, std::move(result));
        co_return {};
    }
    void ended(std::size_t index, base::Result<void> result) {
        GraphReport::Task& task = graph_.entries_[index].report;
        task.took = reactor_.now() - graph_.entries_[index].began;
        task.state = result ? GraphTaskState::done : GraphTaskState::failed;
        --running_;
        if (!result) {
            task.failure = std::move(result).error();
            if (options_.on_error == GraphOnError::cancel_all && !stopping_) cancel_all();
        }
        changed_.set();
    }

    TaskGraph& graph_;
    Reactor& reactor_;
    GraphOptions options_;
    Event changed_;
    std::size_t running_ = 0;
    bool stopping_ = false;
};

// Dependencies may have been added in any order, so the longest way is found by relaxing until it
// stays: tasks that ran are an acyclic graph.
GraphReport TaskGraph::Run::report() const {
    const std::vector<Entry>& entries = graph_.entries_;
    constexpr std::size_t kNone = kTasksMax;
    std::vector<base::Duration> until(entries.size());
    std::vector<std::size_t> before(entries.size(), kNone);
    for (bool again = true; std::exchange(again, false);) {
        for (std::size_t i = 0; i < entries.size(); ++i) {
            base::Duration longest{};
            std::size_t from = kNone;
            for (const std::size_t dependency : entries[i].dependencies) {
                if (from != kNone && until[dependency] <= longest) continue;
                longest = until[dependency];
                from = dependency;
            }
            const base::Duration total = longest + entries[i].report.took;
            if (total == until[i] && from == before[i]) continue;
            until[i] = total;
            before[i] = from;
            again = true;
        }
    }
    GraphReport report;
    for (const Entry& entry : entries)
        report.tasks.push_back(entry.report);
    if (entries.empty()) return report;
    const auto last = std::max_element(until.begin(), until.end());
    report.critical_time = *last;
    for (auto at = static_cast<std::size_t>(last - until.begin()); at != kNone; at = before[at])
        report.critical_path.insert(report.critical_path.begin(), entries[at].name);
    return report;
}

Deferred<GraphReport> TaskGraph::run(Reactor& reactor, GraphOptions options) {
    if (running_) co_return base::Failure(base::Errc::already_running, "the graph runs");
    Run run(*this, reactor, options);
    bool cancelled = false;
    for (;;) {
        run.start_ready();
        if (run.running() == 0) break;
        run.changed().clear();
        Deferred<void> change = run.changed().wait();
        const base::Result<void> result = co_await std::move(change).as_result();
        if (!result) {
            cancelled = true;
            run.cancel_all();
        }
    }
    if (cancelled) co_return base::Errc::cancelled;
    co_return run.report();
}

}  // namespace reactor
