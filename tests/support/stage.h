// Stage: where ScriptedClients live and how their test waits: on virtual time beside a simulated
// server, or on real time against a server that listens on real sockets. Single-threaded; a call
// that waits runs the loop.
#pragma once

#include "reactor/network.h"
#include "reactor/reactor.h"
#include "reactor/sim/sim_network.h"
#include "reactor/sim/sim_world.h"
#include "reactor/world.h"

#include <functional>
#include <memory>
#include <string>

namespace server::test {

class Stage {
public:
    Stage() = default;
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    virtual ~Stage() = default;

    /// The shard that clients live on.
    virtual reactor::World& world() = 0;
    /// For one client. `address`: where its connections come from; without effect in real time.
    virtual std::unique_ptr<reactor::Network> network(std::string address) = 0;
    /// Runs until `done()` or until `limit` has passed (false).
    virtual bool run_until(const std::function<bool()>& done, base::Duration limit) = 0;

    void pass(base::Duration time) {
        run_until([] { return false; }, time);
    }
    /// Calls `function()` as if in a turn of the clients' shard.
    template <class Function>
    auto on(Function function) {
        const reactor::Reactor::Scope scope(world().reactor);
        return function();
    }
};

/// References must outlive the stage.
class SimStage final : public Stage {
public:
    SimStage(reactor::SimWorld& sim, reactor::World& world, reactor::SimInternet& internet)
        : sim_(sim), world_(world), internet_(internet) {}

    reactor::World& world() override { return world_; }
    std::unique_ptr<reactor::Network> network(std::string address) override;
    bool run_until(const std::function<bool()>& done, base::Duration limit) override;

private:
    reactor::SimWorld& sim_;
    reactor::World& world_;
    reactor::SimInternet& internet_;
};

/// Its own loop in the calling thread, on the kernel's clock and sockets.
class RealStage final : public Stage {
public:
    RealStage();
    ~RealStage() override;

    reactor::World& world() override;
    std::unique_ptr<reactor::Network> network(std::string address) override;
    bool run_until(const std::function<bool()>& done, base::Duration limit) override;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace server::test
