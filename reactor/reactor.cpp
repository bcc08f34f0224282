#include "reactor/reactor.h"

#include "reactor/base/check.h"
#include "reactor/frame_memory.h"
#include "reactor/poller.h"
#include "reactor/surroundings.h"
#include "reactor/world.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <mutex>
#include <vector>

namespace reactor {

namespace {

thread_local constinit Reactor* current_reactor = nullptr;

// Later than any deadline that somebody means.
constexpr base::Duration kDelayMax = std::chrono::hours(24 * 365 * 100);

struct TurnEndList final : TurnEnd {
    void on_turn_end() override {}
};

/// The call, with the context of whoever gives it.
base::UniqueFunction<void()> in_context(base::UniqueFunction<void()> call) {
    if (detail::current_context() == nullptr) return call;
    return [context = detail::ContextRef(), call = std::move(call)]() mutable {
        const detail::FreshScope scope(nullptr, context.get());
        call();
    };
}

/// A call given to `soon`: owned by the ready queue, so that it goes with it.
class SoonCall final : public detail::DetachedBase,
                       public ReadyItem,
                       public detail::FrameAllocated {
public:
    explicit SoonCall(base::UniqueFunction<void()> call) : call_(std::move(call)) {}

private:
    void run() override {
        const std::unique_ptr<SoonCall> self(this);
        call_();
    }
    base::UniqueFunction<void()> call_;
};

}  // namespace

void TurnEnd::withdraw() noexcept {
    if (!next_) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
}

struct Reactor::Impl {
    Impl(const Clock& its_clock, const base::Log& log)
        : clock(its_clock), ready(log), now(its_clock.monotonic()), wheel(now) {
        turn_ends.next_ = turn_ends.previous_ = &turn_ends;
        task_entries.next = task_entries.previous = &task_entries;
    }

    /// The turn boundary: an exception ends the phase, whose rest runs in the next turn.
    template <class Phase>
    bool guarded(Phase phase) noexcept;
    void tell_fd_events() noexcept;
    void run_posted();
    void run_mail();
    bool more_calls_come() const noexcept;
    void run_turn_ends();
    bool has_turn_ends() const noexcept { return turn_ends.next_ != &turn_ends; }
    /// False while another thread runs this reactor or has entered a Scope of it.
    bool used_on_its_own_thread() const noexcept {
        const void* const thread = owner.load(std::memory_order_relaxed);
        return thread == nullptr || thread == &current_reactor;
    }
    void sleep_until_next(Reactor& reactor);

    const Clock& clock;
    ReadyQueue ready;
    base::MonotonicTime now;
    TimerWheel wheel;
    TurnEndList turn_ends;
    detail::Link task_entries;
    std::atomic<const void*> owner = nullptr;  // The thread with a Scope: its current_reactor.
    std::size_t scopes = 0;                    // Of that thread.
    bool already_runs = false;                 // In `run`.
    bool had_calls = false;                    // Posted or by mail, in the turn that ran last.
    Inbox* inbox = nullptr;
    TurnMonitor* monitor = nullptr;
    std::unique_ptr<Poller> poller;
    ReactorStatistics statistics;

    std::vector<base::UniqueFunction<void()>>
        batch;  // Posted calls taken over, from batch_next on.
    std::size_t batch_next = 0;

