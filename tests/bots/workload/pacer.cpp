#include "tests/bots/workload/pacer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace bots {
namespace {

using namespace std::chrono_literals;

/// Wake-ups are at least so far apart: events closer together go out together.
constexpr base::Duration kGapMin = 50us;
constexpr base::Duration kRetryAfter = 1ms;

}  // namespace

Pacer::Pacer(Parts parts, Send send, GiveUp give_up)
    : world_(parts.world),
      turns_(parts.turns),
      per_second_(parts.per_second),
      grace_(parts.grace),
      send_(std::move(send)),
      give_up_(std::move(give_up)),
      alarm_(parts.make_alarm(parts.world, [this] { wake(); })) {}

reactor::Deferred<void> Pacer::run(RunTimes times) {
    if (turns_.own_lanes() == 0) return reactor::sleep(world_.reactor, times.end - times.start);
    loop_.emplace(times.start, per_second_);
    end_ = times.end;
    promise_.emplace();
    auto result = promise_->deferred([this] { alarm_->cancel(); });
    alarm_->set(times.start);
    return result;
}

void Pacer::wake() {
    for (int sent = 0; sent < kBatchMax; ++sent) {
        const Turns::Turn turn = turns_.turn(next_);
        const base::MonotonicTime due = loop_->due(turn.index);
        const base::MonotonicTime now = world_.clock.monotonic();
        if (due >= end_) {
            if (now >= end_) return done();
            return alarm_->set(end_);
        }
        if (due > now) return alarm_->set(std::max(due, now + kGapMin));
        if (now >= end_ + grace_) {
            give_up_(turn, due);
        } else if (send_(turn, due) == Sent::later) {
            return alarm_->set(now + kRetryAfter);
        }
        ++next_;
    }
    alarm_->set(world_.clock.monotonic());
}

void Pacer::done() {
    std::exchange(promise_, std::nullopt)->resolve();
}

}  // namespace bots
