#include "reactor/sim/sim_network.h"

#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"
#include "stream_peer.h"

#include <gtest/gtest.h>

#include <vector>

namespace reactor {
namespace {

using base::Errc;
using test::StreamPeer;
using namespace std::chrono_literals;

constexpr std::string_view kServer = "10.0.0.1";
constexpr std::string_view kClient = "10.0.0.2";

/// A server machine with two shards and a client machine.
class SimNet : public testing::Test {
protected:
    explicit SimNet(SimInternetOptions options = {})
        : internet(options), sim(two_shards(), on(kServer)) {
        sim.add_node(1, on(kClient));
    }
    ~SimNet() override {
        listeners.clear();
        accepted.clear();
        client.reset();
        connecting.reset();
    }
    static SimOptions two_shards() {
        SimOptions options;
        options.shards = 2;
        return options;
    }
    SimWorld::NetworkFactory on(std::string_view address) {
        return [this, address](World& world) {
            return make_sim_network(world, internet, std::string(address));
        };
    }
    base::Result<void> listen(const std::string& address, ShardId shard = 0, bool share = false,
                              std::uint16_t port = 5222) {
        ListenOptions options{.endpoint = {address, port}, .share_port = share};
        auto listener = sim.world(shard).network.listen(options, [this, shard](auto stream) {
            accepted_by.push_back(shard);
            accepted.push_back(std::make_unique<StreamPeer>(std::move(stream)));
        });
        if (!listener) return std::unexpected(listener.error());
        listeners.push_back(*std::move(listener));
        return {};
    }
    World& client_world() { return sim.world(0, 1); }
    base::Result<void> connect(const std::string& address = std::string(kServer),
                               std::uint16_t port = 5222) {
        connecting = client_world().network.connect({address, port});
        sim.run_until([&] { return connecting->settled(); }, 300s);
        if (!connecting->settled()) return base::fail(Errc::internal, "never settled");
        auto stream = connecting->take();
        connecting.reset();
        if (!stream) return std::unexpected(stream.error());
        client = std::make_unique<StreamPeer>(*std::move(stream));
        sim.run_ready();
        return {};
    }
    StreamPeer& server() { return *accepted.back(); }

    SimInternet internet;
    SimWorld sim;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<std::unique_ptr<StreamPeer>> accepted;
    std::vector<ShardId> accepted_by;
    std::unique_ptr<StreamPeer> client;
    std::optional<Deferred<std::unique_ptr<ByteStream>>> connecting;
};

TEST_F(SimNet, connects_and_carries_bytes_with_latency) {
    ASSERT_TRUE(listen("0.0.0.0"));
    const auto start = sim.now();
    ASSERT_TRUE(connect());
    EXPECT_GT(sim.now() - start, 0ns);
    ASSERT_EQ(accepted.size(), 1U);
    EXPECT_EQ(internet.connections(), 1U);
    EXPECT_EQ(client->stream().peer(), (Endpoint{"10.0.0.1", 5222}));
    EXPECT_EQ(server().stream().peer(), client->stream().local());
    EXPECT_EQ(server().stream().peer().address, kClient);
    client->send("ping");
    sim.run_ready();
    EXPECT_EQ(server().received(), "") << "nothing travels in no time";
    sim.advance(20ms);
    EXPECT_EQ(server().received(), "ping");
    server().send("pong");
    sim.advance(20ms);
    EXPECT_EQ(client->received(), "pong");
}

TEST_F(SimNet, keeps_order_through_split_segments_and_a_small_window) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(connect());
    std::string text;
    for (int i = 0; i < 40'000; ++i)
        text += std::to_string(i) + ",";
    client->send(text);
    sim.advance(10s);
    EXPECT_EQ(server().received(), text);
    EXPECT_EQ(client->unsent(), 0U);
}

TEST_F(SimNet, stops_the_writer_when_the_reader_is_slow) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(connect());
    server().pause();
    client->send(std::string(100'000, 'x'));
    sim.advance(1s);
    EXPECT_EQ(client->unsent(), 100'000U - 65'536U);
    server().resume();
    sim.advance(1s);
    EXPECT_EQ(client->unsent(), 0U);
    EXPECT_EQ(server().received().size(), 100'000U);
}

TEST_F(SimNet, refuses_where_nobody_listens) {
    EXPECT_EQ(connect().error().code(), Errc::connection_refused);
    ASSERT_TRUE(listen("0.0.0.0"));
    EXPECT_EQ(connect(std::string(kServer), 5223).error().code(), Errc::connection_refused);
    EXPECT_EQ(connect("10.9.9.9").error().code(), Errc::connection_refused);
    EXPECT_EQ(connect("127.0.0.1").error().code(), Errc::connection_refused)
        << "the client's own machine";
    listeners.clear();
    EXPECT_EQ(connect().error().code(), Errc::connection_refused);
}

TEST_F(SimNet, finds_listeners_by_family) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(listen("::"));
    EXPECT_TRUE(connect());
}

TEST_F(SimNet, refuses_a_second_listener_unless_both_share) {
    ASSERT_TRUE(listen("0.0.0.0"));
    EXPECT_EQ(listen("0.0.0.0", 1).error().code(), Errc::address_in_use);
    EXPECT_EQ(listen("0.0.0.0", 1, true).error().code(), Errc::address_in_use);
    listeners.clear();
    ASSERT_TRUE(listen("0.0.0.0", 0, true));
    ASSERT_TRUE(listen("0.0.0.0", 1, true));
    std::vector<std::unique_ptr<StreamPeer>> clients;
    for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(connect());
        clients.push_back(std::move(client));
    }
    EXPECT_EQ(std::ranges::count(accepted_by, 0U), 2);
    EXPECT_EQ(std::ranges::count(accepted_by, 1U), 2);
}

TEST_F(SimNet, chooses_a_port_when_none_is_given) {
    ASSERT_TRUE(listen("0.0.0.0", 0, false, 0));
    const std::uint16_t port = listeners[0]->local().port;
    EXPECT_NE(port, 0);
    EXPECT_TRUE(connect(std::string(kServer), port));
}

TEST_F(SimNet, pauses_a_listener) {
    ASSERT_TRUE(listen("0.0.0.0"));
    listeners[0]->pause();
    ASSERT_TRUE(connect());
    client->send("early");
    sim.advance(1s);
    EXPECT_TRUE(accepted.empty());
    listeners[0]->resume();
    sim.advance(1s);
    ASSERT_EQ(accepted.size(), 1U);
    EXPECT_EQ(server().received(), "early");
}

TEST_F(SimNet, closes_in_an_orderly_way) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(connect());
    client->send("bye");
    client->stream().close();
    sim.advance(1s);
    EXPECT_EQ(server().received(), "bye");
    EXPECT_TRUE(server().ended());
    EXPECT_EQ(internet.connections(), 0U);
    server().send("into the void");
    sim.advance(1s);
    server().send("again");
    EXPECT_EQ(server().failed(), Errc::connection_lost);
}

TEST_F(SimNet, half_closes) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(connect());
    client->stream().shutdown_write();
    sim.advance(1s);
    EXPECT_TRUE(server().ended());
    server().send("still");
    sim.advance(1s);
    EXPECT_EQ(client->received(), "still");
}

