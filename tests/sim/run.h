// A simulated run: the whole server and a crowd of phones on virtual time, faults by the seed, then
// peace, in which everything must come right, and what must be true in the end.
#pragma once

#include "server/config/config.h"
#include "tests/sim/faults.h"
#include "tests/sim/message_log.h"
#include "tests/support/room_book.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace server::test {
class ServerHarness;
}

namespace sim {

struct RunOptions {
    std::uint64_t seed = 1;
    unsigned accounts = 8;
    base::Duration time = std::chrono::minutes(2);  ///< With faults.
    FaultSet faults = kAllFaults;
    unsigned shards = 0;  ///< 0: by the seed, 1 to 3.
    unsigned rooms = 0;   ///< With visitors of their own.
    bool prints = false;  ///< Every event, to standard output.
    /// The configuration of the server from the one that the seed chose. Like the next, for tests
    /// that break the server to see that it is found out.
    std::function<server::Config(server::Config)> configure = {};
    /// Called whenever the server has been started.
    std::function<void(server::test::ServerHarness&)> sabotage = {};
    /// Called before the server goes for good.
    std::function<void()> stopping = {};
};

struct RunReport {
    std::uint64_t hash = 0;  ///< Of all that was seen; equal for equal options.
    std::vector<std::string> violations;
    MessageLog::Totals totals;
    test::RoomBook::Totals rooms;
    double virtual_seconds = 0;
    std::uint64_t turns = 0;
    std::vector<Fault> faults;
};

/// Seeds OpenSSL for the whole process. Never throws; what goes wrong is a violation.
RunReport run(const RunOptions& options);

}  // namespace sim
