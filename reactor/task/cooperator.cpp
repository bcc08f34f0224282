#include "reactor/task/cooperator.h"

#include "reactor/world.h"

#include <vector>

namespace reactor {

namespace {
struct TaskLink : detail::Link {};
}  // namespace

/// One task; shared by its Cooperator while it has not ended, and by its handle.
struct Cooperator::State final : TaskLink, ReadyItem, detail::FrameAllocated {
    State(Cooperator& cooperator, Generator<Step> its_steps)
        : owner(&cooperator), steps(std::move(its_steps)) {}

    static State& at(detail::Link& link) noexcept {
        return static_cast<State&>(static_cast<TaskLink&>(link));
    }
    bool ended() const noexcept { return result.has_value(); }
    void move_to(detail::Link& list) noexcept {
        if (TaskLink::linked()) TaskLink::unlink();
        TaskLink::insert_before(list);
    }
    void place() {
        const bool runs = pauses == 0 && !wait;
        move_to(runs ? owner->runnable_ : owner->waiting_);
        if (runs) owner->schedule();
    }
    void end(base::Result<void> how) noexcept {
        if (ended()) return;
        result.emplace(std::move(how));
        wait.reset();
        ReadyItem::withdraw();
        if (!stepping) steps.reset();
        TaskLink::unlink();
        --owner->size_;
        owner = nullptr;
        for (Promise<void>& promise : std::exchange(waiters, {}))
            promise.try_resolve(*result);
        free_if_unused();
    }
    void free_if_unused() noexcept {
        if (!handle && ended() && !stepping) delete this;
    }
    base::Result<void> check() const {
        if (!ended()) return {};
        if (*result) return base::fail(base::Errc::already_called, "the task is done");
        if (stopped) return base::fail(base::Errc::already_cancelled, "the task was stopped");
        return base::fail(base::Errc::already_called,
                          "the task failed: " + result->error().message());
    }
    // What it waited for has settled.
    void run() override {
        base::Result<void> settled = wait->take();
        wait.reset();
        if (!settled) {
            end(std::unexpected(std::move(settled).error()));
        } else {
            place();
        }
    }

    Cooperator* owner;  // Null once it has ended.
    std::optional<Generator<Step>> steps;
    std::optional<Deferred<void>> wait;
    std::size_t pauses = 0;
    bool handle = false;
    bool stepping = false;
    bool stopped = false;
    std::optional<base::Result<void>> result;
    std::vector<Promise<void>> waiters;
};

Cooperator::Cooperator(Reactor& reactor, const CooperatorOptions& options)
    : reactor_(reactor), options_(options) {
    CHECK(options.steps_per_turn_max > 0);
    CHECK(options.time_per_turn_max == base::Duration::zero() || options.clock);
    runnable_.next = runnable_.previous = &runnable_;
    waiting_.next = waiting_.previous = &waiting_;
}

Cooperator::~Cooperator() {
    if (destroyed_) *destroyed_ = true;
    stop();
}

void Cooperator::stop() noexcept {
    stopped_ = true;
    slice_.cancel();
    for (detail::Link* list : {&runnable_, &waiting_}) {
        while (list->next != list) {
            State& task = State::at(*list->next);
            task.stopped = true;
            task.end(base::fail(base::Errc::stopped, "the cooperator was stopped"));
        }
    }
}

CooperativeTask Cooperator::cooperate(Generator<Step> steps) {
    auto* state = new State(*this, std::move(steps));
    ++size_;
    CooperativeTask task(*state);
    state->place();
    if (stopped_) {
        state->stopped = true;
        state->end(base::fail(base::Errc::stopped, "the cooperator was stopped before"));
    }
    return task;
}

Deferred<void> Cooperator::coiterate(Generator<Step> steps) {
    return cooperate(std::move(steps)).when_done();
}

void Cooperator::schedule() {
    if (!slice_.armed() && !stopped_) reactor_.arm(slice_, base::Duration::zero());
}

void Cooperator::run_slice() {
    bool destroyed = false;
    destroyed_ = &destroyed;
    const bool timed = options_.time_per_turn_max > base::Duration::zero();
    const base::MonotonicTime begin = timed ? options_.clock->monotonic() : base::MonotonicTime{};
    for (std::size_t step = 0; step < options_.steps_per_turn_max; ++step) {
        if (runnable_.next == &runnable_) break;
        if (timed && step > 0 && options_.clock->monotonic() - begin >= options_.time_per_turn_max)
            break;
        State& task = State::at(*runnable_.next);
        task.move_to(runnable_);  // To the back.
        CooperativeTask::make_step(task);
        if (destroyed) return;
    }
    destroyed_ = nullptr;
    if (runnable_.next != &runnable_) schedule();
}

// The step may pause or stop its own task, or destroy the Cooperator.
void CooperativeTask::make_step(Cooperator::State& task) {
    task.stepping = true;
    std::optional<Step> step;
    base::Result<void> failure;
    try {
        step = task.steps->next();
    } catch (...) {
        failure = std::unexpected(detail::failure_of_current_exception());
    }
    task.stepping = false;
    if (task.ended()) {
        task.steps.reset();
        task.free_if_unused();
    } else if (!failure || !step) {
        task.end(std::move(failure));
    } else if (step->wait_) {
        task.wait = std::move(step->wait_);
        task.place();
        task.wait->notify(task);
    }
}

CooperativeTask::CooperativeTask(Cooperator::State& state) noexcept : state_(&state) {
    state.handle = true;
}

CooperativeTask::CooperativeTask(CooperativeTask&& other) noexcept
    : state_(std::exchange(other.state_, nullptr)) {}

CooperativeTask& CooperativeTask::operator=(CooperativeTask&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
}

CooperativeTask::~CooperativeTask() {
    if (!state_) return;
    state_->handle = false;
    state_->free_if_unused();
}

base::Result<void> CooperativeTask::pause() {
    TRY(state_->check());
    ++state_->pauses;
    state_->place();
    return {};
}

base::Result<void> CooperativeTask::resume() {
    TRY(state_->check());
    if (state_->pauses == 0)
        return base::fail(base::Errc::already_running, "the task is not paused");
    --state_->pauses;
    state_->place();
    return {};
}

base::Result<void> CooperativeTask::stop() {
    TRY(state_->check());
    state_->stopped = true;
    state_->end(base::fail(base::Errc::stopped, "the task was stopped"));
    return {};
}

Deferred<void> CooperativeTask::when_done() {
    if (state_->ended()) return *state_->result;
    return state_->waiters.emplace_back().deferred();
}

}  // namespace reactor
