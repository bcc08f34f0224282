// SimSpawner: children of the simulated world. A program is a function over a SimChild, which runs
// on the parent's shard: it reads and writes its ends of the pipes, hears signals, and exits when
// its script says so. No pid, descriptor or clock of the machine is touched.
#pragma once

#include "reactor/base/unique_function.h"
#include "reactor/process/process.h"

#include <memory>
#include <vector>

namespace reactor {

struct World;

/// The child's side. Lives as long as its spawner.
class SimChild {
public:
    virtual ~SimChild() = default;
    virtual const ProcessSpec& spec() const noexcept = 0;
    virtual std::int64_t pid() const noexcept = 0;
    /// Its end of the pipe that the spec puts there. CHECKs that there is one and it is alive.
    virtual ByteStream& stream(int child_fd) = 0;
    /// True: the signal was dealt with. Otherwise, or without a function, it dies of it, if the
    /// kernel's processes do. SIGKILL is not asked about.
    virtual void on_signal(base::UniqueFunction<bool(int)> function) = 0;
    /// Its pipes close, unless a grandchild holds them (`hold_pipes`). No effect once over.
    virtual void exit(int code) = 0;
    virtual void die(int signal) = 0;
    virtual void hold_pipes() = 0;
    virtual bool over() const noexcept = 0;
};

class SimSpawner final : public ProcessSpawner {
public:
    /// Called once per child. A failure is the result of `spawn`.
    using Program = base::UniqueFunction<base::Result<void>(SimChild&)>;

    /// `world` must outlive it; it must outlive the Processes.
    SimSpawner(World& world, Program program);
    ~SimSpawner() override;

    base::Result<std::unique_ptr<Process>> spawn(ProcessSpec spec) override;
    /// All that were ever started, in order.
    const std::vector<std::unique_ptr<SimChild>>& children() const noexcept { return children_; }

private:
    World& world_;
    Program program_;
    std::vector<std::unique_ptr<SimChild>> children_;
};

}  // namespace reactor
