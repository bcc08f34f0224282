#include "reactor/monitor/loop_monitor.h"

#include "reactor/world.h"

namespace reactor {

LoopMonitor::LoopMonitor(Reactor& reactor, const Clock& clock, const LoopMonitorOptions& options)
    : reactor_(reactor), clock_(clock), options_(options) {
    reactor_.set_monitor(this);
    if (options_.lag_interval > base::Duration::zero()) reactor_.arm(probe_, options_.lag_interval);
}

LoopMonitor::~LoopMonitor() {
    reactor_.set_monitor(nullptr);
}

void LoopMonitor::turn_begins(base::MonotonicTime now) noexcept {
    steps_before_ = reactor_.statistics().steps;
    began_.store(now.nanoseconds, std::memory_order_release);
}

void LoopMonitor::turn_ended() noexcept {
    const base::MonotonicTime began{began_.load(std::memory_order_relaxed)};
    began_.store(0, std::memory_order_release);
    if (began == base::MonotonicTime{}) return;  // Made inside the turn that ends.
    const base::Duration took = clock_.monotonic() - began;
    turns_.add(took);
    if (took < options_.stall_threshold) return;
    ++stalls_;
    reactor_.log().warn("reactor.stall", {{"loop", options_.name},
                                          {"took_us", took.count() / 1000},
                                          {"steps", reactor_.statistics().steps - steps_before_}});
}

// By the clock and not by the turn's time: what ran earlier in this turn counts.
void LoopMonitor::on_probe() {
    lag_.add(clock_.monotonic() - probe_.deadline());
    reactor_.arm(probe_, options_.lag_interval);
}

}  // namespace reactor
