#include "tests/bots/run/conductor.h"

#include "reactor/looping_call.h"
#include "reactor/reactor.h"
#include "tests/bots/run/conductor_marks.h"
#include "tests/bots/workload/common_keys.h"
#include "xmpp/payloads/date_time.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace bots {
namespace {

using namespace std::chrono_literals;

/// So that every shard has been told before the first message is due.
constexpr base::Duration kHeadStart = 20ms;
constexpr base::Duration kLook = 20ms;
/// After the end of the phase and the grace for what is late; then it is ended.
constexpr base::Duration kOverrunMax = 1s;
constexpr base::Duration kLogoutMax = 10s;
/// How many times the grace a drain may take when messages keep coming.
constexpr int kDrainsMax = 12;

}  // namespace

Conductor::Conductor(Parts parts)
    : parts_(std::move(parts)),
      world_(parts_.shards.world(0)),
      crews_(parts_.shards.count()),
      marks_(std::make_unique<Marks>()) {}

Conductor::~Conductor() = default;

void Conductor::interrupt() {
    interrupted_ = true;
    stop_crews();
}

void Conductor::stop_crews() {
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        const bool told = parts_.shards.post(id, [this, id] {
            if (crews_[id]) crews_[id]->interrupt();
        });
        if (!told) world_.log.warn("bots.mailbox_full", {{"shard", std::uint64_t{id}}});
    }
}

reactor::Deferred<void> Conductor::one_of_all(reactor::Deferred<void> part) {
    const auto result = co_await std::move(part);
    if (!result && !failure_) {
        failure_ = result.error();
        stop_crews();
    }
    co_return {};
}

reactor::Deferred<void> Conductor::everywhere(std::function<reactor::Deferred<void>(Crew&)> work) {
    std::vector<reactor::Deferred<void>> parts;
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id)
        parts.push_back(one_of_all(parts_.shards.run_on(
            id, [this, id, work] { return crews_[id] ? work(*crews_[id]) : reactor::ready(); })));
    // Awaited one after the other, but they run at once: all have ended when the last has.
    for (reactor::Deferred<void>& part : parts)
        co_await std::move(part);
    if (failure_) co_return *failure_;
    co_return {};
}

void Conductor::enter(Progress::Phase phase, std::optional<base::Duration> length) {
    progress_.phase = phase;
    phase_began_ = now();
    phase_length_ = length;
}

reactor::Deferred<RunResult> Conductor::run(RunResult result) {
    result_ = std::move(result);
    const Plan& plan = parts_.plan;
    result_.workload = plan.settings.spec().name;
    result_.settings = plan.settings.texts();
    result_.users = plan.users;
    result_.started_at = xmpp::format_date_time(world_.clock.wall());
    progress_.workload = result_.workload;
    progress_.users = plan.users;
    marks_->server_before = server_usage(UsageDetail::full);
    sampler_.emplace(now(), Counters{.bots_cpu_s = parts_.own_usage(UsageDetail::quick).cpu_s,
                                     .server = marks_->server_before});

    reactor::LoopingCall ticking(world_.reactor, [this] { return tick(); });
    auto ticks = ticking.start(sample_interval_for(plan.settings.get(keys::kDuration)),
                               reactor::LoopingCall::First::after_interval);
    auto acting = act();
    const auto acted = co_await std::move(acting);
    if (!acted && !failure_) failure_ = acted.error();
    auto leaving = leave();
    co_await std::move(leaving);
    ticking.stop();
    co_await std::move(ticks);
    auto collecting = collect();
    co_await std::move(collecting);
    judge();
    co_return std::move(result_);
}

reactor::Deferred<void> Conductor::act() {
    auto making = make_crews();
    const auto made = co_await std::move(making);
    if (!made) co_return made;
    auto ramping = ramp();
    const auto ramped = co_await std::move(ramping);
    if (!ramped || interrupted_) co_return ramped;

    const std::uint32_t steps = crews_[0]->workload().preparation_steps();
    for (std::uint32_t step = 0; step < steps && !interrupted_; ++step) {
        auto preparing = everywhere([step](Crew& crew) { return crew.prepare(step); });
        const auto prepared = co_await std::move(preparing);
        if (!prepared) co_return prepared;
    }
    if (interrupted_) co_return {};
    auto measuring = measure();
    const auto measured = co_await std::move(measuring);
    if (!measured) co_return measured;
    auto draining = drain();
    const auto drained = co_await std::move(draining);
    co_return drained;
}

reactor::Deferred<void> Conductor::make_crews() {
    std::vector<reactor::Deferred<void>> parts;
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id)
        parts.push_back(one_of_all(parts_.shards.run_on(id, [this, id] {
            crews_[id] = std::make_unique<Crew>(parts_.shards.world(id), parts_.plan);
            crews_[id]->use(parts_.plan.settings.spec().create(*crews_[id], parts_.plan.settings));
        })));
    for (reactor::Deferred<void>& part : parts)
        co_await std::move(part);
    if (failure_) co_return *failure_;
    co_return {};
}

