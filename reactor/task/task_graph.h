// TaskGraph: tasks that depend on each other, run as parallel as allowed, each once what it depends
// on has its value. A cycle is refused when the edge that closes it is added.
#pragma once

#include "reactor/deferred.h"
#include "reactor/reactor.h"
#include "reactor/sync/event.h"

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reactor {

enum class GraphTaskState : std::uint8_t { waiting, running, done, failed, skipped };

/// What to do about a failure.
enum class GraphOnError : std::uint8_t {
    cancel_dependents,  ///< What depends on it, directly or not, is skipped.
    cancel_all,         ///< The rest is skipped, and what runs is cancelled.
};

struct GraphOptions {
    std::size_t parallel = 0;  ///< Tasks at the same time; 0: no limit.
    GraphOnError on_error = GraphOnError::cancel_dependents;
};

struct GraphReport {
    struct Task {
        std::string name = {};
        GraphTaskState state = GraphTaskState::waiting;
        std::optional<base::Failure> failure = {};
        base::Duration took{};
    };
    std::vector<Task> tasks;  ///< In the order of adding.
    /// The chain of dependent tasks that took longest, in order of running.
    std::vector<std::string> critical_path;
    base::Duration critical_time{};

    bool ok() const noexcept;
    /// The first failure in the order of adding; precondition: not ok().
    const base::Failure& failure() const noexcept;
};

class TaskGraph {
public:
    static constexpr std::size_t kTasksMax = 65'536;

    /// A task of this graph, by number.
    struct Id {
        std::size_t index = 0;
    };
    /// The same with the type of its value.
    template <class T>
    struct Handle : Id {};

    TaskGraph() = default;
    TaskGraph(const TaskGraph&) = delete;
    TaskGraph& operator=(const TaskGraph&) = delete;

    /// `f()` returns R, Result<R> or Deferred<R>; it is called once all of `dependencies` are done
    /// and kept until run() has ended. CHECKs: not running, dependencies of this graph, not more
    /// than kTasksMax.
    template <class F>
    auto add(std::string name, F f, std::initializer_list<Id> dependencies = {})
        -> Handle<detail::Flattened<std::invoke_result_t<F&>>>;
    /// One more edge: `later` waits for `earlier`. Fails with `would_deadlock` and the cycle in
    /// words, or `already_running`.
    base::Result<void> depend(Id later, Id earlier);

    /// The value; precondition: the task is done in this or the last run.
    template <class T>
    T& value(Handle<T> handle) {
        auto& slot = static_cast<Slot<T>&>(*entries_.at(handle.index).work);
        CHECK(slot.value);
        return *slot.value;
    }

    /// Runs every task once and reports; failures of tasks are in the report. Among tasks that are
    /// ready the one added first starts first. Fails with `already_running`. Cancelling cancels
    /// what runs and waits for it; may be called again after the end.
    Deferred<GraphReport> run(Reactor& reactor, GraphOptions options = {});

private:
    struct Work {
        virtual ~Work() = default;
        virtual Deferred<void> start() = 0;
        virtual void forget() = 0;
    };
    template <class T>
    struct Slot : Work {
        Deferred<void> keep(Deferred<T> work) {
            return std::move(work).then([this](T result) { value.emplace(std::move(result)); });
        }
        std::optional<T> value;
    };
    template <class T, class F>
    struct SlotOf;

    struct Entry {
        std::string name;
        std::unique_ptr<Work> work;
        std::vector<std::size_t> dependencies;
        GraphReport::Task report = {};
        base::MonotonicTime began = {};
        std::optional<Deferred<void>> running = {};
    };
    class Run;

    void insert(std::string name, std::unique_ptr<Work> work,
                std::initializer_list<Id> dependencies);

    std::vector<Entry> entries_;
    bool running_ = false;
};

template <>
struct TaskGraph::Slot<void> : Work {};

template <class T, class F>
struct TaskGraph::SlotOf final : Slot<T> {
    explicit SlotOf(F its_function) : function(std::move(its_function)) {}
    Deferred<void> start() override {
        if constexpr (std::is_void_v<T>) {
            return attempt();
        } else {
            return this->keep(attempt());
        }
    }
    void forget() override {
        if constexpr (!std::is_void_v<T>) this->value.reset();
    }
    Deferred<T> attempt() noexcept {
        try {
            return detail::call_flat<T>(function);
        } catch (...) {
            return detail::failure_of_current_exception();
        }
    }
    F function;
};

template <class F>
auto TaskGraph::add(std::string name, F f, std::initializer_list<Id> dependencies)
    -> Handle<detail::Flattened<std::invoke_result_t<F&>>> {
    using T = detail::Flattened<std::invoke_result_t<F&>>;
    Handle<T> handle;
    handle.index = entries_.size();
    insert(std::move(name), std::make_unique<SlotOf<T, F>>(std::move(f)), dependencies);
    return handle;
}

}  // namespace reactor
