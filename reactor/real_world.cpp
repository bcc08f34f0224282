#include "reactor/real_world.h"

#include "reactor/base/check.h"
#include "reactor/late_network.h"
#include "reactor/mailboxes.h"

#include <pthread.h>
#include <sys/random.h>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>

namespace reactor {

namespace {

std::int64_t nanoseconds_of(clockid_t which) {
    timespec time{};
    clock_gettime(which, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void fill_from_kernel(std::span<std::byte> into) {
    while (!into.empty()) {
        const ssize_t count = getrandom(into.data(), into.size(), 0);
        if (count < 0) {
            CHECK(errno == EINTR);  // Without randomness there is no security to go on with.
            continue;
        }
        into = into.subspan(static_cast<std::size_t>(count));
    }
}

std::uint64_t rotate_left(std::uint64_t value, int count) {
    return value << count | value >> (64 - count);
}

void pin_to_cpu(ShardId id) {
    const unsigned cpus = std::thread::hardware_concurrency();
    if (cpus == 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(id % cpus, &set);
    // A CPU that is forbidden to us (a container's limits) leaves the thread where it may run.
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

}  // namespace

base::MonotonicTime RealClock::monotonic() const {
    return {nanoseconds_of(CLOCK_MONOTONIC)};
}
base::WallTime RealClock::wall() const {
    return {nanoseconds_of(CLOCK_REALTIME) / 1000};
}

RealEntropy::RealEntropy() : block_{}, used_(block_.size()), state_{} {
    fill_from_kernel(std::as_writable_bytes(std::span(state_)));
    state_[0] |= 1;  // xoshiro's state must not be all zero.
}

RealEntropy::~RealEntropy() {
    explicit_bzero(block_.data(), block_.size());
}

void RealEntropy::secure(std::span<std::byte> into) {
    if (into.size() > block_.size()) {
        fill_from_kernel(into);
        return;
    }
    if (into.size() > block_.size() - used_) {
        fill_from_kernel(block_);
        used_ = 0;
    }
    if (into.empty()) return;
    std::memcpy(into.data(), block_.data() + used_, into.size());
    explicit_bzero(block_.data() + used_, into.size());
    used_ += into.size();
}

// xoshiro256** (Blackman and Vigna).
std::uint64_t RealEntropy::jitter() {
    const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate_left(state_[3], 45);
    return result;
}

struct RealShards::Shard {
    Shard(RealShards& shards, const base::Log& log)
        : reactor(shards.clock_, log),
          world{shards.clock_, reactor, network, entropy, shards.pool_, shards, log} {}

    Reactor reactor;
    RealEntropy entropy;
    LateNetwork network;
    World world;
};

RealShards::RealShards(const RealShardsOptions& options, base::Log log,
                       const NetworkFactory& make_network)
    : pool_(options.pool),
      pin_(options.pin),
      mailboxes_(std::make_unique<Mailboxes>(options.count)) {
    CHECK(options.count > 0);
    for (ShardId id = 0; id < options.count; ++id) {
        Shard& shard = *shards_.emplace_back(std::make_unique<Shard>(*this, log));
        shard.reactor.set_inbox(&mailboxes_->inbox(id));
        if (make_network) shard.network.become(make_network(shard.world));
    }
}

// Late answers of the pool go to the reactors' queues; mail may be sent to the very end.
RealShards::~RealShards() {
    pool_.close();
}

void RealShards::run(const std::function<void(ShardId)>& start,
                     const std::function<void(ShardId)>& finish) {
    std::vector<std::thread> threads;
    for (ShardId id = 1; id < count(); ++id) {
        threads.emplace_back([this, id, &start, &finish] { run_shard(id, start, finish); });
        pthread_setname_np(threads.back().native_handle(), ("shard-" + std::to_string(id)).c_str());
    }
    run_shard(0, start, finish);
    for (std::thread& thread : threads)
        thread.join();
}

void RealShards::run_shard(ShardId id, const std::function<void(ShardId)>& start,
                           const std::function<void(ShardId)>& finish) {
    if (pin_) pin_to_cpu(id);
    Reactor& reactor = shards_[id]->reactor;
    const Reactor::Scope scope(reactor);
    reactor.soon([&start, id] { start(id); });
    reactor.run();
    finish(id);
}

void RealShards::stop() {
    for (auto& shard : shards_)
        shard->reactor.stop();
}

ShardId RealShards::count() const noexcept {
    return static_cast<ShardId>(shards_.size());
}

std::optional<ShardId> RealShards::current_or_none() const noexcept {
    if (!Reactor::has_current()) return std::nullopt;
    const Reactor* running = &Reactor::current();
    for (ShardId id = 0; id < count(); ++id)
        if (&shards_[id]->reactor == running) return id;
    return std::nullopt;
}

ShardId RealShards::current() const noexcept {
    const std::optional<ShardId> id = current_or_none();
    CHECK(id);
    return *id;
}

World& RealShards::world(ShardId id) noexcept {
    CHECK(id < count());
    return shards_[id]->world;
}

bool RealShards::post(ShardId target, base::UniqueFunction<void()>&& call) {
    CHECK(target < count());
    Reactor& reactor = shards_[target]->reactor;
    const std::optional<ShardId> from = current_or_none();
    if (!from) {
        reactor.post(std::move(call));
        return true;
    }
    if (*from == target) {
        reactor.soon(std::move(call));
        return true;
    }
    if (!mailboxes_->calls(*from, target).push(call)) return false;
    reactor.ring();
    return true;
}

bool RealShards::reserve_answer(ShardId target) {
    std::uint32_t& outstanding = mailboxes_->outstanding(current(), target);
    if (outstanding == kMailboxMax) return false;
    ++outstanding;
    return true;
}

void RealShards::release_answer(ShardId target) noexcept {
    --mailboxes_->outstanding(current(), target);
}

void RealShards::post_answer(ShardId asker, base::UniqueFunction<void()> call) {
    const ShardId from = current();
    Reactor& reactor = shards_[asker]->reactor;
    if (from == asker) {
        reactor.soon(std::move(call));
        return;
    }
    CHECK(mailboxes_->answers(from, asker).push(call));
    reactor.ring();
}

}  // namespace reactor
