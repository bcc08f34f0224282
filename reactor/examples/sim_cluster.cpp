// A simulated cluster that survives a partition: three nodes (gossip.h) on virtual time and a
// network in memory. One is cut off from the others, everybody writes on; joined again, all find
// the same. Then faults of the seed's choice for a minute, and the same question again.
//   sim_cluster [seed, default 1]
// The same seed prints the same hash, whatever machine it runs on.
#include "reactor/examples/gossip.h"
#include "reactor/sim/sim_faults.h"
#include "reactor/sim/sim_node.h"
#include "reactor/sim/trace_hash.h"

#include <cstdio>
#include <cstdlib>

namespace {

using namespace reactor;
using namespace std::chrono_literals;
using gossip::Notebook;

struct Cluster {
    explicit Cluster(std::uint64_t seed)
        : internet({.seed = seed, .trace = &trace}), sim({.seed = seed, .trace = &trace}) {
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
    }
    static std::string address_of(std::size_t i) { return "10.0.0." + std::to_string(i + 1); }
    bool agree() const {
        return books[0].known == books[1].known && books[1].known == books[2].known;
    }
    void print(const char* when) const {
        std::printf("%s: %zu, %zu and %zu entries%s\n", when, books[0].known.size(),
                    books[1].known.size(), books[2].known.size(), agree() ? ", the same" : "");
    }

    TraceHash trace;
    std::array<Notebook, 3> books{Notebook{"a"}, Notebook{"b"}, Notebook{"c"}};
    SimInternet internet;
    SimWorld sim;
    std::vector<std::unique_ptr<SimNode>> nodes;
};

}  // namespace

int main(int argc, char** argv) {
    const std::uint64_t seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
    Cluster cluster(seed);
    cluster.sim.advance(10s);
    cluster.print("together");
    cluster.internet.part(Cluster::address_of(2), Cluster::address_of(0));
    cluster.internet.part(Cluster::address_of(2), Cluster::address_of(1));
    cluster.sim.advance(20s);
    cluster.print("parted");
    cluster.internet.join(Cluster::address_of(2), Cluster::address_of(0));
    cluster.internet.join(Cluster::address_of(2), Cluster::address_of(1));
    const auto agree = [&] { return cluster.agree(); };
    const bool healed = cluster.sim.run_until(agree, 30s);
    cluster.print("joined");

    SimFaults faults(cluster.sim, cluster.internet,
                     {cluster.nodes[0].get(), cluster.nodes[1].get(), cluster.nodes[2].get()},
                     {.seed = seed, .set = swarm(seed)});
    faults.start();
    cluster.sim.advance(60s);
    faults.calm();
    const bool recovered = cluster.sim.run_until(agree, 60s);
    cluster.print(faults.describe().c_str());
    std::printf("hash %016llx of %llu events\n",
                static_cast<unsigned long long>(cluster.trace.value()),
                static_cast<unsigned long long>(cluster.trace.events()));
    return healed && recovered ? 0 : 1;
}