TEST_F(SimNet, resets_on_abort_and_on_a_close_with_unread_bytes) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(connect());
    client->stream().abort();
    sim.advance(1s);
    EXPECT_EQ(server().failed(), Errc::connection_lost);
    ASSERT_TRUE(connect());
    client->pause();
    server().send("never read");
    sim.advance(1s);
    client->stream().close();
    sim.advance(1s);
    EXPECT_EQ(server().failed(), Errc::connection_lost);
}

TEST_F(SimNet, cuts_connections) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(connect());
    internet.cut(kClient);
    sim.run_ready();
    EXPECT_EQ(server().failed(), Errc::connection_lost);
    EXPECT_EQ(client->failed(), Errc::connection_lost);
    EXPECT_TRUE(connect()) << "only what exists is cut";
}

TEST_F(SimNet, swallows_everything_in_a_black_hole_until_it_heals) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(connect());
    internet.black_hole(kClient);
    client->send("lost for now");
    sim.advance(1h);
    EXPECT_EQ(server().received(), "");
    EXPECT_FALSE(server().failed());
    internet.heal(kClient);
    sim.advance(1s);
    EXPECT_EQ(server().received(), "lost for now");
}

TEST_F(SimNet, times_out_connecting_into_a_black_hole) {
    ASSERT_TRUE(listen("0.0.0.0"));
    internet.black_hole(kServer);
    const auto start = sim.now();
    EXPECT_EQ(connect().error().code(), Errc::timed_out);
    EXPECT_GE(sim.now() - start, 127s);
}

TEST_F(SimNet, connects_when_the_black_hole_heals_in_time) {
    ASSERT_TRUE(listen("0.0.0.0"));
    internet.black_hole(kServer);
    sim.at(sim.now() + 10s, [&] { internet.heal(kServer); });
    EXPECT_TRUE(connect());
}

TEST_F(SimNet, lets_a_connect_be_dropped) {
    ASSERT_TRUE(listen("0.0.0.0"));
    {
        auto dropped = client_world().network.connect({std::string(kServer), 5222});
    }
    sim.advance(10s);
    EXPECT_TRUE(accepted.empty());
    EXPECT_EQ(internet.connections(), 0U);
}

TEST_F(SimNet, moves_a_stream_to_another_shard) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(connect());
    server().stream().detach();
    client->send("under way");
    sim.advance(1s);
    server().stream().attach(sim.world(1));
    server().watch();
    sim.advance(1s);
    EXPECT_EQ(server().received(), "under way");
}

