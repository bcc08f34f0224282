// Lifecycle: what happens at the start and the end of a program, in phases: before, during, after.
// Everything in a phase begins in the order of adding and is awaited together, each for its own
// time at most; then comes the next phase. Twisted's system event triggers, with every phase
// awaited.
#pragma once

#include "reactor/deferred.h"
#include "reactor/reactor.h"
#include "reactor/sync/event.h"

#include <array>
#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

namespace reactor {

class SignalWatch;

enum class Phase : std::uint8_t { before, during, after };

class Lifecycle {
public:
    using Action = base::UniqueFunction<Deferred<void>()>;
    enum class Id : std::uint64_t {};
    static constexpr base::Duration kDeadline = std::chrono::seconds(10);

    explicit Lifecycle(Reactor& reactor);
    Lifecycle(const Lifecycle&) = delete;
    Lifecycle& operator=(const Lifecycle&) = delete;
    ~Lifecycle();

    /// `name` is a literal. A failure is logged as "lifecycle.failed", an action that takes longer
    /// than `deadline` is cancelled, and the others go on. What is added to a phase that has begun
    /// is not called in this round.
    Id on_startup(Phase phase, std::string_view name, Action action,
                  base::Duration deadline = kDeadline);
    Id on_shutdown(Phase phase, std::string_view name, Action action,
                   base::Duration deadline = kDeadline);
    /// False: no such action, or it was called already.
    bool remove(Id id) noexcept;
    /// Calls `function` now if the start is over, else right after it.
    void call_when_running(base::UniqueFunction<void()> function);

    /// Runs the three phases; the first failure of an action is the result, after all have ended.
    /// Fails with `already_running`. Dropping it leaves the rest of the start undone.
    Deferred<void> start_up();
    /// The same the other way round. A second call while it runs forces: what is awaited is
    /// cancelled and the next phase comes. While the start is on, that is cut short first (its
    /// result then is `stopped`). Fails with `not_running` when not started.
    Deferred<void> shut_down();
    bool running() const noexcept { return state_ == State::running; }

    /// From here on SIGINT and SIGTERM shut down and then stop the reactor; the second forces.
    void stop_on_signals();

private:
    enum class State : std::uint8_t { stopped, starting, running, stopping };
    struct Trigger;
    using Triggers = std::array<std::vector<Trigger>, 3>;

    Id add(Triggers& triggers, Phase phase, std::string_view name, Action action,
           base::Duration deadline);
    Deferred<void> run_phases(Triggers& triggers);
    Deferred<void> run_trigger(Trigger& trigger);
    void on_signal(int number);

    Reactor& reactor_;
    State state_ = State::stopped;
    std::uint64_t last_id_ = 0;
    std::unique_ptr<Triggers> startup_;
    std::unique_ptr<Triggers> shutdown_;
    std::vector<base::UniqueFunction<void()>> when_running_;
    Deferred<void>* awaited_ = nullptr;  // The phase that is on, in the frame of `run_phases`.
    bool abandoned_ = false;             // Shut down while starting.
    Event started_;
    std::unique_ptr<SignalWatch> signals_;
};

}  // namespace reactor
