// SimFaults: what goes wrong in a simulation, by its seed. Each seed has some kinds of faults and
// not others (a swarm), because a run in which everything happens shows less than many in which few
// things do. Then there is peace: `calm` mends everything, and what must come right in the end can
// be asked for. A failing run is told by `describe`, and made small by `shrink_faults`.
#pragma once

#include "reactor/base/split_mix.h"
#include "reactor/sim/sim_network.h"
#include "reactor/sim/sim_world.h"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reactor {

class SimNode;

enum class SimFault : std::uint8_t {
    reset,      ///< A machine's connections break.
    silence,    ///< A machine reaches nobody; connections stay half open.
    partition,  ///< Some machines do not reach the others.
    latency,    ///< Everything takes longer.
    narrow,     ///< Little bandwidth.
    refuse,     ///< A machine accepts no connections.
    sockets,    ///< No machine gets another socket.
    slow_pool,  ///< Jobs of the pools take long.
    clock,      ///< The wall clock jumps.
    kill,       ///< A program dies and is started again.
    power,      ///< A machine loses power, without a word to anybody.
};
inline constexpr std::size_t kSimFaults = 11;

std::string_view name_of(SimFault fault) noexcept;
/// Bits by SimFault.
using SimFaultSet = std::uint32_t;
inline constexpr SimFaultSet kAllSimFaults = (SimFaultSet{1} << kSimFaults) - 1;
constexpr SimFaultSet bit_of(SimFault fault) noexcept {
    return SimFaultSet{1} << static_cast<unsigned>(fault);
}
/// Names with commas, "none" for the empty set; and back. nullopt: there is no such name.
std::string describe(SimFaultSet set);
std::optional<SimFaultSet> parse_sim_faults(std::string_view names);
/// Those of `allowed` that the seed chooses, each with one chance in two.
SimFaultSet swarm(std::uint64_t seed, SimFaultSet allowed = kAllSimFaults);
/// Leaves out one kind after the other as long as `fails` holds: a least set that still fails.
SimFaultSet shrink_faults(SimFaultSet set, const std::function<bool(SimFaultSet)>& fails);

struct SimFaultOptions {
    std::uint64_t seed = 1;
    SimFaultSet set = kAllSimFaults;
    base::Duration every = std::chrono::seconds(3);      ///< On average, between two faults.
    base::Duration lasts_max = std::chrono::seconds(8);  ///< Of one that is mended.
    SimInternetOptions calm_internet = {};               ///< What `calm` goes back to.
    base::Duration calm_job_time_min = std::chrono::microseconds(50);
    base::Duration calm_job_time_max = std::chrono::milliseconds(5);
};

class SimFaults {
public:
    /// `nodes` have distinct addresses; all that is named must outlive this, and this the last run
    /// of `sim` after a `start`.
    SimFaults(SimWorld& sim, SimInternet& internet, std::vector<SimNode*> nodes,
              SimFaultOptions options);
    SimFaults(const SimFaults&) = delete;
    SimFaults& operator=(const SimFaults&) = delete;

    /// From now on things go wrong, until `calm`.
    void start();
    /// The liveness phase: nothing more goes wrong, what did is mended, all nodes run.
    void calm();
    /// How often each kind struck.
    std::uint32_t strikes(SimFault fault) const noexcept;
    /// "seed 42 faults reset,kill": with the commit, all that it takes to play a run again.
    std::string describe() const;

private:
    void plan_next();
    void strike(SimFault fault);
    void strike_network(SimFault fault);
    void strike_machine(SimFault fault);
    void part_some();
    void mend_later(std::function<void()> mend);
    void later(base::Duration after, std::function<void()> call);
    SimNode& some_node();
    base::Duration up_to(base::Duration most);

    SimWorld& sim_;
    SimInternet& internet_;
    std::vector<SimNode*> nodes_;
    SimFaultOptions options_;
    base::SplitMix64 numbers_;
    std::vector<SimFault> kinds_;
    std::array<std::uint32_t, kSimFaults> strikes_{};
    std::vector<std::function<void()>> mends_;  // Of what is broken now; idempotent.
    std::uint64_t phase_ = 0;                   // Events of an earlier one have no effect.
};

}  // namespace reactor
