// ReadySignal: the readiness half of a ByteStream (stream.h): which interests are armed, and the
// deliveries that are owed to the observer. For the implementations of streams; not part of their
// contract. Belongs to one shard, like its stream.
#pragma once

#include "reactor/ready_queue.h"
#include "reactor/stream.h"

#include <cstdint>

namespace reactor {

class ReadySignal final : private ReadyItem {
public:
    ReadySignal() = default;
    /// Withdraws what is owed.
    ~ReadySignal();

    void set_observer(StreamObserver* observer) noexcept { observer_ = observer; }
    void arm(Interest interest) noexcept { armed_ |= bit(interest); }
    void disarm(Interest interest) noexcept;
    bool armed(Interest interest) const noexcept { return (armed_ & bit(interest)) != 0; }

    /// Has `interest` delivered by `queue`, if it is armed and still so by then.
    void owe(Interest interest, ReadyQueue& queue = ReadyQueue::current()) noexcept;
    /// Delivers now if armed; only from the loop, never inside a call on the stream. False: the
    /// observer destroyed or `reset` this object, which may be another shard's by now: don't touch.
    [[nodiscard]] bool deliver(Interest interest);
    /// No observer, nothing armed, nothing owed: as new.
    void reset() noexcept;

private:
    static std::uint8_t bit(Interest interest) noexcept {
        return interest == Interest::readable ? 1 : 2;
    }
    void run() override;

    StreamObserver* observer_ = nullptr;
    bool* gone_ = nullptr;  // Set while the observer runs.
    std::uint8_t armed_ = 0;
    std::uint8_t owed_ = 0;
};

}  // namespace reactor
