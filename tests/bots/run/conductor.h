// Conductor: takes a run through its phases on all shards and gathers what they measured: ramp,
// preparation, warm-up, the measured phase, drain, logout. Lives on shard 0, in the real world or a
// simulated one; everything of the process (signals, descriptors, files) is its owner's.
#pragma once

#include "reactor/shards.h"
#include "tests/bots/measure/process_usage.h"
#include "tests/bots/measure/progress.h"
#include "tests/bots/measure/run_result.h"
#include "tests/bots/measure/sampler.h"
#include "tests/bots/run/crew.h"
#include "tests/bots/run/plan.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bots {

class Conductor {
public:
    struct Parts {
        reactor::Shards& shards;
        const Plan& plan;
        /// The server's processes; nothing when they are not known.
        std::optional<ProcessWatch> server;
        /// Called every second; may be empty.
        std::function<void(const Progress&)> show;
        /// Our CPU and memory; the simulated world has none of its own.
        std::function<ProcessUsage(UsageDetail)> own_usage;
    };

    explicit Conductor(Parts parts);
    Conductor(const Conductor&) = delete;
    Conductor& operator=(const Conductor&) = delete;
    ~Conductor();

    /// The whole run. Always succeeds: what went wrong is in the result. `result` comes with what
    /// is known beforehand (server, software, security, mechanism). Once.
    reactor::Deferred<RunResult> run(RunResult result);
    /// Ends the phase under way; what was measured is reported. On shard 0.
    void interrupt();

private:
    struct Snapshot;
    struct Report;
    struct Marks;

    reactor::Deferred<void> act();
    reactor::Deferred<void> make_crews();
    reactor::Deferred<void> ramp();
    reactor::Deferred<void> measure();
    reactor::Deferred<void> drain();
    reactor::Deferred<void> leave();
    reactor::Deferred<void> collect();
    /// Runs it on every shard and waits for all; the first failure ends the others.
    reactor::Deferred<void> everywhere(std::function<reactor::Deferred<void>(Crew&)> work);
    reactor::Deferred<void> one_of_all(reactor::Deferred<void> part);
    reactor::Deferred<Snapshot> look();
    reactor::Deferred<void> tick();
    void stop_crews();
    void enter(Progress::Phase phase, std::optional<base::Duration> length);
    void mark_start();
    void mark_end();
    void book_rates(const Tallies& tallies, const Extras& extras);
    void book_usage(const Tallies& tallies);
    void judge();
    std::optional<ProcessUsage> server_usage(UsageDetail detail);
    base::MonotonicTime now() const { return world_.clock.monotonic(); }

    Parts parts_;
    reactor::World& world_;
    RunResult result_;
    std::vector<std::unique_ptr<Crew>> crews_;  // By shard; used on its shard only.
    bool interrupted_ = false;
    std::optional<base::Failure> failure_;
    std::optional<Sampler> sampler_;
    std::unique_ptr<Marks> marks_;
    Progress progress_;
    base::MonotonicTime phase_began_;
    std::optional<base::Duration> phase_length_;
    std::string server_gone_;  // Why its usage could not be read.
    std::uint64_t sessions_lost_ = 0;
    std::uint32_t online_at_end_ = 0;
};

}  // namespace bots
