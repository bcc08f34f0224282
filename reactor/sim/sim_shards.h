// SimShards: the shards of one simulated machine, with mailboxes whose delivery order is drawn from
// the seed (first in, first out per pair, as in reality). Internal to SimWorld.
#pragma once

#include "reactor/late_network.h"
#include "reactor/shards.h"
#include "reactor/sim/lost_mail.h"
#include "reactor/sim/sim_pool.h"
#include "reactor/sim/sim_world.h"

#include <deque>
#include <memory>
#include <vector>

namespace reactor {

class SimShards final : public Shards {
public:
    /// `chance` decides deliveries and must outlive this, like `clock` and `events`.
    SimShards(const SimOptions& options, std::uint64_t node, ShardId count, Clock& clock,
              SimEvents& events, Entropy& chance, const SimWorld::NetworkFactory& make_network);
    ~SimShards() override;

    ShardId count() const noexcept override;
    ShardId current() const noexcept override;
    World& world(ShardId id) noexcept override;
    void set_job_times(base::Duration least, base::Duration most) noexcept {
        pool_.set_times({least, most});
    }
    [[nodiscard]] bool post(ShardId target, base::UniqueFunction<void()>&& call) override;
    /// See lost_mail.h.
    LostMail lose_mail();

private:
    class Shard;
    using Mail = std::deque<base::UniqueFunction<void()>>;
    struct Pair {
        Mail calls;
        Mail answers;
        std::uint32_t outstanding = 0;
    };

    Pair& pair(ShardId from, ShardId to) noexcept { return pairs_[from * count() + to]; }
    bool has_mail(ShardId to) const noexcept;
    void deliver(ShardId to);
    bool reserve_answer(ShardId target) override;
    void release_answer(ShardId target) noexcept override;
    void post_answer(ShardId asker, base::UniqueFunction<void()> call) override;

    Entropy& chance_;
    SimPool pool_;
    std::vector<Pair> pairs_;
    std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace reactor