TEST_F(SimNet, carries_unix_sockets_within_a_machine_only) {
    ListenOptions options{.endpoint = {"unix:/run/x", 0}};
    std::unique_ptr<ByteStream> got;
    auto listener = sim.world(0).network.listen(options, [&](auto s) { got = std::move(s); });
    ASSERT_TRUE(listener);
    auto local = sim.world(1).network.connect({"unix:/run/x", 0});
    auto foreign = client_world().network.connect({"unix:/run/x", 0});
    sim.advance(1s);
    EXPECT_TRUE(local.take());
    EXPECT_TRUE(foreign.take().error().is(Errc::connection_refused));
}

TEST_F(SimNet, bandwidth_is_of_the_machine_and_shared_by_its_connections) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(connect());
    const std::unique_ptr<StreamPeer> first = std::move(client);
    StreamPeer& far_end = server();
    ASSERT_TRUE(connect());
    internet.set_bandwidth(10'000);
    const auto start = sim.now();
    first->send(std::string(10'000, 'x'));
    client->send(std::string(10'000, 'y'));
    const auto all_there = [&] {
        return far_end.received().size() == 10'000 && server().received().size() == 10'000;
    };
    EXPECT_TRUE(sim.run_until(all_there, 60s));
    EXPECT_GE(sim.now() - start, 2s);
    EXPECT_LT(sim.now() - start, 2100ms);
    internet.set_bandwidth(0);
    client->send("z");
    sim.advance(20ms);
    EXPECT_EQ(server().received().back(), 'z');
}

TEST_F(SimNet, a_partition_parts_two_machines_and_nobody_else) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(connect());
    internet.part(kClient, kServer);
    internet.part(kServer, "10.0.0.3");
    client->send("later");
    sim.advance(10s);
    EXPECT_EQ(server().received(), "");
    EXPECT_FALSE(client->failed());
    internet.join("10.0.0.3", kServer);
    sim.advance(10s);
    EXPECT_EQ(server().received(), "");
    internet.join(kServer, kClient);
    sim.advance(1s);
    EXPECT_EQ(server().received(), "later");
}

TEST_F(SimNet, a_machine_may_refuse_for_a_while) {
    ASSERT_TRUE(listen("0.0.0.0"));
    internet.refuse(kServer);
    EXPECT_EQ(connect().error().code(), Errc::connection_refused);
    internet.admit(kServer);
    EXPECT_TRUE(connect());
}

TEST_F(SimNet, sockets_run_out_on_either_side) {
    ASSERT_TRUE(listen("0.0.0.0"));
    internet.set_sockets_max(1);
    ASSERT_TRUE(connect());
    const std::unique_ptr<StreamPeer> first = std::move(client);
    EXPECT_EQ(connect().error().code(), Errc::resource_exhausted);
    internet.set_sockets_max(2);
    EXPECT_TRUE(connect());
}

TEST_F(SimNet, a_machine_without_power_says_nothing_and_forgets_everything) {
    ASSERT_TRUE(listen("0.0.0.0"));
    ASSERT_TRUE(connect());
    internet.power_off(kServer);
    accepted.clear();
    sim.advance(60s);
    EXPECT_FALSE(client->failed() || client->ended()) << "half open";
    client->send("are you there?");
    sim.advance(60s);
    EXPECT_FALSE(client->failed());
    internet.power_on(kServer);
    sim.advance(1s);
    EXPECT_EQ(client->failed(), Errc::connection_lost);
}

/// What happens in a run of one seed, as text.
std::string trace(std::uint64_t seed) {
    std::string text;
    SimInternetOptions options;
    options.seed = seed;
    SimInternet internet(options);
    SimWorld sim({}, [&](World& world) { return make_sim_network(world, internet); });
    std::vector<std::unique_ptr<StreamPeer>> peers;
    auto listener = sim.world().network.listen({.endpoint = {"127.0.0.1", 1}}, [&](auto stream) {
        peers.push_back(std::make_unique<StreamPeer>(std::move(stream)));
    });
    std::vector<Deferred<std::unique_ptr<ByteStream>>> connecting;
    for (int i = 0; i < 5; ++i)
        connecting.push_back(sim.world().network.connect({"127.0.0.1", 1}));
    for (int step = 0; step < 50; ++step) {
        sim.advance(1ms);
        for (auto& one : connecting) {
            if (!one.valid() || !one.settled()) continue;
            peers.push_back(std::make_unique<StreamPeer>(one.take().value()));
            peers.back()->send(std::string(5000, 'x'));
        }
        for (auto& peer : peers)
            text += std::to_string(peer->received().size()) + " ";
    }
    peers.clear();
    return text;
}

TEST(SimNetSeed, replays_exactly_and_differs_between_seeds) {
    EXPECT_EQ(trace(1), trace(1));
    EXPECT_EQ(trace(2), trace(2));
    EXPECT_NE(trace(1), trace(2));
}

}  // namespace
}  // namespace reactor
