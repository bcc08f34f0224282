// LoopMonitor: how a loop is doing. How long its turns take, how late its timers come, and which
// turn was a stall. StallWatch looks from a thread of its own, so that it can tell of a turn that
// does not end.
#pragma once

#include "reactor/monitor/histogram.h"
#include "reactor/reactor.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string_view>

namespace reactor {

class Clock;

struct LoopMonitorOptions {
    std::string_view name = "loop";  ///< A literal, for the log.
    /// A longer turn is counted and logged as "reactor.stall".
    base::Duration stall_threshold = std::chrono::milliseconds(25);
    /// How often the lateness of timers is looked at; 0: not at all (a timer wakes an idle loop).
    base::Duration lag_interval = std::chrono::seconds(1);
};

/// One per Reactor, destroyed before it. Costs two clock readings a turn.
class LoopMonitor final : private TurnMonitor {
public:
    LoopMonitor(Reactor& reactor, const Clock& clock, const LoopMonitorOptions& options = {});
    LoopMonitor(const LoopMonitor&) = delete;
    LoopMonitor& operator=(const LoopMonitor&) = delete;
    ~LoopMonitor();

    const Histogram& turns() const noexcept { return turns_; }
    const Histogram& lag() const noexcept { return lag_; }
    std::uint64_t stalls() const noexcept { return stalls_; }
    std::string_view name() const noexcept { return options_.name; }

    /// From any thread: when the running turn began, by the clock; 0 between turns.
    std::int64_t turn_began_nanoseconds() const noexcept {
        return began_.load(std::memory_order_acquire);
    }

private:
    class Probe final : public Timer {
    public:
        explicit Probe(LoopMonitor& owner) noexcept : owner_(owner) {}

    private:
        void on_expired() override { owner_.on_probe(); }
        LoopMonitor& owner_;
    };

    void turn_begins(base::MonotonicTime now) noexcept override;
    void turn_ended() noexcept override;
    void on_probe();

    Reactor& reactor_;
    const Clock& clock_;
    LoopMonitorOptions options_;
    Histogram turns_;
    Histogram lag_;
    std::uint64_t stalls_ = 0;
    std::uint64_t steps_before_ = 0;
    std::atomic<std::int64_t> began_ = 0;
    Probe probe_{*this};
};

/// Logs "reactor.stalled" once for each turn that has been running for longer than `threshold`,
/// while it runs. For the real world: it has a thread.
class StallWatch {
public:
    /// `clock` is read from the watching thread. `monitor` and `log`'s sink must outlive this.
    StallWatch(const LoopMonitor& monitor, const Clock& clock, base::Log log,
               base::Duration threshold = std::chrono::milliseconds(500));
    StallWatch(const StallWatch&) = delete;
    StallWatch& operator=(const StallWatch&) = delete;
    /// Joins the thread.
    ~StallWatch();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace reactor
