#include "server/routing/outbox.h"

#include "server/routing/router.h"
#include "server/routing/shares.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace server {
namespace {
// A full mailbox empties within a turn of its shard; a tick is the shortest useful wait.
constexpr base::Duration kRetryDelay = std::chrono::milliseconds(1);
}  // namespace

Outbox::Outbox(reactor::World& world, Pack pack)
    : world_(world),
      pack_(std::move(pack)),
      lanes_(world.shards.count()),
      retry_([this] { flush(); }) {}

bool Outbox::add(reactor::ShardId target, RoutedStanza& routed) {
    const std::size_t bytes = memory_of(routed.stanza);
    if (waiting_ >= kWaitingMax || waiting_bytes_ + bytes > kWaitingBytesMax) return false;
    push(target, std::move(routed), bytes);
    return true;
}

void Outbox::add(reactor::ShardId target, FanOut fan_out) {
    const std::size_t bytes =
        memory_of(fan_out.shared->stanza) + fan_out.shared->xml.size();
    push(target, std::move(fan_out), bytes);
}

void Outbox::add(reactor::ShardId target, OriginReport report) {
    push(target, report, 0);
}

void Outbox::push(reactor::ShardId target, Mail mail, std::size_t bytes) {
    Lane& lane = lanes_[target];
    lane.batch.push_back(std::move(mail));
    lane.batch_bytes += bytes;
    ++waiting_;
    waiting_bytes_ += bytes;
    if (!congested_) world_.reactor.at_turn_end(*this);
}

// What was refused before goes first: order per pair of shards. False: the mailbox is full.
bool Outbox::send(reactor::ShardId target, Lane& lane) {
    for (;;) {
        if (!lane.refused) {
            if (lane.batch.empty()) return true;
            lane.refused_size = lane.batch.size();
            lane.refused_bytes = std::exchange(lane.batch_bytes, 0);
            lane.refused = pack_(target, std::exchange(lane.batch, {}));
        }
        if (!world_.shards.post(target, std::move(lane.refused))) return false;
        lane.refused = nullptr;
        waiting_ -= std::exchange(lane.refused_size, 0);
        waiting_bytes_ -= std::exchange(lane.refused_bytes, 0);
    }
}

void Outbox::flush() {
    bool full = false;
    for (reactor::ShardId target = 0; target < lanes_.size(); ++target)
        if (!send(target, lanes_[target])) full = true;
    congested_ = full;
    if (full) {
        world_.reactor.arm(retry_, kRetryDelay);
        return;
    }
    for (CongestionObserver* observer : std::exchange(observers_, {}))
        observer->on_uncongested();
}

void Outbox::wait(CongestionObserver& observer) {
    if (std::ranges::find(observers_, &observer) == observers_.end())
        observers_.push_back(&observer);
}

void Outbox::withdraw(CongestionObserver& observer) {
    std::erase(observers_, &observer);
}

}  // namespace server
