#include "tests/bots/accounts/accounts.h"

#include "reactor/base/check.h"
#include "tests/bots/accounts/batch.h"

#include <vector>

namespace bots {
namespace {

reactor::Deferred<void> watched(Batch& batch, reactor::Deferred<void> (*worker)(Batch&)) {
    auto working = worker(batch);
    const auto result = co_await std::move(working);
    if (!result) batch.failed = true;
    co_return result;
}

}  // namespace

reactor::Deferred<AccountsDone> in_parallel(reactor::World& world, const Plan& plan,
                                            AccountOptions options,
                                            reactor::Deferred<void> (*worker)(Batch&)) {
    Batch batch(world, plan, std::move(options));
    std::vector<reactor::Deferred<void>> workers;
    for (std::uint32_t count = 0; count < std::min(batch.options.at_once, plan.users); ++count)
        workers.push_back(watched(batch, worker));
    base::Result<void> first;
    for (reactor::Deferred<void>& each : workers) {
        auto result = co_await std::move(each);
        if (!result && first) first = std::move(result);
    }
    if (!first) co_return first.error();
    if (batch.options.stop_wanted()) co_return base::Failure(base::Errc::cancelled);
    co_return batch.done;
}

reactor::Deferred<AccountsDone> create_accounts(reactor::World& world, const Plan& plan,
                                                AccountOptions options) {
    switch (options.source) {
        case AccountSource::parleyctl:
            return in_parallel(world, plan, std::move(options), create_by_parleyctl);
        case AccountSource::in_band:
            return in_parallel(world, plan, std::move(options), create_in_band);
        case AccountSource::command:
            return in_parallel(world, plan, std::move(options), run_command);
        case AccountSource::existing:
            return AccountsDone{};
        case AccountSource::automatic:
            break;
    }
    CHECK(false);
}

reactor::Deferred<AccountsDone> remove_accounts(reactor::World& world, const Plan& plan,
                                                AccountOptions options) {
    switch (options.source) {
        case AccountSource::parleyctl:
            return in_parallel(world, plan, std::move(options), remove_by_parleyctl);
        case AccountSource::in_band:
            return in_parallel(world, plan, std::move(options), remove_in_band);
        case AccountSource::command:
            return in_parallel(world, plan, std::move(options), run_command);
        case AccountSource::existing:
            return AccountsDone{};
        case AccountSource::automatic:
            break;
    }
    CHECK(false);
}

}  // namespace bots
