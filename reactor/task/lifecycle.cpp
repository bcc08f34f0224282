#include "reactor/task/lifecycle.h"

#include "reactor/combine.h"
#include "reactor/gather.h"
#include "reactor/signals.h"

#include <algorithm>
#include <csignal>
#include <optional>

namespace reactor {

struct Lifecycle::Trigger {
    std::uint64_t id;
    std::string_view name;
    Action action;
    base::Duration deadline;
};

namespace {

// The slot is set while the awaited Deferred is there, however the coroutine leaves.
struct Pointing {
    Pointing(Deferred<void>*& its_slot, Deferred<void>& deferred) noexcept : slot(its_slot) {
        slot = &deferred;
    }
    Pointing(const Pointing&) = delete;
    Pointing& operator=(const Pointing&) = delete;
    ~Pointing() { slot = nullptr; }
    Deferred<void>*& slot;
};

// Whoever drops the whole leaves it stopped.
template <class F>
struct AtEnd {
    explicit AtEnd(F f) : function(std::move(f)) {}
    AtEnd(const AtEnd&) = delete;
    AtEnd& operator=(const AtEnd&) = delete;
    ~AtEnd() { function(); }
    F function;
};

// The first failure, if any, once all have ended.
Deferred<void> all_ended(std::vector<Deferred<void>> parts) {
    Deferred<std::vector<base::Result<void>>> all = when_all_settled(std::move(parts));
    const auto results = co_await std::move(all).as_result();
    if (!results) co_return results.error();
    for (const base::Result<void>& result : *results)
        if (!result) co_return result.error();
    co_return {};
}

}  // namespace

Lifecycle::Lifecycle(Reactor& reactor)
    : reactor_(reactor),
      startup_(std::make_unique<Triggers>()),
      shutdown_(std::make_unique<Triggers>()) {}

Lifecycle::~Lifecycle() = default;

Lifecycle::Id Lifecycle::add(Triggers& triggers, Phase phase, std::string_view name, Action action,
                             base::Duration deadline) {
    triggers[static_cast<std::size_t>(phase)].push_back(
        {++last_id_, name, std::move(action), deadline});
    return static_cast<Id>(last_id_);
}

Lifecycle::Id Lifecycle::on_startup(Phase phase, std::string_view name, Action action,
                                    base::Duration deadline) {
    return add(*startup_, phase, name, std::move(action), deadline);
}

Lifecycle::Id Lifecycle::on_shutdown(Phase phase, std::string_view name, Action action,
                                     base::Duration deadline) {
    return add(*shutdown_, phase, name, std::move(action), deadline);
}

bool Lifecycle::remove(Id id) noexcept {
    for (Triggers* triggers : {startup_.get(), shutdown_.get()})
        for (std::vector<Trigger>& phase : *triggers)
            if (std::erase_if(phase, [id](const Trigger& trigger) {
                    return trigger.id == static_cast<std::uint64_t>(id);
                }) > 0)
                return true;
    return false;
}

void Lifecycle::call_when_running(base::UniqueFunction<void()> function) {
    if (running()) {
        function();
    } else {
        when_running_.push_back(std::move(function));
    }
}

Deferred<void> Lifecycle::run_trigger(Trigger& trigger) {
    std::optional<Deferred<void>> work;
    try {
        work.emplace(trigger.action());
    } catch (...) {
        work.emplace(detail::failure_of_current_exception());
    }
    Deferred<void> limited = with_timeout(reactor_, std::move(*work), trigger.deadline);
    base::Result<void> result = co_await std::move(limited).as_result();
    if (result) co_return {};
    reactor_.log().error("lifecycle.failed",
                         {{"action", trigger.name}, {"failure", result.error().message()}});
    co_return result.error().with(trigger.name);
}

// The triggers of a phase are taken over before it begins, and kept until it has ended.
Deferred<void> Lifecycle::run_phases(Triggers& triggers) {
    base::Result<void> outcome;
    for (std::vector<Trigger>& phase : triggers) {
        if (state_ == State::starting && abandoned_) break;
        std::vector<Trigger> called = std::exchange(phase, {});
        std::vector<Deferred<void>> work;
        work.reserve(called.size());
        for (Trigger& trigger : called)
            work.push_back(run_trigger(trigger));
        Deferred<void> all = all_ended(std::move(work));
        const Pointing pointing(awaited_, all);
        base::Result<void> ended = co_await std::move(all).as_result();
        if (!ended && outcome) outcome = std::move(ended);
    }
    co_return outcome;
}

Deferred<void> Lifecycle::start_up() {
    if (state_ != State::stopped)
        co_return base::Failure(base::Errc::already_running, "started before");
    state_ = State::starting;
    abandoned_ = false;
    started_.clear();
    const AtEnd leave([this] {
        if (state_ == State::starting) state_ = State::stopped;
        started_.set();
    });
    Deferred<void> phases = run_phases(*startup_);
    base::Result<void> result = co_await std::move(phases).as_result();
    state_ = State::running;
    started_.set();
    if (abandoned_) co_return base::Failure(base::Errc::stopped, "shut down while starting");
    for (base::UniqueFunction<void()>& function : std::exchange(when_running_, {}))
        function();
    co_return result;
}

Deferred<void> Lifecycle::shut_down() {
    if (state_ == State::stopping) {
        if (awaited_) awaited_->cancel();
        co_return {};
    }
    if (state_ == State::stopped)
        co_return base::Failure(base::Errc::not_running, "not started, or shut down before");
    if (state_ == State::starting) {
        if (std::exchange(abandoned_, true)) co_return {};
        if (awaited_) awaited_->cancel();
        Deferred<void> started = started_.wait();
        base::Result<void> ended = co_await std::move(started);
        if (!ended) co_return std::move(ended).error();
        if (state_ != State::running)
            co_return base::Failure(base::Errc::not_running, "the start was given up");
    }
    state_ = State::stopping;
    const AtEnd leave([this] { state_ = State::stopped; });
    Deferred<void> phases = run_phases(*shutdown_);
    co_return co_await std::move(phases).as_result();
}

void Lifecycle::stop_on_signals() {
    signals_ = std::make_unique<SignalWatch>(reactor_, std::initializer_list<int>{SIGINT, SIGTERM},
                                             [this](int number) { on_signal(number); });
}

void Lifecycle::on_signal(int number) {
    reactor_.log().info("lifecycle.signal",
                        {{"signal", number}, {"forced", state_ != State::running}});
    const bool first = state_ != State::stopping && !abandoned_;
    Deferred<void> ending = shut_down();
    if (!first) {
        std::move(ending).detach("forced shutdown");
        return;
    }
    Reactor& reactor = reactor_;
    std::move(ending).ensure([&reactor] { reactor.stop(); }).detach("shutdown");
}

}  // namespace reactor
