#include "reactor/sim/sim_world.h"

#include "reactor/buggify.h"
#include "reactor/sim/sim_pool.h"
#include "reactor/sim/sim_shards.h"
#include "reactor/sim/trace_hash.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace reactor {

namespace {

// Streams of the seed that are no shard's.
constexpr std::uint64_t kSchedulerStream = ~std::uint64_t{0};

std::uint64_t split_mix(std::uint64_t& state) {
    std::uint64_t value = state += 0x9E37'79B9'7F4A'7C15;
    value = (value ^ value >> 30) * 0xBF58'476D'1CE4'E5B9;
    value = (value ^ value >> 27) * 0x94D0'49BB'1331'11EB;
    return value ^ value >> 31;
}

std::array<std::uint64_t, 4> seeded(std::uint64_t seed, std::uint64_t stream, std::uint64_t kind) {
    std::uint64_t state = seed;
    std::uint64_t mixed = split_mix(state) ^ stream;
    mixed = split_mix(mixed) ^ kind;
    std::array<std::uint64_t, 4> result{};
    for (std::uint64_t& word : result)
        word = split_mix(mixed);
    return result;
}

// xoshiro256** (Blackman and Vigna).
std::uint64_t next_random(std::array<std::uint64_t, 4>& state) {
    const auto rotate = [](std::uint64_t value, int count) {
        return value << count | value >> (64 - count);
    };
    const std::uint64_t result = rotate(state[1] * 5, 7) * 9;
    const std::uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate(state[3], 45);
    return result;
}

}  // namespace

SeededEntropy::SeededEntropy(std::uint64_t seed, std::uint64_t stream) noexcept
    : secure_(seeded(seed, stream, 1)), jitter_(seeded(seed, stream, 2)) {}

void SeededEntropy::secure(std::span<std::byte> into) {
    while (!into.empty()) {
        const std::uint64_t word = next_random(secure_);
        const std::size_t count = std::min(into.size(), sizeof word);
        std::memcpy(into.data(), &word, count);
        into = into.subspan(count);
    }
}

std::uint64_t SeededEntropy::jitter() {
    return next_random(jitter_);
}

struct SimWorld::Impl {
    explicit Impl(const SimOptions& its_options)
        : options(its_options),
          clock(its_options.wall_start),
          chance(its_options.seed, kSchedulerStream),
          rare(its_options.seed) {}

    enum class Turn : std::uint8_t { none, ran, limit };

    Turn turn();
    std::optional<base::MonotonicTime> next_time() const;
    void pass_to(base::MonotonicTime time);
    bool run(base::MonotonicTime end, const std::function<bool()>* done, bool until_idle);

    SimOptions options;
    VirtualClock clock;
    SeededEntropy chance;
    Buggify rare;
    SimEvents events;
    std::vector<std::unique_ptr<SimShards>> nodes;
    std::vector<Reactor*> reactors;  // Of all nodes.
    std::vector<Reactor*> runnable;  // Scratch of turn().
    std::uint64_t turns = 0;
    std::uint64_t turns_at_this_time = 0;
};

// One event or one turn of a shard that has something to do.
SimWorld::Impl::Turn SimWorld::Impl::turn() {
    const base::MonotonicTime now = clock.monotonic();
    runnable.clear();
    if (!ReadyQueue::of_thread().empty()) runnable.push_back(reactors.front());
    for (Reactor* reactor : reactors)
        if (reactor->runnable(now)) runnable.push_back(reactor);
    const auto event = events.next();
    const bool has_event = event && *event <= now;
    if (runnable.empty() && !has_event) return Turn::none;
    if (turns_at_this_time++ >= options.turns_without_time_max) {
        options.log.error("sim.step_limit", {{"turns", turns_at_this_time}});
        return Turn::limit;
    }
    ++turns;
    const Buggify::Scope rare_things(options.buggify ? &rare : nullptr);
    const std::uint64_t chosen = chance.jitter() % (runnable.size() + (has_event ? 1 : 0));
    if (options.trace != nullptr) {
        const bool is_event = chosen == runnable.size();
        const auto shard =
            is_event ? reactors.end() : std::ranges::find(reactors, runnable[chosen]);
        options.trace->add(now, static_cast<std::uint64_t>(shard - reactors.begin()), "turn");
    }
    if (chosen == runnable.size()) {
        events.run_one(now);
    } else {
        runnable[chosen]->run_turn(false);
    }
    return Turn::ran;
}

