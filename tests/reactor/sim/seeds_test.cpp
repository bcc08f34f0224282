// A simulated cluster under the faults of a seed, a thousand seeds of it, each played twice.
#include "reactor/buggify.h"
#include "reactor/examples/gossip.h"
#include "reactor/sim/sim_faults.h"
#include "reactor/sim/sim_node.h"
#include "reactor/sim/trace_hash.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

namespace reactor {
namespace {

using gossip::Notebook;
using namespace std::chrono_literals;

class Cluster {
public:
    explicit Cluster(std::uint64_t seed, SimFaultSet set)
        : sink_(trace),
          internet({.seed = seed, .trace = &trace}),
          sim({.seed = seed, .log = base::Log(sink_), .trace = &trace, .buggify = seed % 2 == 1}) {
        for (std::size_t i = 0; i < books.size(); ++i) {
            std::vector<std::string> peers;
            for (std::size_t k = 0; k < books.size(); ++k)
                if (k != i) peers.push_back(address_of(k));
            nodes.push_back(std::make_unique<SimNode>(sim, internet, address_of(i),
                                                      [&book = books[i], peers](World& world) {
                                                          return gossip::node(world, book, peers);
                                                      }));
            nodes.back()->start();
        }
        faults = std::make_unique<SimFaults>(
            sim, internet, std::vector<SimNode*>{nodes[0].get(), nodes[1].get(), nodes[2].get()},
            SimFaultOptions{.seed = seed, .set = set, .every = 1s, .lasts_max = 4s});
    }
    static std::string address_of(std::size_t i) { return "10.0.0." + std::to_string(i + 1); }
    bool agree() const {
        return books[0].known == books[1].known && books[1].known == books[2].known;
    }
    /// A few seconds of faults, then peace. False: they do not come to agree.
    bool run() {
        faults->start();
        if (!sim.advance(6s)) return false;
        faults->calm();
        for (Notebook& book : books)
            book.add(book.owner + " in peace");
        return sim.run_until([this] { return agree(); }, 60s);
    }

