// D1, D11: servers of sessions and of protocols on the simulated network.
#include "reactor/net/server.h"

#include "reactor/net/protocol.h"
#include "reactor/sim/sim_network.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

namespace reactor {
namespace {

using base::Errc;
using namespace std::chrono_literals;

class OnServers : public testing::Test {
protected:
    OnServers()
        : sim({.log = log.log()},
              [this](World& world) { return make_sim_network(world, internet, "10.0.0.1"); }) {
        client_node = sim.add_node(
            1, [this](World& world) { return make_sim_network(world, internet, "10.0.0.9"); });
    }
    World& here() { return sim.world(); }
    World& far() { return sim.world(0, client_node); }
    void listen(Server& server) {
        sim.on(here(), [&] {
            auto listening = server.listen({.endpoint = {"10.0.0.1", 0}});
            ASSERT_TRUE(listening) << listening.error().message();
            endpoint = *listening;
        });
    }
    template <class T>
    base::Result<T> wait(Deferred<T> work) {
        sim.run_until([&] { return work.settled(); }, 1h);
        if (!work.settled()) return base::fail(Errc::internal, "never settled");
        return work.take();
    }
    std::unique_ptr<Connection> connect() {
        auto connecting = sim.on(far(), [&] { return far().network.connect(endpoint); });
        auto stream = wait(std::move(connecting));
        EXPECT_TRUE(stream);
        return sim.on(far(),
                      [&] { return std::make_unique<Connection>(far(), *std::move(stream)); });
    }
    base::Result<std::string> read(Connection& connection) {
        return wait(sim.on(far(), [&] { return connection.read(); }));
    }
    void write(Connection& connection, std::string_view text) {
        sim.on(far(), [&] { EXPECT_TRUE(connection.write(text)); });
    }

