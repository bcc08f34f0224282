#include "reactor/outbound_buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace reactor {
namespace {

/// Takes at most `room` bytes in all, and at most `once` per call.
class Sink final : public ByteStream {
public:
    std::string taken;
    std::vector<std::size_t> buffers_per_call;
    std::size_t room = SIZE_MAX;
    std::size_t once = SIZE_MAX;
    bool broken = false;

    IoResult try_writev(std::span<const ConstBuffer> buffers) override {
        buffers_per_call.push_back(buffers.size());
        if (broken) return {.status = IoStatus::failed, .error = base::Errc::connection_lost};
        if (room == 0) return {.status = IoStatus::would_block};
        std::size_t count = 0;
        for (const ConstBuffer& buffer : buffers) {
            const std::size_t part = std::min({buffer.size(), room, once - count});
            taken += base::as_text(buffer.first(part));
            room -= part;
            count += part;
        }
        return {.bytes = count};
    }
    IoResult try_read(std::span<std::byte>) override { return {.status = IoStatus::would_block}; }
    void set_observer(StreamObserver*) override {}
    void arm(Interest) override {}
    void disarm(Interest) override {}
    void shutdown_write() override {}
    void close() override {}
    void abort() override {}
    Endpoint peer() const override { return {}; }
    Endpoint local() const override { return {}; }
    void detach() override {}
    void attach(World&) override {}
};

base::SharedBytes shared(std::size_t size, char letter) {
    return base::SharedBytes(std::string(size, letter));
}

TEST(OutboundQueue, gathers_small_texts_into_one_buffer) {
    OutboundQueue queue;
    for (int i = 0; i < 100; ++i)
        queue.append("<r/>");
    queue.append(shared(100, 's'));
    EXPECT_EQ(queue.size_bytes(), 500U);
    Sink sink;
    EXPECT_EQ(queue.flush(sink).status, IoStatus::ok);
    EXPECT_EQ(sink.buffers_per_call, std::vector<std::size_t>{1});
    EXPECT_EQ(sink.taken.size(), 500U);
    EXPECT_TRUE(queue.empty());
}

TEST(OutboundQueue, keeps_order_between_own_and_shared_bytes) {
    OutboundQueue queue;
    queue.append("a");
    queue.append(shared(1000, 'b'));
    queue.append("c");
    queue.append(shared(1000, 'd'));
    Sink sink;
    EXPECT_EQ(queue.flush(sink).bytes, 2002U);
    EXPECT_EQ(sink.taken, "a" + std::string(1000, 'b') + "c" + std::string(1000, 'd'));
    EXPECT_EQ(sink.buffers_per_call, std::vector<std::size_t>{4});
}

TEST(OutboundQueue, asks_once_and_then_waits_when_the_stream_takes_a_part) {
    OutboundQueue queue;
    queue.append("0123456789");
    Sink sink;
    sink.room = 4;
    const IoResult result = queue.flush(sink);
    EXPECT_EQ(result.status, IoStatus::would_block);
    EXPECT_EQ(result.bytes, 4U);
    EXPECT_EQ(sink.buffers_per_call.size(), 1U);
    EXPECT_EQ(queue.size_bytes(), 6U);
    EXPECT_EQ(queue.flush(sink).status, IoStatus::would_block);
    sink.room = 100;
    queue.append("A");
    EXPECT_EQ(queue.flush(sink).status, IoStatus::ok);
    EXPECT_EQ(sink.taken, "0123456789A");
}

TEST(OutboundQueue, keeps_its_bytes_when_the_stream_breaks) {
    OutboundQueue queue;
    queue.append("kept");
    Sink sink;
    sink.broken = true;
    const IoResult result = queue.flush(sink);
    EXPECT_EQ(result.status, IoStatus::failed);
    EXPECT_EQ(result.error, base::Errc::connection_lost);
    EXPECT_EQ(queue.size_bytes(), 4U);
}

TEST(OutboundQueue, flushes_an_empty_queue_without_a_call) {
    OutboundQueue queue;
    queue.append("");
    queue.append(base::SharedBytes());
    Sink sink;
    EXPECT_EQ(queue.flush(sink).status, IoStatus::ok);
    EXPECT_TRUE(sink.buffers_per_call.empty());
}

TEST(OutboundQueue, writes_more_slices_than_one_call_gathers) {
    OutboundQueue queue;
    std::string all;
    for (int i = 0; i < 200; ++i) {
        queue.append(shared(600, static_cast<char>('a' + i % 26)));
        all += std::string(600, static_cast<char>('a' + i % 26));
    }
    Sink sink;
    EXPECT_EQ(queue.flush(sink).status, IoStatus::ok);
    EXPECT_EQ(sink.taken, all);
}

TEST(OutboundQueue, can_be_moved_and_cleared) {
    OutboundQueue queue;
    queue.append("text");
    OutboundQueue other(std::move(queue));
    EXPECT_EQ(other.size_bytes(), 4U);
    queue = std::move(other);
    EXPECT_EQ(queue.size_bytes(), 4U);
    queue.clear();
    EXPECT_TRUE(queue.empty());
    queue.append("again");
    EXPECT_EQ(queue.size_bytes(), 5U);
}

TEST(OutboundQueue, survives_random_appends_and_partial_writes) {
    std::mt19937 random(7);
    const auto draw = [&](std::size_t limit) { return std::size_t{random()} % limit; };
    OutboundQueue queue;
    Sink sink;
    std::string expected;
    for (int step = 0; step < 20'000; ++step) {
        const std::string text(draw(3) == 0 ? draw(3000) : draw(40),
                               static_cast<char>('a' + step % 26));
        expected += text;
        if (draw(2) == 0) {
            queue.append(text);
        } else {
            queue.append(base::SharedBytes(text));
        }
        sink.room = draw(2000);
        queue.flush(sink);
        ASSERT_EQ(sink.taken.size() + queue.size_bytes(), expected.size());
    }
    sink.room = SIZE_MAX;
    queue.flush(sink);
    EXPECT_EQ(sink.taken, expected);
}

}  // namespace
}  // namespace reactor