    std::mutex mutex;
    std::vector<base::UniqueFunction<void()>> posted;  // Under `mutex`.
    std::atomic<bool> has_posted = false;
    std::atomic<bool> sleeping = false;
    std::atomic<bool> stopping = false;
};

template <class Phase>
bool Reactor::Impl::guarded(Phase phase) noexcept {
    try {
        phase();
        return true;
    } catch (const std::exception& error) {
        ready.log().error("reactor.turn_exception", {{"what", error.what()}});
    } catch (...) {
        ready.log().error("reactor.turn_exception");
    }
    ++statistics.exceptions;
    return false;
}

// Edges are told once, so an exception must not swallow the events behind it.
void Reactor::Impl::tell_fd_events() noexcept {
    if (!poller) return;
    bool more = true;
    while (more) {
        guarded([&] {
            while ((more = poller->tell_next()))
                ++statistics.fd_events;
        });
    }
}

void Reactor::Impl::run_posted() {
    if (batch_next == batch.size() && has_posted.load(std::memory_order_acquire)) {
        batch.clear();
        batch_next = 0;
        const std::lock_guard lock(mutex);
        batch.swap(posted);
        has_posted.store(false, std::memory_order_relaxed);
    }
    const std::size_t end = batch_next + std::min(batch.size() - batch_next, kPostedPerTurnMax);
    had_calls = batch_next < end;
    while (batch_next < end) {
        base::UniqueFunction<void()> call = std::move(batch[batch_next++]);
        ++statistics.posted;
        call();
    }
}

void Reactor::Impl::run_mail() {
    if (!inbox || inbox->empty()) return;
    had_calls = true;
    inbox->drain();
}

// Who sent something often sends more at once, and waking costs both sides microseconds: a loop
// that got calls looks again, for a fraction of one, before it sleeps.
bool Reactor::Impl::more_calls_come() const noexcept {
    constexpr int kLooks = 64;
    for (int i = 0; had_calls && i < kLooks; ++i)
        if (has_posted.load(std::memory_order_acquire) || (inbox && !inbox->empty())) return true;
    return false;
}

void Reactor::Impl::run_turn_ends() {
    if (!has_turn_ends()) return;
    // Those that a flush registers wait for the next turn.
    TurnEndList due;
    due.next_ = turn_ends.next_;
    due.previous_ = turn_ends.previous_;
    due.next_->previous_ = due.previous_->next_ = &due;
    turn_ends.next_ = turn_ends.previous_ = &turn_ends;
    while (due.next_ != &due) {
        TurnEnd* flush = due.next_;
        flush->withdraw();
        guarded([flush] { flush->on_turn_end(); });
    }
    due.next_ = nullptr;  // Empty, and not linked anywhere.
}

Reactor::Reactor(const Clock& clock, base::Log log) : impl_(std::make_unique<Impl>(clock, log)) {}

Reactor::~Reactor() {
    {
        // Destroying calls may start or post new ones; they end here too.
        const Scope scope(*this);
        while (impl_->ready.has_detached() || !impl_->batch.empty() || impl_->has_posted) {
            impl_->ready.drop_detached();
            impl_->batch.clear();
            impl_->batch_next = 0;
            const std::lock_guard lock(impl_->mutex);
            impl_->batch.swap(impl_->posted);
            impl_->has_posted = false;
        }
    }
    while (impl_->has_turn_ends())
        impl_->turn_ends.next_->withdraw();
    impl_->turn_ends.next_ = nullptr;
    while (impl_->task_entries.next != &impl_->task_entries)
        impl_->task_entries.next->unlink();
}

Reactor& Reactor::current() {
    CHECK(current_reactor);
    return *current_reactor;
}

bool Reactor::has_current() noexcept {
    return current_reactor != nullptr;
}

Reactor::Scope::Scope(Reactor& reactor) noexcept
    : outer_(current_reactor), queue_scope_(reactor.impl_->ready) {
    Impl& impl = *reactor.impl_;
    CHECK(impl.used_on_its_own_thread());
    impl.owner.store(&current_reactor, std::memory_order_relaxed);
    ++impl.scopes;
    if (outer_ != &reactor) impl.now = impl.clock.monotonic();
    current_reactor = &reactor;
}

Reactor::Scope::~Scope() {
    Impl& impl = *current_reactor->impl_;
    if (--impl.scopes == 0) impl.owner.store(nullptr, std::memory_order_relaxed);
    current_reactor = outer_;
}

base::MonotonicTime Reactor::now() const noexcept {
    return impl_->now;
}
TimerWheel& Reactor::wheel() noexcept {
    return impl_->wheel;
}
ReadyQueue& Reactor::ready_queue() noexcept {
    return impl_->ready;
}
const base::Log& Reactor::log() const noexcept {
    return impl_->ready.log();
}
const ReactorStatistics& Reactor::statistics() const noexcept {
    return impl_->statistics;
}
void Reactor::set_inbox(Inbox* inbox) noexcept {
    impl_->inbox = inbox;
}

detail::Link& Reactor::task_entries() noexcept {
    return impl_->task_entries;
}

void Reactor::set_monitor(TurnMonitor* monitor) noexcept {
    impl_->monitor = monitor;
}

std::optional<base::Duration> Reactor::prepare_wait() {
    poller();
    impl_->sleeping.store(true, std::memory_order_seq_cst);
    const base::MonotonicTime time = impl_->clock.monotonic();
    if (runnable(time)) return base::Duration::zero();
    if (const auto wakeup = impl_->wheel.next_wakeup()) return *wakeup - time;
    return std::nullopt;
}

void Reactor::finish_wait() noexcept {
    impl_->sleeping.store(false, std::memory_order_seq_cst);
}

void Reactor::arm(Timer& timer, base::Duration delay) {
    CHECK(impl_->used_on_its_own_thread());
    timer.arm(impl_->wheel, impl_->now + std::clamp(delay, base::Duration::zero(), kDelayMax));
}

void Reactor::soon(base::UniqueFunction<void()> call) {
    CHECK(impl_->used_on_its_own_thread());
    auto* item = new SoonCall(in_context(std::move(call)));
    impl_->ready.own(*item);
    impl_->ready.push(*item);
}

void Reactor::post(base::UniqueFunction<void()> call) {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->posted.push_back(in_context(std::move(call)));
        impl_->has_posted.store(true, std::memory_order_seq_cst);
    }
    ring();
}

