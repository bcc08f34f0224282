#include "reactor/memory_pipe.h"

#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"
#include "stream_peer.h"

#include <gtest/gtest.h>

namespace reactor {
namespace {

using test::StreamPeer;

class MemoryPipe : public testing::Test {
protected:
    void make(MemoryPipeOptions options = {}) {
        std::tie(a, b) = memory_pipe(sim.world(), sim.world(), options);
    }
    static IoResult write(ByteStream& stream, std::string_view text) {
        const ConstBuffer buffer = base::as_bytes(text);
        return stream.try_writev({&buffer, 1});
    }
    static IoResult read(ByteStream& stream, std::string& out, std::size_t limit = 100) {
        std::vector<std::byte> bytes(limit);
        const IoResult result = stream.try_read(bytes);
        out = base::as_text(std::span(bytes).first(result.bytes));
        return result;
    }

    SimWorld sim{SimOptions{}};
    std::unique_ptr<ByteStream> a;
    std::unique_ptr<ByteStream> b;
    std::string text;
};

struct Counter final : StreamObserver {
    void on_ready(Interest interest) override {
        (interest == Interest::readable ? readable : writable)++;
        if (then) then();
    }
    int readable = 0;
    int writable = 0;
    std::function<void()> then;
};

TEST_F(MemoryPipe, carries_bytes_in_order_both_ways) {
    make();
    EXPECT_EQ(write(*a, "one ").bytes, 4U);
    EXPECT_EQ(write(*a, "two").bytes, 3U);
    EXPECT_EQ(write(*b, "back").bytes, 4U);
    EXPECT_EQ(read(*b, text).status, IoStatus::ok);
    EXPECT_EQ(text, "one two");
    EXPECT_EQ(read(*a, text).status, IoStatus::ok);
    EXPECT_EQ(text, "back");
    EXPECT_EQ(read(*a, text).status, IoStatus::would_block);
}

TEST_F(MemoryPipe, takes_no_more_than_its_capacity) {
    make({.capacity = 8});
    EXPECT_EQ(write(*a, "0123456789").bytes, 8U);
    EXPECT_EQ(write(*a, "8").status, IoStatus::would_block);
    read(*b, text, 3);
    EXPECT_EQ(write(*a, "8901").bytes, 3U);
    read(*b, text);
    EXPECT_EQ(text, "34567890");
}

TEST_F(MemoryPipe, tells_an_armed_writer_once_there_is_room) {
    make({.capacity = 4});
    Counter counter;
    a->set_observer(&counter);
    write(*a, "full");
    a->arm(Interest::writable);
    a->arm(Interest::writable);
    sim.run_ready();
    EXPECT_EQ(counter.writable, 0);
    read(*b, text, 1);
    read(*b, text, 1);
    sim.run_ready();
    EXPECT_EQ(counter.writable, 1);
}

TEST_F(MemoryPipe, tells_an_armed_reader_from_the_loop_and_not_inside_the_call) {
    make();
    Counter counter;
    b->set_observer(&counter);
    b->arm(Interest::readable);
    write(*a, "x");
    EXPECT_EQ(counter.readable, 0);
    sim.run_ready();
    EXPECT_EQ(counter.readable, 1);
    write(*a, "y");
    sim.run_ready();
    EXPECT_EQ(counter.readable, 1) << "not armed again";
    b->arm(Interest::readable);
    EXPECT_EQ(counter.readable, 1);
    sim.run_ready();
    EXPECT_EQ(counter.readable, 2);
}

TEST_F(MemoryPipe, does_not_tell_after_disarm) {
    make();
    Counter counter;
    b->set_observer(&counter);
    b->arm(Interest::readable);
    write(*a, "x");
    b->disarm(Interest::readable);
    sim.run_ready();
    EXPECT_EQ(counter.readable, 0);
}

TEST_F(MemoryPipe, may_be_destroyed_by_its_observer) {
    make();
    Counter counter;
    counter.then = [&] { b.reset(); };
    b->set_observer(&counter);
    b->arm(Interest::readable);
    b->arm(Interest::writable);
    write(*a, "x");
    sim.run_ready();
    EXPECT_EQ(counter.readable + counter.writable, 1);
    EXPECT_EQ(write(*a, "y").status, IoStatus::failed);
}

TEST_F(MemoryPipe, may_be_moved_away_by_its_observer) {
    make();
    Counter counter;
    counter.then = [&] { b->detach(); };
    b->set_observer(&counter);
    b->arm(Interest::readable);
    b->arm(Interest::writable);
    write(*a, "x");
    sim.run_ready();
    EXPECT_EQ(counter.readable, 1);
    EXPECT_EQ(counter.writable, 0) << "that was forgotten";
}

TEST_F(MemoryPipe, may_be_destroyed_while_a_delivery_is_owed) {
    make();
    Counter counter;
    b->set_observer(&counter);
    b->arm(Interest::writable);
    b.reset();
    sim.run_ready();
    EXPECT_EQ(counter.writable, 0);
}

TEST_F(MemoryPipe, half_closes) {
    make();
    write(*a, "last");
    a->shutdown_write();
    EXPECT_EQ(write(*a, "more").error, base::Errc::closed);
    EXPECT_TRUE(read(*b, text).maybe_more);
    EXPECT_EQ(text, "last");
    EXPECT_EQ(read(*b, text).status, IoStatus::end_of_stream);
    EXPECT_EQ(read(*b, text).status, IoStatus::end_of_stream);
    write(*b, "answer");
    read(*a, text);
    EXPECT_EQ(text, "answer");
}

TEST_F(MemoryPipe, delivers_what_was_written_before_a_close) {
    make();
    StreamPeer reader(std::move(b));
    write(*a, "bye");
    a->close();
    sim.run_ready();
    EXPECT_EQ(reader.received(), "bye");
    EXPECT_TRUE(reader.ended());
    EXPECT_EQ(write(reader.stream(), "x").error, base::Errc::connection_lost);
}

TEST_F(MemoryPipe, loses_everything_on_abort) {
    make();
    StreamPeer reader(std::move(b));
    write(*a, "gone");
    a->abort();
    sim.run_ready();
    EXPECT_EQ(reader.received(), "");
    EXPECT_EQ(reader.failed(), base::Errc::connection_lost);
}

TEST_F(MemoryPipe, can_be_awaited) {
    make();
    auto waiting = when_ready(*b, Interest::readable);
    sim.run_ready();
    EXPECT_FALSE(waiting.settled());
    write(*a, "x");
    sim.run_ready();
    EXPECT_TRUE(waiting.settled());
    EXPECT_TRUE(waiting.take());
    {
        auto dropped = when_ready(*b, Interest::writable);
    }
    sim.run_ready();
}

TEST_F(MemoryPipe, shortens_transfers_when_asked) {
    make({.capacity = 100, .transfer_max = 2});
    EXPECT_EQ(write(*a, "abcdef").bytes, 2U);
    write(*a, "cdef");
    EXPECT_TRUE(read(*b, text).maybe_more);
    EXPECT_EQ(text, "ab");
}

TEST_F(MemoryPipe, works_between_two_worlds_and_moves) {
    SimWorld two({.shards = 2});
    std::tie(a, b) = memory_pipe(two.world(0), two.world(1));
    StreamPeer left(std::move(a));
    StreamPeer right(std::move(b));
    left.send("hello");
    two.run_ready();
    EXPECT_EQ(right.take(), "hello");
    right.stream().detach();
    left.send("later");
    two.run_ready();
    EXPECT_EQ(right.take(), "");
    right.stream().attach(two.world(0));
    right.watch();
    two.run_ready();
    EXPECT_EQ(right.take(), "later");
    left.destroy();
    right.destroy();
}

}  // namespace
}  // namespace reactor