    TraceHash trace;

private:
    TraceSink sink_;

public:
    std::array<Notebook, 3> books{Notebook{"a"}, Notebook{"b"}, Notebook{"c"}};
    SimInternet internet;
    SimWorld sim;
    std::vector<std::unique_ptr<SimNode>> nodes;
    std::unique_ptr<SimFaults> faults;
};

TEST(Seeds, a_thousand_seeds_recover_and_each_gives_the_same_run_twice) {
    std::array<std::uint32_t, kSimFaults> strikes{};
    std::uint64_t events = 0;
    std::uint64_t buggified = 0;
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        Cluster first(seed, swarm(seed));
        ASSERT_TRUE(first.run()) << first.faults->describe();
        Cluster second(seed, swarm(seed));
        ASSERT_TRUE(second.run());
        const auto same = same_until(first.trace, second.trace);
        ASSERT_FALSE(same) << first.faults->describe() << ": the same for " << *same << " events";
        buggified += first.sim.buggified();
        events += first.trace.events();
        for (std::size_t i = 0; i < kSimFaults; ++i)
            strikes[i] += first.faults->strikes(static_cast<SimFault>(i));
    }
    for (std::size_t i = 0; i < kSimFaults; ++i)
        EXPECT_GT(strikes[i], 50u) << name_of(static_cast<SimFault>(i));
    EXPECT_GT(events, 100'000u);
    EXPECT_GT(buggified, 10'000u);
}

TEST(Seeds, seeds_differ_and_what_differs_is_found) {
    Cluster one(1, 0);
    Cluster other(2, 0);
    ASSERT_TRUE(one.run() && other.run());
    EXPECT_NE(one.trace.value(), other.trace.value());
    EXPECT_TRUE(same_until(one.trace, other.trace));
    // The same up to a reset after five seconds.
    Cluster third(1, 0);
    third.sim.at(third.sim.now() + 5s, [&] { third.internet.cut(Cluster::address_of(0)); });
    ASSERT_TRUE(third.run());
    const auto same = same_until(one.trace, third.trace);
    ASSERT_TRUE(same);
    EXPECT_GT(*same, 0u);
}

TEST(Buggify, is_never_true_outside_a_simulation_that_wants_it) {
    for (int i = 0; i < 1000; ++i)
        EXPECT_FALSE(buggify(1));
    SimWorld sim{SimOptions{}};
    sim.at(sim.now(), [] { EXPECT_FALSE(buggify(1)); });
    sim.run_ready();
}

TEST(Buggify, has_some_places_and_not_others_by_the_seed) {
    int yes = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Buggify rare(seed);
        const Buggify::Scope scope(&rare);
        const bool first = buggify(1);
        EXPECT_EQ(rare.count(), first ? 1u : 0u);
        if (first) ++yes;
    }
    EXPECT_GT(yes, 60);
    EXPECT_LT(yes, 140);
}

TEST(SimFaults, sets_have_names_and_back) {
    EXPECT_EQ(describe(SimFaultSet{0}), "none");
    const SimFaultSet two = bit_of(SimFault::reset) | bit_of(SimFault::power);
    EXPECT_EQ(describe(two), "reset,power");
    EXPECT_EQ(parse_sim_faults("reset,power"), two);
    EXPECT_EQ(parse_sim_faults("none"), SimFaultSet{0});
    EXPECT_EQ(parse_sim_faults(describe(kAllSimFaults)), kAllSimFaults);
    EXPECT_EQ(parse_sim_faults("reset,pow"), std::nullopt);
}

TEST(SimFaults, a_swarm_has_some_kinds_and_each_seed_others) {
    EXPECT_EQ(swarm(5), swarm(5));
    SimFaultSet all = 0;
    SimFaultSet common = kAllSimFaults;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        all |= swarm(seed);
        common &= swarm(seed);
    }
    EXPECT_EQ(all, kAllSimFaults);
    EXPECT_EQ(common, 0u);
    EXPECT_EQ(swarm(1, bit_of(SimFault::kill)) & ~bit_of(SimFault::kill), 0u);
}

TEST(SimFaults, shrinking_leaves_what_it_takes_to_fail) {
    const SimFaultSet guilty = bit_of(SimFault::kill) | bit_of(SimFault::latency);
    int tries = 0;
    const SimFaultSet least = shrink_faults(kAllSimFaults, [&](SimFaultSet set) {
        ++tries;
        return (set & guilty) == guilty;
    });
    EXPECT_EQ(least, guilty);
    EXPECT_LT(tries, 40);
}

TEST(SimFaults, a_failing_run_is_found_told_and_made_small) {
    // As if a program had a bug that shows when it is started again.
    const auto fails = [](SimFaultSet set) {
        Cluster cluster(7, set);
        cluster.faults->start();
        cluster.sim.advance(20s);
        return std::ranges::any_of(cluster.nodes, [](auto& node) { return node->starts() > 1; });
    };
    ASSERT_TRUE(fails(kAllSimFaults));
    const SimFaultSet least = shrink_faults(kAllSimFaults, fails);
    EXPECT_TRUE(least == bit_of(SimFault::kill) || least == bit_of(SimFault::power))
        << describe(least);
}

TEST(SimNode, a_killed_program_is_gone_and_its_peers_are_told) {
    Cluster cluster(3, 0);
    cluster.sim.advance(5s);
    EXPECT_EQ(cluster.internet.connections(), 6u);
    cluster.nodes[0]->kill();
    EXPECT_FALSE(cluster.nodes[0]->running());
    EXPECT_EQ(cluster.internet.connections(), 2u);
    cluster.nodes[0]->start();
    cluster.sim.advance(5s);
    EXPECT_EQ(cluster.internet.connections(), 6u);
    EXPECT_EQ(cluster.nodes[0]->starts(), 2u);
}

TEST(SimNode, a_program_that_ends_leaves_its_result) {
    SimWorld sim{SimOptions{}};
    SimInternet internet;
    SimNode node(sim, internet, "10.0.0.9",
                 [](World&) -> Deferred<void> { return base::Errc::unsupported; });
    node.start();
    EXPECT_FALSE(node.running());
    const auto result = node.take_result();
    ASSERT_TRUE(result);
    EXPECT_TRUE(!*result && result->error().is(base::Errc::unsupported));
    EXPECT_FALSE(node.take_result());
}

}  // namespace
}  // namespace reactor
