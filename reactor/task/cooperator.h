// Cooperator: long computations cut into steps and run a few steps a turn, all in rotation, so that
// the loop stays responsive. Semantics follow Twisted's Cooperator and CooperativeTask; a step is
// counted, not timed, so that a simulation repeats (a time limit can be added outside of one).
#pragma once

#include "reactor/deferred.h"
#include "reactor/reactor.h"
#include "reactor/task/generator.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace reactor {

class Clock;
class CooperativeTask;

/// What a computation yields between two steps: nothing, or something to wait for.
class Step {
public:
    Step() = default;
    /// The next step is made when `wait` has settled; its failure ends the task.
    Step(Deferred<void> wait)  // NOLINT(google-explicit-constructor): `co_yield sleep(…);`
        : wait_(std::move(wait)) {}

private:
    friend class CooperativeTask;
    std::optional<Deferred<void>> wait_;
};

struct CooperatorOptions {
    std::size_t steps_per_turn_max = 64;
    /// Ends a turn's share after this time as well, measured by `clock`; 0: by steps alone.
    base::Duration time_per_turn_max{};
    const Clock* clock = nullptr;
};

class Cooperator {
public:
    /// CHECKs that there is a clock if there is a time limit.
    explicit Cooperator(Reactor& reactor, const CooperatorOptions& options = {});
    Cooperator(const Cooperator&) = delete;
    Cooperator& operator=(const Cooperator&) = delete;
    /// stop().
    ~Cooperator();

    /// Makes the steps in rotation with those of others; the task runs on without its handle.
    /// After stop(): it fails at once with `stopped`.
    CooperativeTask cooperate(Generator<Step> steps);
    /// The same when only its end matters.
    Deferred<void> coiterate(Generator<Step> steps);
    /// Every task that has not ended fails with `stopped`, paused ones included.
    void stop() noexcept;
    bool running() const noexcept { return !stopped_; }
    std::size_t size() const noexcept { return size_; }

private:
    friend class CooperativeTask;
    struct State;
    class Slice final : public Timer {
    public:
        explicit Slice(Cooperator& owner) noexcept : owner_(owner) {}

    private:
        void on_expired() override { owner_.run_slice(); }
        Cooperator& owner_;
    };

    void run_slice();
    void schedule();

    Reactor& reactor_;
    CooperatorOptions options_;
    detail::Link runnable_;
    detail::Link waiting_;  // Paused, or for a Deferred.
    std::size_t size_ = 0;
    bool stopped_ = false;
    bool* destroyed_ = nullptr;  // Set while a slice runs.
    Slice slice_{*this};
};

/// A task of a Cooperator. The handle may outlive the Cooperator, and the task its handle.
class CooperativeTask {
public:
    CooperativeTask(CooperativeTask&& other) noexcept;
    CooperativeTask& operator=(CooperativeTask&& other) noexcept;
    ~CooperativeTask();

    /// No steps until as many resumes. Like `stop` it fails when the task has ended: with
    /// `already_called` (done or failed) or `already_cancelled` (stopped).
    base::Result<void> pause();
    /// Fails with `already_running` when not paused.
    base::Result<void> resume();
    /// Ends the task at once: what it waits for is dropped, and when_done() fails with `stopped`.
    base::Result<void> stop();
    /// Settles when the steps have come to their end, or with their failure; at once after it. Any
    /// number may be asked for.
    Deferred<void> when_done();

private:
    friend class Cooperator;
    explicit CooperativeTask(Cooperator::State& state) noexcept;
    static void make_step(Cooperator::State& task);
    Cooperator::State* state_;
};

}  // namespace reactor
