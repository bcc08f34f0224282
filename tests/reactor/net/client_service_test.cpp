// D9: the states of a client that keeps its connection up, on virtual time.
#include "reactor/net/client_service.h"

#include "reactor/memory_pipe.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

namespace reactor {
namespace {

using base::Errc;
using test::failure_of;
using test::pending;
using namespace std::chrono_literals;
using StreamPtr = std::unique_ptr<ByteStream>;

class D9_ClientService : public testing::Test {
protected:
    D9_ClientService() : sim({.log = log.log()}), scope(world().reactor) { make(); }
    World& world() { return sim.world(); }

    void make(ClientService::Prepare prepare = {}) {
        ClientServiceOptions options;
        options.retry_wait = [this](std::uint32_t attempt) {
            waits.push_back(attempt);
            return base::Duration(1s * attempt);
        };
        client = std::make_unique<ClientService>(
            world(), [this] { return connect(); }, [this](Connection& c) { return session(c); },
            std::move(prepare), std::move(options));
    }
    Deferred<StreamPtr> connect() {
        ++attempts;
        if (hang)
            return sleep(world().reactor, 1h).then([]() -> base::Result<StreamPtr> {
                return base::fail(Errc::timed_out);
            });
        if (refuse) return base::Failure(Errc::connection_refused, "nobody there");
        auto ends = memory_pipe(world(), world());
        far = std::make_unique<Connection>(world(), std::move(ends.second));
        return StreamPtr(std::move(ends.first));
    }
    Deferred<void> session(Connection& connection) {
        ++sessions;
        for (;;) {
            Deferred<std::string> reading = connection.read();
            const base::Result<std::string> bytes = co_await std::move(reading);
            if (!bytes || bytes->empty()) co_return {};
        }
    }
    template <class T>
    base::Result<T> wait(Deferred<T> work) {
        sim.run_until([&] { return work.settled(); }, 24h);
        if (!work.settled()) return base::fail(Errc::internal, "never settled");
        return work.take();
    }

