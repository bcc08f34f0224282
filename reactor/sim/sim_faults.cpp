#include "reactor/sim/sim_faults.h"

#include "reactor/sim/sim_node.h"

#include <algorithm>
#include <utility>

namespace reactor {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, kSimFaults> kNames{
    "reset",   "silence",   "partition", "latency", "narrow", "refuse",
    "sockets", "slow_pool", "clock",     "kill",    "power"};
constexpr std::uint64_t kSwarmStream = 0x5377'6172'6D00'0000;
constexpr std::uint64_t kStream = 0x4661'756C'7400'0000;
constexpr std::uint64_t kNarrowBytesPerSecond = 4'000;

}  // namespace

std::string_view name_of(SimFault fault) noexcept {
    return kNames[static_cast<std::size_t>(fault)];
}

std::string describe(SimFaultSet set) {
    std::string text;
    for (std::size_t i = 0; i < kSimFaults; ++i) {
        if ((set >> i & 1U) == 0) continue;
        if (!text.empty()) text += ',';
        text += kNames[i];
    }
    return text.empty() ? "none" : text;
}

std::optional<SimFaultSet> parse_sim_faults(std::string_view names) {
    SimFaultSet set = 0;
    if (names == "none") return set;
    while (!names.empty()) {
        const std::size_t comma = std::min(names.find(','), names.size());
        const auto found = std::ranges::find(kNames, names.substr(0, comma));
        if (found == kNames.end()) return std::nullopt;
        set |= SimFaultSet{1} << static_cast<unsigned>(found - kNames.begin());
        names.remove_prefix(std::min(comma + 1, names.size()));
    }
    return set;
}

SimFaultSet swarm(std::uint64_t seed, SimFaultSet allowed) {
    base::SplitMix64 numbers(seed ^ kSwarmStream);
    return static_cast<SimFaultSet>(numbers.next()) & allowed;
}

SimFaultSet shrink_faults(SimFaultSet set, const std::function<bool(SimFaultSet)>& fails) {
    for (bool smaller = true; std::exchange(smaller, false);) {
        for (std::size_t i = 0; i < kSimFaults; ++i) {
            const SimFaultSet less = set & ~(SimFaultSet{1} << i);
            if (less == set || !fails(less)) continue;
            set = less;
            smaller = true;
        }
    }
    return set;
}

SimFaults::SimFaults(SimWorld& sim, SimInternet& internet, std::vector<SimNode*> nodes,
                     SimFaultOptions options)
    : sim_(sim),
      internet_(internet),
      nodes_(std::move(nodes)),
      options_(std::move(options)),
      numbers_(options_.seed ^ kStream) {
    for (std::size_t i = 0; i < kSimFaults; ++i)
        if ((options_.set >> i & 1U) != 0) kinds_.push_back(static_cast<SimFault>(i));
}

void SimFaults::start() {
    ++phase_;
    if (!kinds_.empty() && !nodes_.empty()) plan_next();
}

void SimFaults::calm() {
    ++phase_;
    for (const auto& mend : std::exchange(mends_, {}))
        mend();
    for (SimNode* node : nodes_)
        node->start();
}

std::uint32_t SimFaults::strikes(SimFault fault) const noexcept {
    return strikes_[static_cast<std::size_t>(fault)];
}

std::string SimFaults::describe() const {
    return "seed " + std::to_string(options_.seed) + " faults " + reactor::describe(options_.set);
}

base::Duration SimFaults::up_to(base::Duration most) {
    return base::Duration(static_cast<std::int64_t>(
        numbers_.below(static_cast<std::uint64_t>(std::max<std::int64_t>(most.count(), 1)))));
}

SimNode& SimFaults::some_node() {
    return *nodes_[numbers_.below(nodes_.size())];
}

void SimFaults::later(base::Duration after, std::function<void()> call) {
    sim_.at(sim_.now() + after, [this, phase = phase_, call = std::move(call)] {
        if (phase == phase_) call();
    });
}

// `calm` mends in its stead what is still broken then.
void SimFaults::mend_later(std::function<void()> mend) {
    mends_.push_back(mend);
    later(up_to(options_.lasts_max), std::move(mend));
}

void SimFaults::plan_next() {
    later(up_to(options_.every * 2), [this] {
        strike(kinds_[numbers_.below(kinds_.size())]);
        plan_next();
    });
}

void SimFaults::strike(SimFault fault) {
    ++strikes_[static_cast<std::size_t>(fault)];
    switch (fault) {
        case SimFault::slow_pool:
            sim_.set_job_times(100ms, 2s);
            return mend_later([this] {
                sim_.set_job_times(options_.calm_job_time_min, options_.calm_job_time_max);
            });
        case SimFault::clock:
            return sim_.clock().step_wall(up_to(4h) - 2h);
        case SimFault::kill:
        case SimFault::power:
            return strike_machine(fault);
        default:
            return strike_network(fault);
    }
}

void SimFaults::strike_machine(SimFault fault) {
    SimNode& node = some_node();
    fault == SimFault::kill ? node.kill() : node.lose_power();
    mend_later([&node] { node.start(); });
}

void SimFaults::strike_network(SimFault fault) {
    const std::string address = some_node().address();
    const SimInternetOptions& calm = options_.calm_internet;
    switch (fault) {
        case SimFault::reset:
            return internet_.cut(address);
        case SimFault::silence:
            internet_.black_hole(address);
            return mend_later([this, address] { internet_.heal(address); });
        case SimFault::latency:
            internet_.set_latency(calm.latency_min, 50ms + up_to(3s));
            return mend_later([this] {
                internet_.set_latency(options_.calm_internet.latency_min,
                                      options_.calm_internet.latency_max);
            });
        case SimFault::narrow:
            internet_.set_bandwidth(kNarrowBytesPerSecond);
            return mend_later(
                [this] { internet_.set_bandwidth(options_.calm_internet.bytes_per_second); });
        case SimFault::refuse:
            internet_.refuse(address);
            return mend_later([this, address] { internet_.admit(address); });
        case SimFault::sockets:
            internet_.set_sockets_max(0);
            return mend_later(
                [this] { internet_.set_sockets_max(options_.calm_internet.sockets_max); });
        default:
            return part_some();
    }
}

void SimFaults::part_some() {
    const std::uint64_t sides = numbers_.next();
    std::vector<std::pair<std::string, std::string>> pairs;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        for (std::size_t k = i + 1; k < nodes_.size(); ++k)
            if ((sides >> (i % 64) & 1U) != (sides >> (k % 64) & 1U))
                pairs.emplace_back(nodes_[i]->address(), nodes_[k]->address());
    for (const auto& [one, other] : pairs)
        internet_.part(one, other);
    mend_later([this, pairs = std::move(pairs)] {
        for (const auto& [one, other] : pairs)
            internet_.join(one, other);
    });
}

}  // namespace reactor
