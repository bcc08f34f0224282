// Batch: the accounts of a run, handed out to workers in chunks. Private to tests/bots/accounts.
#pragma once

#include "tests/bots/accounts/accounts.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace bots {

/// What the workers share; lives in the frame that waits for them.
struct Batch {
    Batch(reactor::World& its_world, const Plan& its_plan, AccountOptions its_options)
        : world(its_world), plan(its_plan), options(std::move(its_options)) {}

    struct Chunk {
        BotNumber first = 0;
        BotNumber end = 0;
    };
    /// Nothing when all are handed out, or nothing more is wanted.
    std::optional<Chunk> take(BotNumber most) {
        if (options.stop_wanted() || failed || next >= plan.users) return std::nullopt;
        const BotNumber first = next;
        next += std::min(most, plan.users - next);
        return Chunk{first, next};
    }
    void count(bool changed, std::uint64_t times = 1) {
        (changed ? done.changed : done.as_it_was) += times;
        if (options.progress) options.progress(done.changed + done.as_it_was, plan.users);
    }

    reactor::World& world;
    const Plan& plan;
    AccountOptions options;
    BotNumber next = 0;
    bool failed = false;  // A worker gave up.
    AccountsDone done;
};

/// `worker(batch)` so many times at once; the first failure ends the others at their next chunk.
reactor::Deferred<AccountsDone> in_parallel(reactor::World& world, const Plan& plan,
                                            AccountOptions options,
                                            reactor::Deferred<void> (*worker)(Batch&));

reactor::Deferred<void> create_by_parleyctl(Batch& batch);
reactor::Deferred<void> remove_by_parleyctl(Batch& batch);
reactor::Deferred<void> create_in_band(Batch& batch);
reactor::Deferred<void> remove_in_band(Batch& batch);
reactor::Deferred<void> run_command(Batch& batch);

}  // namespace bots
