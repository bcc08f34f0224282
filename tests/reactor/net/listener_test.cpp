// D1 and D10 in short: listening and looking names up. The whole of them is in
// tcp_network_test.cpp, sim_network_test.cpp, resolver_test.cpp and resolver_unbound_test.cpp.
#include "reactor/sim/sim_network.h"
#include "reactor/sim/sim_resolver.h"
#include "reactor/sim/sim_world.h"
#include "tests/reactor/net/real_loop.h"

#include <gmock/gmock.h>

#include <vector>

namespace reactor {
namespace {

using base::Errc;
using testing::ElementsAre;
using namespace std::chrono_literals;
using StreamPtr = std::unique_ptr<ByteStream>;

class D1_Listener : public test::RealLoop {};

TEST_F(D1_Listener, accepts_a_flood_in_portions_and_stops_at_once) {
    std::vector<StreamPtr> accepted;
    auto listener =
        world().network.listen({.endpoint = {"127.0.0.1", 0}, .backlog = 200},
                               [&](StreamPtr stream) { accepted.push_back(std::move(stream)); });
    ASSERT_TRUE(listener) << listener.error().message();
    const Endpoint endpoint = (*listener)->local();
    EXPECT_NE(endpoint.port, 0) << "the port that the system chose";
    (*listener)->pause();
    std::vector<StreamPtr> clients;
    for (int i = 0; i < 150; ++i) {
        auto client = wait(world().network.connect(endpoint));
        ASSERT_TRUE(client) << client.error().message();
        clients.push_back(*std::move(client));
    }
    EXPECT_TRUE(accepted.empty());
    (*listener)->resume();
    std::size_t most = 0;
    std::size_t before = 0;
    ASSERT_TRUE(run_until([&] {
        most = std::max(most, accepted.size() - std::exchange(before, accepted.size()));
        return accepted.size() == clients.size();
    }));
    EXPECT_LE(most, 64u) << "per turn, so that those who are there are served as well";
    listener->reset();
    EXPECT_EQ(wait(world().network.connect(endpoint)).error().code(), Errc::connection_refused);
}

TEST(D10_Resolver, finds_addresses_services_and_texts_and_says_why_not) {
    SimDns dns;
    SimWorld sim{SimOptions()};
    const Reactor::Scope scope(sim.world().reactor);
    auto resolver = make_sim_resolver(sim.world(), dns);
    dns.add_address("host.example", "192.0.2.1");
    dns.add_address("host.example", "2001:db8::1");
    dns.add_srv("_chat._tcp.host.example",
                {.priority = 1, .weight = 2, .port = 5222, .target = "host.example"});
    dns.add_txt("host.example", "hello");
    dns.silence("mute.example");
    const auto wait = [&](auto work) {
        sim.run_until([&] { return work.settled(); }, 1h);
        return work.take();
    };
    EXPECT_THAT(wait(resolver->resolve_addresses("host.example"))->addresses,
                ElementsAre("2001:db8::1", "192.0.2.1"));
    EXPECT_EQ(wait(resolver->resolve_srv("_chat._tcp.host.example"))->records.at(0).port, 5222);
    EXPECT_THAT(wait(resolver->resolve_txt("host.example"))->records, ElementsAre("hello"));
    EXPECT_EQ(wait(resolver->resolve_addresses("nobody.example")).error().code(), Errc::not_found);
    const auto began = sim.now();
    EXPECT_EQ(wait(resolver->resolve_addresses("mute.example")).error().code(), Errc::timed_out);
    EXPECT_LE(sim.now() - began, 60s) << "one limit for everything, not a sum of them";
    auto dropped = resolver->resolve_addresses("mute.example");
    dropped.cancel();
    EXPECT_EQ(wait(std::move(dropped)).error().code(), Errc::cancelled);
}

}  // namespace
}  // namespace reactor
