#include "reactor/sim/sim_pool.h"

#include "reactor/buggify.h"
#include "reactor/sim/sim_world.h"

namespace reactor {

void SimEvents::at(base::MonotonicTime time, base::UniqueFunction<void()> call) {
    calls_.emplace(time, std::move(call));
}

std::optional<base::MonotonicTime> SimEvents::next() const noexcept {
    if (calls_.empty()) return std::nullopt;
    return calls_.begin()->first;
}

bool SimEvents::run_one(base::MonotonicTime now) {
    if (calls_.empty() || calls_.begin()->first > now) return false;
    auto node = calls_.extract(calls_.begin());
    node.mapped()();
    return true;
}

void SimEvents::clear() noexcept {
    calls_.clear();
}

SimPool::SimPool(const BlockingPoolOptions& options, Times times, const Clock& clock,
                 SimEvents& events, std::uint64_t seed, std::uint64_t stream)
    : options_(options),
      times_(times),
      clock_(clock),
      events_(events),
      chance_(std::make_unique<SeededEntropy>(seed, stream)) {}

bool SimPool::submit(WorkClass work_class, base::UniqueFunction<void()> job) {
    Lane& lane = lanes_[static_cast<std::size_t>(work_class)];
    const WorkClassOptions& limits = options_.of(work_class);
    if (closed_ || buggify(16)) return false;
    if (lane.running < limits.threads) {
        begin(work_class, std::move(job));
        return true;
    }
    if (lane.waiting.size() >= limits.queued_max) return false;
    lane.waiting.push_back(std::move(job));
    return true;
}

void SimPool::begin(WorkClass work_class, base::UniqueFunction<void()> job) {
    ++lanes_[static_cast<std::size_t>(work_class)].running;
    const auto span = static_cast<std::uint64_t>((times_.job_max - times_.job_min).count()) + 1;
    const base::Duration takes =
        times_.job_min + base::Duration(static_cast<std::int64_t>(chance_->jitter() % span));
    events_.at(clock_.monotonic() + takes,
               [this, work_class, job = std::move(job)]() mutable { end(work_class, job); });
}

void SimPool::end(WorkClass work_class, base::UniqueFunction<void()>& job) {
    job();
    Lane& lane = lanes_[static_cast<std::size_t>(work_class)];
    --lane.running;
    if (lane.waiting.empty()) return;
    auto next = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    begin(work_class, std::move(next));
}

}  // namespace reactor
