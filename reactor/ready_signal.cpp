#include "reactor/ready_signal.h"

#include <utility>

namespace reactor {

ReadySignal::~ReadySignal() {
    if (gone_ != nullptr) *gone_ = true;
}

void ReadySignal::disarm(Interest interest) noexcept {
    armed_ &= static_cast<std::uint8_t>(~bit(interest));
    owed_ &= static_cast<std::uint8_t>(~bit(interest));
}

void ReadySignal::reset() noexcept {
    // Whoever is delivering may not look at us again: by then we may belong to another shard.
    if (gone_ != nullptr) *std::exchange(gone_, nullptr) = true;
    withdraw();
    owed_ = 0;
    armed_ = 0;
    observer_ = nullptr;
}

void ReadySignal::owe(Interest interest, ReadyQueue& queue) noexcept {
    if (!armed(interest)) return;
    owed_ |= bit(interest);
    if (!queued()) queue.push(*this);
}

bool ReadySignal::deliver(Interest interest) {
    owed_ &= static_cast<std::uint8_t>(~bit(interest));
    if (!armed(interest)) return true;
    armed_ &= static_cast<std::uint8_t>(~bit(interest));
    if (observer_ == nullptr) return true;
    bool gone = false;
    bool* const outer = std::exchange(gone_, &gone);
    observer_->on_ready(interest);
    if (gone) {
        if (outer != nullptr) *outer = true;
        return false;
    }
    gone_ = outer;
    return true;
}

void ReadySignal::run() {
    const std::uint8_t owed = std::exchange(owed_, std::uint8_t{0});
    for (const Interest interest : {Interest::readable, Interest::writable}) {
        if ((owed & bit(interest)) == 0) continue;
        if (!deliver(interest)) return;
    }
}

}  // namespace reactor