std::optional<base::MonotonicTime> SimWorld::Impl::next_time() const {
    std::optional<base::MonotonicTime> next = events.next();
    for (Reactor* reactor : reactors) {
        const auto wakeup = reactor->wheel().next_wakeup();
        if (wakeup && (!next || *wakeup < *next)) next = wakeup;
    }
    return next;
}

void SimWorld::Impl::pass_to(base::MonotonicTime time) {
    if (time <= clock.monotonic()) return;
    clock.pass(time - clock.monotonic());
    turns_at_this_time = 0;
}

// True: `done` holds, nothing is left to do (when that is asked for), or `end` was reached
// otherwise.
bool SimWorld::Impl::run(base::MonotonicTime end, const std::function<bool()>* done,
                         bool until_idle) {
    for (;;) {
        if (done && (*done)()) return true;
        switch (turn()) {
            case Turn::ran:
                continue;
            case Turn::limit:
                turns_at_this_time = 0;
                return false;
            case Turn::none:
                break;
        }
        const auto next = next_time();
        if (!next && until_idle) return true;
        if (!next || *next > end) {
            pass_to(end);
            return !done && !until_idle;
        }
        pass_to(*next);
    }
}

SimWorld::SimWorld(const SimOptions& options, const NetworkFactory& make_network)
    : impl_(std::make_unique<Impl>(options)) {
    add_node(options.shards, make_network);
}

// Jobs hold promises of the shards, and shards' work may look at the clock while it goes.
SimWorld::~SimWorld() {
    impl_->events.clear();
}

std::size_t SimWorld::add_node(ShardId shards, const NetworkFactory& make_network) {
    Impl& impl = *impl_;
    const std::size_t number = impl.nodes.size();
    SimShards& node = *impl.nodes.emplace_back(std::make_unique<SimShards>(
        impl.options, number, shards, impl.clock, impl.events, impl.chance, make_network));
    for (ShardId id = 0; id < shards; ++id)
        impl.reactors.push_back(&node.world(id).reactor);
    return number;
}

World& SimWorld::world(ShardId shard, std::size_t node) noexcept {
    return impl_->nodes.at(node)->world(shard);
}

Shards& SimWorld::shards(std::size_t node) noexcept {
    return *impl_->nodes.at(node);
}
VirtualClock& SimWorld::clock() noexcept {
    return impl_->clock;
}
base::MonotonicTime SimWorld::now() const noexcept {
    return impl_->clock.monotonic();
}
std::uint64_t SimWorld::buggified() const noexcept {
    return impl_->rare.count();
}
std::uint64_t SimWorld::turns() const noexcept {
    return impl_->turns;
}

void SimWorld::set_job_times(base::Duration least, base::Duration most) {
    impl_->options.job_time_min = least;  // Of nodes that are still to come.
    impl_->options.job_time_max = most;
    for (auto& node : impl_->nodes)
        node->set_job_times(least, most);
}

void SimWorld::at(base::MonotonicTime time, base::UniqueFunction<void()> call) {
    impl_->events.at(std::max(time, now()), std::move(call));
}

bool SimWorld::run_ready() {
    return impl_->run(now(), nullptr, false);
}

bool SimWorld::advance(base::Duration step) {
    return impl_->run(now() + step, nullptr, false);
}

bool SimWorld::run_until_idle(base::Duration limit) {
    return impl_->run(now() + limit, nullptr, true);
}

bool SimWorld::run_until(const std::function<bool()>& done, base::Duration limit) {
    return impl_->run(now() + limit, &done, false);
}

}  // namespace reactor