// The loop stores `sleeping`, then looks at what may have been published; publishers do the
// reverse. Both in the one order of seq_cst, so one of the two sees the other.
void Reactor::ring() noexcept {
    if (impl_->sleeping.load(std::memory_order_seq_cst) &&
        impl_->sleeping.exchange(false, std::memory_order_seq_cst))
        impl_->poller->ring();
}

void Reactor::at_turn_end(TurnEnd& flush) {
    CHECK(impl_->used_on_its_own_thread());
    if (flush.next_) return;
    TurnEnd& list = impl_->turn_ends;
    flush.next_ = &list;
    flush.previous_ = list.previous_;
    flush.previous_->next_ = &flush;
    list.previous_ = &flush;
}

Poller& Reactor::poller() {
    if (!impl_->poller) impl_->poller = std::make_unique<Poller>();
    return *impl_->poller;
}

bool Reactor::runnable(base::MonotonicTime now) const noexcept {
    const Impl& impl = *impl_;
    if (!impl.ready.empty() || impl.has_turn_ends() || impl.batch_next < impl.batch.size() ||
        impl.has_posted.load(std::memory_order_seq_cst) || (impl.inbox && !impl.inbox->empty()))
        return true;
    const auto wakeup = impl.wheel.next_wakeup();
    return wakeup && *wakeup <= now;
}

void Reactor::run_turn(bool poll) {
    Impl& impl = *impl_;
    const Scope scope(*this);
    impl.now = impl.clock.monotonic();
    ++impl.statistics.turns;
    if (impl.monitor) impl.monitor->turn_begins(impl.now);
    impl.ready.adopt(ReadyQueue::of_thread());
    if (poll) poller().poll();
    impl.tell_fd_events();
    impl.guarded([&] { impl.run_posted(); });
    impl.guarded([&] { impl.run_mail(); });
    impl.guarded([&] { impl.statistics.timers += impl.wheel.expire(impl.now); });
    impl.guarded([&] { impl.statistics.steps += impl.ready.run(kStepsPerTurnMax); });
    impl.run_turn_ends();
    if (impl.monitor) impl.monitor->turn_ended();
}

void Reactor::Impl::sleep_until_next(Reactor& reactor) {
    sleeping.store(true, std::memory_order_seq_cst);
    const base::MonotonicTime time = clock.monotonic();
    if (!stopping.load(std::memory_order_seq_cst) && !reactor.runnable(time)) {
        ++statistics.sleeps;
        std::optional<base::Duration> limit;
        if (const auto wakeup = wheel.next_wakeup()) limit = *wakeup - time;
        poller->wait(limit);
    }
    sleeping.store(false, std::memory_order_seq_cst);
}

void Reactor::run() {
    CHECK(!std::exchange(impl_->already_runs, true));
    poller();
    const Scope scope(*this);
    bool poll = true;
    do {
        run_turn(poll);
        poll = runnable(impl_->now) || impl_->more_calls_come();
        // Sleeping collects events on its own; the turn behind it need not poll again.
        if (!poll) impl_->sleep_until_next(*this);
    } while (!impl_->stopping.exchange(false, std::memory_order_seq_cst));
    impl_->already_runs = false;
}

void Reactor::stop() {
    impl_->stopping.store(true, std::memory_order_seq_cst);
    ring();
}

}  // namespace reactor
