// World: every outside effect a shard may have, passed in. Two implementations: the real one
// (reactor/real_world.h) and the simulated one (reactor/sim/sim_world.h). There is no other way to
// a clock, a random number, a socket or a thread; tests/tidy greps for it.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/log.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace reactor {

class Reactor;
class Network;
class BlockingPool;
class Shards;

class Clock {
public:
    virtual ~Clock() = default;
    virtual base::MonotonicTime monotonic() const = 0;
    virtual base::WallTime wall() const = 0;
};

/// Randomness. `secure` comes from the kernel's CSPRNG (keys, nonces, ids); `jitter` is cheap and
/// for spreading load only.
class Entropy {
public:
    virtual ~Entropy() = default;
    virtual void secure(std::span<std::byte> into) = 0;
    virtual std::uint64_t jitter() = 0;

    /// `bytes` secure random bytes as URL-safe text of 4/3 the length: ids, nonces, resources.
    std::string token(std::size_t bytes = 12);
};

/// References are to objects that outlive every user of the World. One World per shard.
struct World {
    Clock& clock;  ///< For stamps; inside a turn prefer `reactor.now()`.
    Reactor& reactor;
    Network& network;
    Entropy& entropy;
    BlockingPool& blocking;
    Shards& shards;
    base::Log log;
};

}  // namespace reactor
