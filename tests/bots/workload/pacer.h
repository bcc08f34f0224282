// Pacer: sends what an open loop has due, on this shard, at the time it is due. What it could not
// send in time it sends later, still with the time at which it was due, so that a stall of the
// server shows in every latency that it spoiled (no coordinated omission).
#pragma once

#include "reactor/deferred.h"
#include "tests/bots/run/alarm.h"
#include "tests/bots/workload/schedule.h"
#include "tests/bots/workload/workload.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace bots {

class Pacer {
public:
    /// Events of one wake-up; then the loop gets its turn.
    static constexpr int kBatchMax = 256;

    enum class Sent : std::uint8_t {
        yes,
        later,  ///< The sender cannot take more now: ask again.
    };
    using Send = base::UniqueFunction<Sent(const Turns::Turn& turn, base::MonotonicTime intended)>;
    /// What was due and will not be sent.
    using GiveUp = base::UniqueFunction<void(const Turns::Turn& turn, base::MonotonicTime)>;

    struct Parts {
        reactor::World& world;
        const MakeAlarm& make_alarm;
        std::uint64_t per_second;  ///< On all shards.
        Turns turns;
        base::Duration grace;  ///< After the end, for what is late.
    };
    Pacer(Parts parts, Send send, GiveUp give_up);
    Pacer(const Pacer&) = delete;
    Pacer& operator=(const Pacer&) = delete;

    /// Settles when all that is due before `times.end` was sent or given up. Cancelling stops the
    /// loop: nothing more is due. Once.
    reactor::Deferred<void> run(RunTimes times);

private:
    void wake();
    void done();

    reactor::World& world_;
    Turns turns_;
    std::uint64_t per_second_;
    base::Duration grace_;
    Send send_;
    GiveUp give_up_;
    std::unique_ptr<Alarm> alarm_;
    std::optional<OpenLoop> loop_;
    base::MonotonicTime end_;
    std::uint64_t next_ = 0;
    std::optional<reactor::Promise<void>> promise_;
};

}  // namespace bots
