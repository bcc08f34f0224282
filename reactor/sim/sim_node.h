// SimNode: a machine of the simulation with one program, that can be started, killed, cut off from
// power and started again. The program is a function over the machine's World; what it holds dies
// with it. Nothing stays on the machine but what the test keeps for it (a simulated disk).
#pragma once

#include "reactor/deferred.h"
#include "reactor/sim/sim_network.h"
#include "reactor/sim/sim_world.h"

#include <functional>
#include <optional>
#include <string>

namespace reactor {

class SimNode {
public:
    /// Runs until it is killed or settles by itself. Kept, so captures are safe.
    using Main = std::function<Deferred<void>(World&)>;

    /// A new machine of `sim` at `address`, not running. Both must outlive it; at most one node per
    /// address.
    SimNode(SimWorld& sim, SimInternet& internet, std::string address, Main main);
    SimNode(const SimNode&) = delete;
    SimNode& operator=(const SimNode&) = delete;
    ~SimNode();

    /// Starts the program. No effect while it runs.
    void start();
    /// As kill -9: the program is gone at once, and the kernel ends its connections.
    void kill();
    /// The same, and nobody is told: connections to it stay half open until it is back.
    void lose_power();

    /// Started, and the program has not settled.
    bool running() const noexcept { return work_ && !work_->settled(); }
    /// What the program ended with, when it settled by itself.
    std::optional<base::Result<void>> take_result();
    World& world() noexcept { return sim_.world(0, number_); }
    const std::string& address() const noexcept { return address_; }
    std::uint32_t starts() const noexcept { return starts_; }

private:
    void end_program();

    SimWorld& sim_;
    SimInternet& internet_;
    const std::string address_;
    const Main main_;
    const std::size_t number_;
    std::optional<Deferred<void>> work_;
    std::uint32_t starts_ = 0;
    bool without_power_ = false;
};

}  // namespace reactor
