// D3, D4: a connection with a queue, watermarks, producers and pipes. On virtual time.
#include "reactor/net/connection.h"

#include "reactor/memory_pipe.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

namespace reactor {
namespace {

using base::Errc;
using test::failure_of;
using test::value_of;
using namespace std::chrono_literals;

class OnConnections : public testing::Test {
protected:
    OnConnections() : sim({.log = log.log()}), scope(world().reactor) {}

    World& world() { return sim.world(); }
    void connect(ConnectionOptions options = {}, MemoryPipeOptions pipe_options = {}) {
        auto ends = memory_pipe(world(), world(), pipe_options);
        ours = std::make_unique<Connection>(world(), std::move(ends.first), options);
        theirs = std::make_unique<Connection>(world(), std::move(ends.second));
    }
    template <class T>
    base::Result<T> wait(Deferred<T> work) {
        sim.run_until([&] { return work.settled(); }, 1h);
        if (!work.settled()) return base::fail(Errc::internal, "never settled");
        return work.take();
    }

    test::LogCapture log;
    SimWorld sim;
    Reactor::Scope scope;
    std::unique_ptr<Connection> ours;
    std::unique_ptr<Connection> theirs;
};

class D3_Connection : public OnConnections {};
class D4_Producers : public OnConnections {};

TEST_F(D3_Connection, gathers_writes_until_the_end_of_the_turn) {
    connect();
    ASSERT_TRUE(ours->write("one "));
    ASSERT_TRUE(ours->write("two"));
    EXPECT_EQ(ours->unsent_bytes(), 7u) << "never written immediately";
    EXPECT_EQ(*wait(theirs->read()), "one two");
    EXPECT_EQ(ours->unsent_bytes(), 0u);
}

TEST_F(D3_Connection, reads_lines_and_exact_counts_from_any_segmentation) {
    connect({}, {.transfer_max = 3});
    ASSERT_TRUE(theirs->write("hello\r\nworld\r\n12345rest"));
    EXPECT_EQ(*wait(ours->read_until("\r\n")), "hello");
    EXPECT_EQ(*wait(ours->read_until("\r\n")), "world");
    EXPECT_EQ(*wait(ours->read_exactly(5)), "12345");
    EXPECT_EQ(*wait(ours->read_exactly(0)), "");
    theirs->shutdown_write();
    EXPECT_EQ(*wait(ours->read_exactly(4)), "rest");
    EXPECT_EQ(*wait(ours->read()), "") << "the orderly end";
    EXPECT_EQ(*wait(ours->read()), "") << "and it stays so";
    EXPECT_EQ(wait(ours->read_exactly(1)).error().code(), Errc::connection_done);
    EXPECT_FALSE(ours->ended()) << "we may still write";
    ASSERT_TRUE(ours->write("bye"));
    EXPECT_EQ(*wait(theirs->read()), "bye");
}

TEST_F(D3_Connection, tells_an_end_in_the_middle_from_an_end_between) {
    connect();
    ASSERT_TRUE(theirs->write("half a li"));
    theirs->shutdown_write();
    EXPECT_EQ(wait(ours->read_until("\n")).error().code(), Errc::connection_lost);
    EXPECT_EQ(*wait(ours->read()), "half a li") << "what came can still be had";
}

TEST_F(D3_Connection, bounds_lines_and_refuses_a_second_reader) {
    connect({.line_bytes_max = 8});
    ASSERT_TRUE(theirs->write("12345678\n123456789\n"));
    EXPECT_EQ(*wait(ours->read_until("\n")), "12345678");
    EXPECT_EQ(wait(ours->read_until("\n")).error().code(), Errc::resource_exhausted);
    EXPECT_EQ(wait(ours->read_until("")).error().code(), Errc::invalid_argument);
    EXPECT_EQ(*wait(ours->read()), "123456789\n");
    Deferred<std::string> first = ours->read();
    EXPECT_EQ(failure_of(ours->read()).code(), Errc::busy);
    {
        const Deferred<std::string> dropped = std::move(first);
    }
    ASSERT_TRUE(theirs->write("kept"));
    EXPECT_EQ(*wait(ours->read()), "kept") << "dropping a read loses nothing";
}

TEST_F(D3_Connection, closes_after_flushing_and_says_so_once) {
    connect({}, {.capacity = 16});
    const std::string large(1000, 'x');
    ASSERT_TRUE(ours->write(large));
    Deferred<base::Failure> ending = ours->when_ended();
    Deferred<void> closing = ours->close();
    EXPECT_EQ(ours->write("late").error().code(), Errc::closed);
    sim.run_ready();
    EXPECT_FALSE(closing.settled()) << "the peer has not read";
    std::string received;
    while (received.size() < large.size())
        received += *wait(theirs->read());
    EXPECT_TRUE(wait(std::move(closing)));
    EXPECT_EQ(wait(std::move(ending))->code(), Errc::connection_done);
    EXPECT_EQ(wait(ours->when_ended())->code(), Errc::connection_done) << "for late askers too";
    EXPECT_EQ(*wait(theirs->read()), "");
}

TEST_F(D3_Connection, gives_a_close_up_that_takes_too_long) {
    connect({.close_timeout = 2s}, {.capacity = 16});
    ASSERT_TRUE(ours->write(std::string(1000, 'x')));
    const auto began = sim.now();
    EXPECT_EQ(wait(ours->close()).error().code(), Errc::timed_out);
    EXPECT_EQ(sim.now() - began, 2s);
    EXPECT_TRUE(ours->ended()->is(Errc::connection_aborted));
    EXPECT_EQ(wait(theirs->read()).error().code(), Errc::connection_lost);
}

TEST_F(D3_Connection, aborts_and_fails_what_waits) {
    connect();
    Deferred<std::string> reading = ours->read();
    ours->abort();
    EXPECT_FALSE(reading.settled()) << "never inside the call";
    EXPECT_EQ(wait(std::move(reading)).error().code(), Errc::connection_aborted);
    EXPECT_EQ(wait(ours->drain()).error().code(), Errc::connection_aborted);
    EXPECT_EQ(wait(ours->close()).error().code(), Errc::connection_aborted);
    ours->abort();
}

TEST_F(D3_Connection, may_go_while_a_read_waits) {
    connect();
    Deferred<std::string> waits = ours->read();
    Deferred<std::string> dropped = theirs->read();
    Deferred<base::Failure> ending = ours->when_ended();
    ours.reset();
    theirs.reset();
    {
        const Deferred<std::string> gone = std::move(dropped);
    }
    EXPECT_EQ(wait(std::move(waits)).error().code(), Errc::closed);
    EXPECT_EQ(wait(std::move(ending))->code(), Errc::closed);
}

TEST_F(D3_Connection, ends_when_both_sides_ended) {
    connect();
    ours->shutdown_write();
    EXPECT_EQ(*wait(theirs->read()), "");
    theirs->shutdown_write();
    EXPECT_EQ(*wait(ours->read()), "");
    EXPECT_TRUE(ours->ended()->is(Errc::connection_done));
}

TEST_F(D3_Connection, refuses_plaintext_that_came_before_tls) {
    connect();
    ASSERT_TRUE(theirs->write("starttls\ninjected"));
    EXPECT_EQ(*wait(ours->read_until("\n")), "starttls");
    const auto same = [](std::unique_ptr<ByteStream> stream) { return stream; };
    EXPECT_EQ(ours->upgrade(same).error().code(), Errc::invalid_argument);
    EXPECT_EQ(*wait(ours->read()), "injected");
    ASSERT_TRUE(ours->write("unsent"));
    EXPECT_EQ(ours->upgrade(same).error().code(), Errc::busy);
    sim.run_ready();
    EXPECT_TRUE(ours->upgrade(same));
    EXPECT_EQ(*wait(theirs->read()), "unsent");
    ASSERT_TRUE(theirs->write("on the new stream"));
    EXPECT_EQ(*wait(ours->read()), "on the new stream");
}

TEST_F(D4_Producers, drain_waits_from_the_high_to_the_low_watermark) {
    connect({.write_high_bytes = 1000, .write_low_bytes = 200}, {.capacity = 100});
    ASSERT_TRUE(ours->write(std::string(999, 'x')));
    EXPECT_TRUE(ours->drain().settled()) << "below the high watermark";
    ASSERT_TRUE(ours->write("x"));
    Deferred<void> draining = ours->drain();
    std::size_t received = 0;
    while (ours->unsent_bytes() > 200) {
        ASSERT_FALSE(draining.settled()) << "not at the first byte: " << ours->unsent_bytes();
        received += wait(theirs->read())->size();
        sim.run_ready();
    }
    while (!draining.settled() && received < 1000)
        received += wait(theirs->read())->size();
    EXPECT_TRUE(wait(std::move(draining)));
    EXPECT_LE(ours->unsent_bytes(), 200u);
    EXPECT_GT(ours->unsent_bytes(), 0u) << "not only at zero";
}

TEST_F(D4_Producers, caps_what_a_slow_peer_may_cost) {
    connect({.write_bytes_max = 100, .on_overflow = Overflow::refuse}, {.capacity = 10});
    ASSERT_TRUE(ours->write(std::string(100, 'x')));
    EXPECT_EQ(ours->write("x").error().code(), Errc::queue_full);
    EXPECT_FALSE(ours->ended());
    connect({.write_bytes_max = 100, .on_overflow = Overflow::abort}, {.capacity = 10});
    ASSERT_TRUE(ours->write(std::string(100, 'x')));
    EXPECT_EQ(ours->write("x").error().code(), Errc::queue_full);
    EXPECT_TRUE(ours->ended()->is(Errc::connection_aborted));
}

struct Source final : PushSource {
    void pause() override { calls += "p"; }
    void resume() override { calls += "r"; }
    void stop() override { calls += "s"; }
    std::string calls;
};

TEST_F(D4_Producers, a_push_source_is_paused_resumed_and_stopped) {
    connect({.write_high_bytes = 100, .write_low_bytes = 10}, {.capacity = 50});
    Source source;
    Source second;
    ASSERT_TRUE(ours->register_source(source));
    EXPECT_EQ(ours->register_source(second).error().code(), Errc::already_exists);
    EXPECT_EQ(second.calls, "");
    ASSERT_TRUE(ours->write(std::string(200, 'x')));
    ASSERT_TRUE(ours->write("y"));
    EXPECT_EQ(source.calls, "p") << "once";
    std::size_t received = 0;
    while (received < 201)
        received += wait(theirs->read())->size();
    sim.run_ready();
    EXPECT_EQ(source.calls, "pr");
    ours->abort();
    EXPECT_EQ(source.calls, "prs");
    EXPECT_EQ(ours->register_source(second).error().code(), Errc::closed);
    EXPECT_EQ(second.calls, "s") << "on a lost connection it is stopped";
}

TEST_F(D4_Producers, a_pipe_obeys_the_slower_side_and_counts) {
    auto left = memory_pipe(world(), world(), {.capacity = 1000});
    auto right = memory_pipe(world(), world(), {.capacity = 10});
    Connection source(world(), std::move(left.first));
    Connection from(world(), std::move(left.second));
    Connection to(world(), std::move(right.first),
                  {.write_high_bytes = 2000, .write_low_bytes = 1});
    Connection sink(world(), std::move(right.second));
    const std::string large(100'000, 'x');
    ASSERT_TRUE(source.write(large));
    source.shutdown_write();
    Deferred<std::uint64_t> piping = pipe(from, to);
    sim.run_ready();
    EXPECT_LT(to.unsent_bytes(), 4000u) << "held back, not buffered";
    EXPECT_GT(source.unsent_bytes(), 90'000u);
    std::size_t received = 0;
    while (received < large.size())
        received += wait(sink.read())->size();
    EXPECT_EQ(*wait(std::move(piping)), large.size());
    EXPECT_FALSE(to.ended()) << "the pipe ends neither";
}

TEST_F(D4_Producers, a_proxy_passes_ends_on_and_breaks_with_either_side) {
    auto left = memory_pipe(world(), world());
    auto right = memory_pipe(world(), world());
    Connection client(world(), std::move(left.first));
    Connection inner(world(), std::move(left.second));
    Connection outer(world(), std::move(right.first));
    Connection server(world(), std::move(right.second));
    Deferred<void> proxy = pipe_both(inner, outer);
    ASSERT_TRUE(client.write("ask"));
    client.shutdown_write();
    EXPECT_EQ(*wait(server.read()), "ask");
    EXPECT_EQ(*wait(server.read()), "");
    ASSERT_TRUE(server.write("answer"));
    EXPECT_EQ(*wait(client.read()), "answer") << "half closed, not closed";
    server.abort();
    EXPECT_EQ(wait(std::move(proxy)).error().code(), Errc::connection_lost);
}

}  // namespace
}  // namespace reactor
