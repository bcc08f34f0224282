// SwarmHarness: a swarm on two simulated shards against the whole server on simulated ones, for
// tests of runs from end to end in virtual time.
#pragma once

#include "tests/bots/run/conductor.h"
#include "tests/bots/run/plan.h"
#include "tests/support/server_harness.h"

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace bots::test {

class SwarmHarness {
public:
    using Values = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    /// `values`: keys of the workload; users among them.
    SwarmHarness(std::string_view workload, Values values,
                 server::test::HarnessOptions options = {}, reactor::ShardId shards = 2);
    ~SwarmHarness();

    /// Makes the accounts as the operator would.
    void make_accounts();
    /// The whole run; throws when it does not end within an hour.
    RunResult run();
    /// Calls it so long after the beginning of the run.
    void during_run(base::Duration after, std::function<void()> call);

    template <class T>
    base::Result<T> wait(reactor::Deferred<T> deferred) {
        return server.wait(std::move(deferred));
    }
    template <class Function>
    auto on_bots(Function function) {
        return server.sim().on(world(), std::move(function));
    }
    reactor::World& world() { return server.sim().world(0, node_); }

    server::test::ServerHarness server;
    std::unique_ptr<Plan> plan;
    Conductor* conductor = nullptr;  ///< While `run` runs.

private:
    std::size_t node_;
};

}  // namespace bots::test
