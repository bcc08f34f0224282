// Faults: what goes wrong in a simulated run, drawn from its seed. Each seed has some kinds of
// faults, and some of them often: a run in which everything happens shows less than many in which
// few things do.
#pragma once

#include "reactor/base/clock.h"
#include "tests/sim/chance.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sim {

enum class FaultKind : std::uint8_t {
    reset,      ///< A phone's connection breaks.
    silence,    ///< Nothing passes between a phone, or the server, and anybody; later it does.
    latency,    ///< Everything takes longer for a while.
    write,      ///< The database refuses a write, or the disk the next one of it.
    commit,     ///< A commit fails, by the database's word or the disk's.
    read,       ///< The database refuses to read.
    slow_disk,  ///< Answers of the database take a while.
    full_disk,  ///< No more bytes find room for a while.
    restart,    ///< An orderly restart of the server.
    kill,       ///< The server's process dies.
    power,      ///< The machine's power goes: what the disk had not synced is lost or torn.
    clock,      ///< The wall clock jumps.
};
inline constexpr std::size_t kFaultKinds = 12;

std::string_view name_of(FaultKind kind);
/// Bits by FaultKind. Names with commas; "all", "none". nullopt: there is no such name.
using FaultSet = std::uint32_t;
inline constexpr FaultSet kAllFaults = (FaultSet{1} << kFaultKinds) - 1;
std::optional<FaultSet> parse_faults(std::string_view names);
inline bool contains(FaultSet set, FaultKind kind) {
    return (set >> static_cast<unsigned>(kind) & 1U) != 0;
}

struct Fault {
    base::Duration after;  ///< The start of the run.
    FaultKind kind = FaultKind::reset;
    base::Duration lasts{};
    std::uint64_t draw = 0;  ///< For what else there is to choose.
};

/// In order of time. Of the kinds in `allowed` each is in it or not, as the seed will have it.
std::vector<Fault> plan_faults(Chance& chance, FaultSet allowed, base::Duration time);

}  // namespace sim