    test::LogCapture log;
    SimInternet internet;
    SimWorld sim;
    std::size_t client_node = 0;
    Endpoint endpoint;
};

class D11_Server : public OnServers {};
class D8_Server : public OnServers {};

Deferred<void> echo(Connection& connection) {
    for (;;) {
        base::Result<std::string> bytes = co_await connection.read();
        if (!bytes) co_return bytes.error();
        if (bytes->empty()) co_return {};
        (void)connection.write(*bytes);
    }
}

TEST_F(D11_Server, runs_a_coroutine_per_connection_and_closes_behind_it) {
    Server server(here(), echo);
    listen(server);
    auto one = connect();
    auto other = connect();
    write(*one, "hello");
    write(*other, "hi");
    EXPECT_EQ(*read(*one), "hello");
    EXPECT_EQ(*read(*other), "hi");
    EXPECT_EQ(server.statistics().open, 2u);
    sim.on(far(), [&] { one->shutdown_write(); });
    EXPECT_EQ(*read(*one), "") << "the session ended and flushed";
    sim.run_until([&] { return server.statistics().open == 1; }, 1min);
    EXPECT_EQ(server.statistics().open, 1u);
    EXPECT_EQ(server.statistics().accepted, 2u);
}

struct Story final : Protocol {
    explicit Story(std::string& into) : told(into) {}
    void connection_made(Connection& connection) override {
        told += "made;";
        here = &connection;
    }
    void data_received(std::string_view bytes) override {
        told += "data " + std::string(bytes) + ";";
        (void)here->write("got " + std::string(bytes));
        if (bytes == "abort") here->abort();
    }
    bool input_ended() override {
        told += "end;";
        return false;
    }
    void connection_lost(const base::Failure& reason) override {
        told += "lost " + std::string(base::name_of(reason.code())) + ";";
    }
    std::string& told;
    Connection* here = nullptr;
};

struct Stories final : ProtocolFactory {
    void start() override { told += "start;"; }
    void stop() override { told += "stop;"; }
    std::unique_ptr<Protocol> build(const Endpoint&) override {
        return refuse ? nullptr : std::make_unique<Story>(told);
    }
    std::string told;
    bool refuse = false;
};

TEST_F(D11_Server, tells_a_protocol_its_story_in_order_and_its_loss_once) {
    Stories stories;
    {
        Server server(here(), stories);
        Server second(here(), stories);
        listen(server);
        auto client = connect();
        write(*client, "hello");
        EXPECT_EQ(*read(*client), "got hello");
        sim.on(far(), [&] { client->shutdown_write(); });
        EXPECT_EQ(*read(*client), "");
        sim.run_until([&] { return server.statistics().open == 0; }, 1min);
    }
    EXPECT_EQ(stories.told, "start;made;data hello;end;lost connection_done;stop;");
}

TEST_F(D11_Server, tells_a_protocol_that_aborts_that_it_was_its_own_doing) {
    Stories stories;
    Server server(here(), stories);
    listen(server);
    auto client = connect();
    write(*client, "abort");
    EXPECT_EQ(read(*client).error().code(), Errc::connection_lost);
    EXPECT_EQ(stories.told, "start;made;data abort;lost connection_aborted;");
}

TEST_F(D11_Server, closes_a_connection_that_the_factory_refuses) {
    Stories stories;
    stories.refuse = true;
    Server server(here(), stories);
    listen(server);
    auto client = connect();
    EXPECT_EQ(*read(*client), "");
    EXPECT_EQ(server.statistics().refused, 1u);
}

TEST_F(D11_Server, stop_is_heard_by_protocols_and_waits_for_what_is_unsent) {
    Stories stories;
    Server server(here(), stories);
    listen(server);
    auto client = connect();
    write(*client, "hello");
    EXPECT_EQ(*read(*client), "got hello");
    EXPECT_TRUE(wait(sim.on(here(), [&] { return server.stop(5s); })));
    EXPECT_EQ(*read(*client), "");
    EXPECT_EQ(stories.told, "start;made;data hello;lost connection_done;");
    auto refused = sim.on(far(), [&] { return far().network.connect(endpoint); });
    EXPECT_EQ(wait(std::move(refused)).error().code(), Errc::connection_refused);
    sim.on(here(),
           [&] { EXPECT_EQ(server.listen({.endpoint = endpoint}).error().code(), Errc::closed); });
}

TEST_F(D11_Server, stop_drops_sessions_that_do_not_end) {
    Server server(here(), [](Connection& connection) -> Deferred<void> {
        Deferred<std::string> reading = connection.read();
        (void)co_await std::move(reading).as_result();
        Deferred<void> stubborn = sleep(connection.world().reactor, 1h);
        co_await std::move(stubborn);
        co_return {};
    });
    listen(server);
    auto client = connect();
    sim.run_until([&] { return server.statistics().open == 1; }, 1min);
    const auto began = sim.now();
    EXPECT_TRUE(wait(sim.on(here(), [&] { return server.stop(5s); })));
    EXPECT_EQ(sim.now() - began, 5s);
    EXPECT_EQ(server.statistics().open, 0u);
    EXPECT_EQ(log.count("task.dropped"), 1u);
}

TEST_F(D8_Server, refuses_connections_beyond_the_limit_of_one_address) {
    Server server(here(), echo, {.limits = {.total_max = 10, .per_address_max = 2}});
    listen(server);
    auto one = connect();
    auto other = connect();
    auto third = connect();
    EXPECT_FALSE(read(*third)->size());
    EXPECT_EQ(server.statistics().refused, 1u);
    EXPECT_EQ(log.count("server.refused"), 1u);
    sim.on(far(), [&] { one.reset(); });
    sim.run_until([&] { return server.statistics().open == 1; }, 1min);
    auto fourth = connect();
    write(*fourth, "room");
    EXPECT_EQ(*read(*fourth), "room");
}

TEST_F(D8_Server, ends_sessions_that_hear_nothing_but_not_those_that_do) {
    Server server(here(), echo, {.idle_timeout = 10s});
    listen(server);
    auto client = connect();
    for (int i = 0; i < 5; ++i) {
        sim.advance(8s);
        write(*client, "x");
        EXPECT_EQ(*read(*client), "x");
    }
    EXPECT_EQ(server.statistics().expired, 0u);
    const auto began = sim.now();
    EXPECT_EQ(*read(*client), "");
    EXPECT_GE(sim.now() - began, 9900ms);
    EXPECT_LE(sim.now() - began, 10100ms);
    EXPECT_EQ(server.statistics().expired, 1u);
}

TEST_F(D8_Server, ends_sessions_that_last_too_long_whatever_they_hear) {
    Server server(here(), echo, {.session_timeout = 30s});
    listen(server);
    auto client = connect();
    const auto began = sim.now();
    while (sim.now() - began < 29s) {
        write(*client, "x");
        EXPECT_EQ(*read(*client), "x");
        sim.advance(1s);
    }
    EXPECT_EQ(*read(*client), "");
    EXPECT_EQ(server.statistics().expired, 1u);
    EXPECT_LE(sim.now() - began, 31s);
}

TEST_F(D8_Server, logs_sessions_that_fail_for_reasons_of_their_own) {
    Server server(here(), [](Connection&) -> Deferred<void> {
        return base::Failure(Errc::corrupt, "bad luck");
    });
    listen(server);
    auto client = connect();
    EXPECT_EQ(*read(*client), "");
    EXPECT_EQ(log.first("server.session_failed").text("why"), "corrupt: bad luck");
}

TEST_F(D8_Server, lets_wrap_refuse) {
    int calls = 0;
    Server server(here(), echo,
                  {.wrap = [&](std::unique_ptr<ByteStream>) -> std::unique_ptr<ByteStream> {
                      ++calls;
                      return nullptr;
                  }});
    listen(server);
    auto client = connect();
    EXPECT_EQ(*read(*client), "");
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(server.statistics().refused, 1u);
}

}  // namespace
}  // namespace reactor
