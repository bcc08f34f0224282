#include "reactor/sim/sim_shards.h"

#include "reactor/base/check.h"

#include <numeric>
#include <utility>

namespace reactor {

class SimShards::Shard final : public Inbox {
public:
    Shard(SimShards& shards, ShardId id, const SimOptions& options, std::uint64_t stream,
          Clock& clock)
        : reactor(clock, options.log),
          entropy(options.seed, stream),
          world{clock, reactor, network, entropy, shards.pool_, shards, options.log},
          shards_(shards),
          id_(id) {
        reactor.set_inbox(this);
    }

    void drain() override { shards_.deliver(id_); }
    bool empty() const noexcept override { return !shards_.has_mail(id_); }

    Reactor reactor;
    SeededEntropy entropy;
    LateNetwork network;
    World world;

private:
    SimShards& shards_;
    ShardId id_;
};

SimShards::SimShards(const SimOptions& options, std::uint64_t node, ShardId count, Clock& clock,
                     SimEvents& events, Entropy& chance,
                     const SimWorld::NetworkFactory& make_network)
    : chance_(chance),
      pool_(options.pool, {options.job_time_min, options.job_time_max}, clock, events, options.seed,
            node << 32 | 0xFFFF'FFFF),
      pairs_(std::size_t{count} * count) {
    CHECK(count > 0);
    for (ShardId id = 0; id < count; ++id)
        shards_.push_back(
            std::make_unique<Shard>(*this, id, options, node << 32 | (id + 1), clock));
    for (auto& shard : shards_)
        if (make_network) shard->network.become(make_network(shard->world));
}

SimShards::~SimShards() {
    pool_.close();
    for (auto& shard : shards_)
        shard->reactor.set_inbox(nullptr);
}

ShardId SimShards::count() const noexcept {
    return static_cast<ShardId>(shards_.size());
}

ShardId SimShards::current() const noexcept {
    const Reactor* running = &Reactor::current();
    ShardId id = 0;
    while (id < count() && &shards_[id]->reactor != running)
        ++id;
    CHECK(id < count());
    return id;
}

World& SimShards::world(ShardId id) noexcept {
    CHECK(id < count());
    return shards_[id]->world;
}

bool SimShards::post(ShardId target, base::UniqueFunction<void()>&& call) {
    Reactor& reactor = world(target).reactor;
    if (!Reactor::has_current()) {
        reactor.post(std::move(call));
        return true;
    }
    const ShardId from = current();
    if (from == target) {
        reactor.soon(std::move(call));
        return true;
    }
    Mail& mail = pair(from, target).calls;
    if (mail.size() >= kMailboxMax) return false;
    mail.push_back(std::move(call));
    return true;
}

LostMail SimShards::lose_mail() {
    LostMail lost;
    for (Pair& pair : pairs_)
        for (Mail* mail : {&pair.calls, &pair.answers})
            for (auto& call : std::exchange(*mail, {}))
                lost.push_back(std::move(call));
    return lost;
}

LostMail lose_mail(Shards& shards) {
    return static_cast<SimShards&>(shards).lose_mail();
}

bool SimShards::has_mail(ShardId to) const noexcept {
    for (ShardId from = 0; from < count(); ++from) {
        const Pair& mail = pairs_[from * count() + to];
        if (!mail.calls.empty() || !mail.answers.empty()) return true;
    }
    return false;
}

// Some of the mail, from the senders in random order: what stays behind is late.
void SimShards::deliver(ShardId to) {
    std::vector<Mail*> boxes;
    for (ShardId from = 0; from < count(); ++from) {
        for (Mail* mail : {&pair(from, to).calls, &pair(from, to).answers})
            if (!mail->empty()) boxes.push_back(mail);
    }
    for (std::size_t left = boxes.size(); left > 0; --left) {
        std::swap(boxes[left - 1], boxes[chance_.jitter() % left]);
        Mail& mail = *boxes[left - 1];
        for (std::uint64_t some = 1 + chance_.jitter() % mail.size(); some > 0; --some) {
            auto call = std::move(mail.front());
            mail.pop_front();
            call();
        }
    }
}

bool SimShards::reserve_answer(ShardId target) {
    std::uint32_t& outstanding = pair(current(), target).outstanding;
    if (outstanding == kMailboxMax) return false;
    ++outstanding;
    return true;
}

void SimShards::release_answer(ShardId target) noexcept {
    --pair(current(), target).outstanding;
}

void SimShards::post_answer(ShardId asker, base::UniqueFunction<void()> call) {
    const ShardId from = current();
    if (from == asker) {
        world(asker).reactor.soon(std::move(call));
    } else {
        pair(from, asker).answers.push_back(std::move(call));
    }
}

}  // namespace reactor
