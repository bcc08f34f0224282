#include "server/routing/outbox.h"

#include "server/routing/router.h"

#include <algorithm>
#include <chrono>

namespace server {
namespace {
// A full mailbox empties within a turn of its shard; a tick is the shortest useful wait.
constexpr base::Duration kRetryDelay = std::chrono::milliseconds(1);
}  // namespace

Outbox::Outbox(reactor::World& world, Arrive arrive)
    : world_(world), arrive_(std::move(arrive)), batches_(world.shards.count()),
      retry_([this] { flush(); }) {}

bool Outbox::add(reactor::ShardId target, xmpp::Stanza& stanza) {
    if (waiting_ >= kWaitingMax) return false;
    batches_[target].push_back(std::move(stanza));
    ++waiting_;
    if (!congested_) world_.reactor.at_turn_end(*this);
    return true;
}

void Outbox::flush() {
    bool full = false;
    for (reactor::ShardId target = 0; target < batches_.size(); ++target) {
        std::vector<xmpp::Stanza>& waiting = batches_[target];
        if (waiting.empty()) continue;
        const std::size_t count = waiting.size();
        // The batch must survive a refused post, which destroys the call: keep it outside.
        auto batch = std::make_unique<std::vector<xmpp::Stanza>>(std::exchange(waiting, {}));
        std::vector<xmpp::Stanza>* carried = batch.get();
        const bool posted = world_.shards.post(target, [this, target, carried] {
            const std::unique_ptr<std::vector<xmpp::Stanza>> arrived(carried);
            arrive_(target, std::move(*arrived));
        });
        if (posted) {
            static_cast<void>(batch.release());
            waiting_ -= count;
        } else {
            waiting = std::move(*batch);
            full = true;
        }
    }
    congested_ = full;
    if (full) {
        world_.reactor.arm(retry_, kRetryDelay);
        return;
    }
    for (CongestionObserver* observer : std::exchange(observers_, {})) observer->on_uncongested();
}

void Outbox::wait(CongestionObserver& observer) {
    if (std::ranges::find(observers_, &observer) == observers_.end())
        observers_.push_back(&observer);
}

void Outbox::withdraw(CongestionObserver& observer) { std::erase(observers_, &observer); }

}  // namespace server
