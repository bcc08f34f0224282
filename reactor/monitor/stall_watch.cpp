// StallWatch of loop_monitor.h: the thread that looks at a turn from outside.
#include "reactor/monitor/loop_monitor.h"
#include "reactor/world.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace reactor {

struct StallWatch::Impl {
    Impl(const LoopMonitor& its_monitor, const Clock& its_clock, base::Log its_log,
         base::Duration its_threshold)
        : monitor(its_monitor), clock(its_clock), log(its_log), threshold(its_threshold) {}

    void watch() {
        std::int64_t reported = 0;
        std::unique_lock lock(mutex);
        while (!wakeup.wait_for(lock, threshold / 4, [this] { return stopping; })) {
            const std::int64_t began = monitor.turn_began_nanoseconds();
            if (began == 0 || began == reported) continue;
            const base::Duration so_far = clock.monotonic() - base::MonotonicTime{began};
            if (so_far < threshold) continue;
            reported = began;
            log.error("reactor.stalled",
                      {{"loop", monitor.name()}, {"so_far_us", so_far.count() / 1000}});
        }
    }

    const LoopMonitor& monitor;
    const Clock& clock;
    base::Log log;
    base::Duration threshold;
    std::mutex mutex;
    std::condition_variable wakeup;
    bool stopping = false;
    std::thread thread;
};

StallWatch::StallWatch(const LoopMonitor& monitor, const Clock& clock, base::Log log,
                       base::Duration threshold)
    : impl_(std::make_unique<Impl>(monitor, clock, log, threshold)) {
    impl_->thread = std::thread([impl = impl_.get()] { impl->watch(); });
}

StallWatch::~StallWatch() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->wakeup.notify_one();
    impl_->thread.join();
}

}  // namespace reactor