    test::LogCapture log;
    SimWorld sim;
    Reactor::Scope scope;
    bool refuse = false;
    bool hang = false;
    int attempts = 0;
    int sessions = 0;
    std::vector<std::uint32_t> waits;
    std::unique_ptr<Connection> far;
    std::unique_ptr<ClientService> client;
};

TEST_F(D9_ClientService, connects_and_tells_everybody_who_waits) {
    Deferred<Connection*> early = client->when_connected();
    Deferred<Connection*> other = client->when_connected();
    EXPECT_TRUE(pending(early));
    EXPECT_EQ(client->state(), ClientState::initial);
    client->start();
    client->start();
    Connection* connection = *wait(std::move(early));
    EXPECT_EQ(*wait(std::move(other)), connection);
    EXPECT_EQ(client->state(), ClientState::connected);
    EXPECT_EQ(*wait(client->when_connected()), connection) << "at once";
    EXPECT_EQ(attempts, 1);
    ASSERT_TRUE(connection->write("works"));
    EXPECT_EQ(*wait(far->read()), "works");
}

TEST_F(D9_ClientService, retries_with_growing_waits_and_begins_anew_after_a_success) {
    refuse = true;
    const auto began = sim.now();
    client->start();
    sim.run_until([&] { return attempts == 4; }, 1h);
    EXPECT_EQ(sim.now() - began, 6s) << "1 + 2 + 3";
    EXPECT_EQ(waits, (std::vector<std::uint32_t>{1, 2, 3, 4}));
    EXPECT_EQ(client->failed_attempts(), 4u);
    refuse = false;
    EXPECT_TRUE(wait(client->when_connected()));
    EXPECT_EQ(client->failed_attempts(), 0u);
    waits.clear();
    far->abort();
    sim.run_until([&] { return client->state() == ClientState::waiting; }, 1min);
    EXPECT_EQ(client->state(), ClientState::waiting);
    EXPECT_TRUE(wait(client->when_connected()));
    EXPECT_EQ(waits, (std::vector<std::uint32_t>{1})) << "a lost connection is followed by wait 1";
    EXPECT_EQ(sessions, 2);
}

TEST_F(D9_ClientService, gives_up_on_behalf_of_those_who_say_after_how_many_failures) {
    refuse = true;
    client->start();
    Deferred<Connection*> patient = client->when_connected();
    Deferred<Connection*> impatient = client->when_connected(2);
    EXPECT_EQ(wait(std::move(impatient)).error().code(), Errc::connection_refused);
    EXPECT_TRUE(pending(patient));
    EXPECT_EQ(failure_of(client->when_connected(0)).code(), Errc::invalid_argument);
    refuse = false;
    EXPECT_TRUE(wait(std::move(patient)));
}

TEST_F(D9_ClientService, counts_a_rejected_preparation_as_a_failed_attempt) {
    bool reject = true;
    make([&](Connection&) -> Deferred<void> {
        return reject ? failed(base::Failure(Errc::permission_denied, "bad password")) : ready();
    });
    client->start();
    EXPECT_EQ(wait(client->when_connected(1)).error().code(), Errc::permission_denied);
    EXPECT_EQ(sessions, 0);
    EXPECT_EQ(*wait(far->read()), "") << "it was closed";
    reject = false;
    EXPECT_TRUE(wait(client->when_connected()));
}

TEST_F(D9_ClientService, stop_ends_an_attempt_and_cancels_who_waits) {
    hang = true;
    client->start();
    Deferred<Connection*> waiting = client->when_connected();
    const auto began = sim.now();
    EXPECT_TRUE(wait(client->stop()));
    EXPECT_EQ(sim.now(), began);
    EXPECT_EQ(wait(std::move(waiting)).error().code(), Errc::cancelled);
    EXPECT_EQ(client->state(), ClientState::stopped);
    EXPECT_EQ(failure_of(client->when_connected()).code(), Errc::cancelled);
    EXPECT_TRUE(wait(client->stop())) << "again, at once";
}

TEST_F(D9_ClientService, stop_ends_a_wait_and_a_session) {
    refuse = true;
    client->start();
    sim.run_until([&] { return client->state() == ClientState::waiting; }, 1min);
    EXPECT_TRUE(wait(client->stop()));
    refuse = false;
    client->start();
    EXPECT_TRUE(wait(client->when_connected()));
    EXPECT_TRUE(wait(client->stop()));
    EXPECT_EQ(*wait(far->read()), "") << "closed in order";
    EXPECT_EQ(client->state(), ClientState::stopped);
}

TEST_F(D9_ClientService, start_while_disconnecting_connects_again_afterwards) {
    client->start();
    EXPECT_TRUE(wait(client->when_connected()));
    Deferred<void> stopping = client->stop();
    EXPECT_EQ(client->state(), ClientState::disconnecting);
    client->start();
    EXPECT_EQ(client->state(), ClientState::restarting);
    EXPECT_TRUE(wait(std::move(stopping)));
    EXPECT_TRUE(wait(client->when_connected()));
    EXPECT_EQ(attempts, 2);
}

TEST_F(D9_ClientService, stop_while_restarting_stops) {
    client->start();
    EXPECT_TRUE(wait(client->when_connected()));
    Deferred<void> first = client->stop();
    client->start();
    Deferred<void> second = client->stop();
    EXPECT_TRUE(wait(std::move(first)) && wait(std::move(second)));
    EXPECT_EQ(client->state(), ClientState::stopped);
    EXPECT_EQ(attempts, 1);
}

TEST_F(D9_ClientService, may_be_destroyed_at_any_time) {
    client->start();
    Deferred<Connection*> waiting = client->when_connected();
    EXPECT_TRUE(wait(std::move(waiting)));
    far->abort();
    sim.run_until([&] { return client->state() == ClientState::waiting; }, 1min);
    Deferred<Connection*> next = client->when_connected();
    client.reset();
    EXPECT_EQ(wait(std::move(next)).error().code(), Errc::closed);
    sim.advance(1h);
    EXPECT_EQ(attempts, 1);
}

TEST_F(D9_ClientService, default_waits_grow_to_a_limit_with_jitter) {
    const ClientServiceOptions options;
    base::Duration before{};
    for (const std::uint32_t attempt : {1u, 4u, 8u}) {
        const base::Duration wait = options.backoff.wait_after(attempt, world().entropy);
        EXPECT_GT(wait, before);
        before = wait;
    }
    EXPECT_LE(options.backoff.wait_after(100, world().entropy), 60s);
    EXPECT_NE(options.backoff.wait_after(100, world().entropy),
              options.backoff.wait_after(100, world().entropy));
}

}  // namespace
}  // namespace reactor