reactor::Deferred<void> Conductor::ramp() {
    enter(Progress::Phase::ramp, std::nullopt);
    auto ramping = everywhere([](Crew& crew) { return crew.ramp(); });
    const auto ramped = co_await std::move(ramping);
    marks_->ramp_took = now() - phase_began_;
    auto looking = look();
    if (const auto seen = co_await std::move(looking)) marks_->ramp_logins = seen->tallies.logins;
    const auto usage = server_usage(UsageDetail::quick);
    if (usage && marks_->server_before)
        marks_->ramp_server_cpu_s = usage->cpu_s - marks_->server_before->cpu_s;
    co_return ramped;
}

reactor::Deferred<void> Conductor::measure() {
    const Settings& settings = parts_.plan.settings;
    RunTimes times;
    times.start = now() + kHeadStart;
    times.measure_from = times.start;
    if (settings.has(keys::kWarmup.name))
        times.measure_from = times.start + settings.get(keys::kWarmup);
    times.end = times.measure_from + settings.get(keys::kDuration);
    enter(Progress::Phase::measure, times.end - times.start);

    reactor::CallbackTimer start_timer([this] { mark_start(); });
    reactor::CallbackTimer end_timer([this] { mark_end(); });
    // What waits for something else than the time is ended here, and not taken for a success.
    reactor::CallbackTimer overrun_timer([this] { interrupt(); });
    start_timer.arm(world_.reactor.wheel(), times.measure_from);
    end_timer.arm(world_.reactor.wheel(), times.end);
    overrun_timer.arm(world_.reactor.wheel(), times.end + parts_.plan.drain + kOverrunMax);
    auto running = everywhere([times](Crew& crew) { return crew.run(times); });
    const auto ran = co_await std::move(running);
    start_timer.cancel();
    end_timer.cancel();
    overrun_timer.cancel();
    mark_end();

    auto ending = everywhere([](Crew& crew) {
        crew.end_measuring();
        return reactor::ready();
    });
    co_await std::move(ending);
    auto looking = look();
    if (const auto seen = co_await std::move(looking)) {
        marks_->logins = seen->tallies.logins - marks_->ramp_logins;
        marks_->online = seen->tallies.online;
    }
    marks_->server_after = server_usage(UsageDetail::full);
    result_.bots_rss_bytes = parts_.own_usage(UsageDetail::quick).rss_bytes;
    co_return ran;
}

void Conductor::mark_start() {
    marks_->began = now();
    marks_->own_cpu_s = parts_.own_usage(UsageDetail::quick).cpu_s;
    if (const auto usage = server_usage(UsageDetail::quick)) marks_->server_cpu_s = usage->cpu_s;
}

void Conductor::mark_end() {
    if (!marks_->began || marks_->ended) return;
    marks_->ended = now();
    marks_->own_cpu_s = parts_.own_usage(UsageDetail::quick).cpu_s - marks_->own_cpu_s;
    if (const auto usage = server_usage(UsageDetail::quick))
        marks_->server_cpu_s = usage->cpu_s - marks_->server_cpu_s;
    else
        marks_->server_cpu_s = 0;
}

reactor::Deferred<void> Conductor::drain() {
    enter(Progress::Phase::drain, std::nullopt);
    auto coming = everywhere([](Crew& crew) { return crew.come_back(); });
    const auto came = co_await std::move(coming);
    if (!came) co_return came;
    // A server that is only slow may go on for a while, as long as something comes.
    const base::MonotonicTime limit = now() + kDrainsMax * parts_.plan.drain;
    base::MonotonicTime deadline = now() + parts_.plan.drain;
    std::uint64_t received = 0;
    for (;;) {
        auto looking = look();
        const auto seen = co_await std::move(looking);
        if (!seen) co_return seen.error();
        online_at_end_ = seen->tallies.online;
        if (std::exchange(received, seen->messages.received) < seen->messages.received)
            deadline = now() + parts_.plan.drain;
        if (received >= seen->messages.sent || now() >= std::min(deadline, limit)) co_return {};
        co_await reactor::sleep(world_.reactor, kLook);
    }
}

reactor::Deferred<void> Conductor::leave() {
    enter(Progress::Phase::clean_up, std::nullopt);
    reactor::CallbackTimer timer([this] { stop_crews(); });
    timer.arm(world_.reactor.wheel(), now() + kLogoutMax);
    auto leaving = everywhere([](Crew& crew) { return crew.leave(); });
    co_await std::move(leaving);  // Failures do not matter any more.
    co_return {};
}

}  // namespace bots
