// Lanes: where a database's blocking work runs. Real ones are threads (lanes.cpp is the only file
// of storage/ that starts any); the other kind runs on the shard's own thread at the end of its
// turn, so that the simulator and unit tests are deterministic.
#pragma once

#include "reactor/base/result.h"
#include "reactor/base/unique_function.h"

#include <cstdint>
#include <memory>
#include <string>

namespace storage {

class Faults;

class Lane {
public:
    Lane() = default;
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;
    /// Stopped before.
    virtual ~Lane() = default;

    /// Makes a worker call the work function soon. From any thread; cheap when one is awake
    /// already.
    virtual void wake() = 0;
    /// Calls the work function a last time, waits for running calls, ends the workers. Idempotent.
    virtual void stop() = 0;
};

/// Does all there is to do; called by several workers at once, each with its number.
using LaneWork = base::UniqueFunction<void(std::uint32_t worker) const>;

/// `name` is what ps and debuggers show (at most 15 characters). Signals are blocked on the
/// threads. Errors: resource_exhausted.
base::Result<std::unique_ptr<Lane>> make_thread_lane(std::string name, std::uint32_t workers,
                                                     LaneWork work);

/// Works on the thread that wakes it: at the end of the running turn, or after the delay of
/// `faults` (may be null).
std::unique_ptr<Lane> make_turn_lane(const Faults* faults, LaneWork work);

}  // namespace storage
