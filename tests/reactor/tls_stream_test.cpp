// Established TLS streams: transfers of every size, closing, truncation, slow lower streams,
// moving.
#include "reactor/test_kit.h"
#include "tls_pair.h"

#include <random>

namespace reactor {
namespace {

using base::Errc;
using test::StreamPeer;
using TlsTransfer = test::TlsPair;

std::string pattern(std::size_t size, std::mt19937::result_type seed = 1) {
    std::mt19937 random(seed);
    std::string text(size, '\0');
    for (char& c : text)
        c = static_cast<char>(random());
    return text;
}

/// Counts the writes that reach the lower stream, and may stop them.
class CountingLower final : public ByteStream {
public:
    explicit CountingLower(std::unique_ptr<ByteStream> lower) : lower_(std::move(lower)) {}
    int writes = 0;
    int reads = 0;
    std::size_t room = SIZE_MAX;

    IoResult try_read(std::span<std::byte> into) override {
        ++reads;
        return lower_->try_read(into);
    }
    IoResult try_writev(std::span<const ConstBuffer> buffers) override {
        ++writes;
        if (room == 0) return {.status = IoStatus::would_block};
        const ConstBuffer part = buffers[0].first(std::min(buffers[0].size(), room));
        const IoResult result = lower_->try_writev({&part, 1});
        if (room != SIZE_MAX) room -= result.bytes;
        return result;
    }
    void set_observer(StreamObserver* observer) override { lower_->set_observer(observer); }
    void arm(Interest interest) override {
        if (interest == Interest::readable || room > 0) lower_->arm(interest);
    }
    void disarm(Interest interest) override { lower_->disarm(interest); }
    void shutdown_write() override { lower_->shutdown_write(); }
    void close() override { lower_->close(); }
    void abort() override { lower_->abort(); }
    Endpoint peer() const override { return lower_->peer(); }
    Endpoint local() const override { return lower_->local(); }
    void detach() override { lower_->detach(); }
    void attach(World& world) override { lower_->attach(world); }

private:
    std::unique_ptr<ByteStream> lower_;
};

class TlsOverCounting : public TlsTransfer {
protected:
    void connect_counting() {
        auto [to_client, to_server] = memory_pipe(sim.world(), sim.world(), {.capacity = 1 << 20});
        server_context = TlsServerContext::create(server_options).value();
        client_context = TlsClientContext::create(client_options).value();
        auto counting = std::make_unique<CountingLower>(std::move(to_client));
        lower = counting.get();
        auto server_stream = TlsStream::server(std::move(counting), server_context);
        auto client_stream = TlsStream::client(std::move(to_server), client_context, "x.example");
        server_tls = server_stream.get();
        client_tls = client_stream.get();
        server = std::make_unique<StreamPeer>(std::move(server_stream));
        client = std::make_unique<StreamPeer>(std::move(client_stream));
        run();
        ASSERT_TRUE(server_tls->established());
        lower->writes = lower->reads = 0;
    }
    CountingLower* lower = nullptr;
};

TEST_F(TlsOverCounting, gathers_many_small_buffers_into_one_write) {
    connect_counting();
    std::vector<std::string> texts;
    std::vector<ConstBuffer> buffers;
    for (int i = 0; i < 50; ++i)
        texts.push_back("<message id='" + std::to_string(i) + "'/>");
    std::string all;
    for (const std::string& text : texts) {
        buffers.push_back(base::as_bytes(text));
        all += text;
    }
    buffers.insert(buffers.begin() + 1, ConstBuffer());
    const IoResult result = server_tls->try_writev(buffers);
    EXPECT_EQ(result.bytes, all.size());
    EXPECT_EQ(lower->writes, 1);
    run();
    EXPECT_EQ(client->received(), all);
}

TEST_F(TlsOverCounting, reads_one_message_with_one_read_of_the_lower_stream) {
    connect_counting();
    client->send("one");
    run();
    EXPECT_EQ(server->received(), "one");
    EXPECT_EQ(lower->reads, 1);
}

TEST_F(TlsOverCounting, keeps_the_last_byte_of_a_record_until_the_lower_stream_has_it_all) {
    connect_counting();
    lower->room = 30;
    const std::string text = pattern(1000);
    const ConstBuffer buffer = base::as_bytes(text);
    IoResult result = server_tls->try_writev({&buffer, 1});
    EXPECT_EQ(result.status, IoStatus::ok);
    EXPECT_EQ(result.bytes, 999U);
    EXPECT_FALSE(result.maybe_more);
    // The caller may by now have dropped everything but that byte, and have added more.
    const std::string rest = text.substr(999) + "more";
    const ConstBuffer more = base::as_bytes(rest);
    EXPECT_EQ(server_tls->try_writev({&more, 1}).status, IoStatus::would_block);
    lower->room = SIZE_MAX;
    result = server_tls->try_writev({&more, 1});
    EXPECT_EQ(result.bytes, 5U);
    run();
    EXPECT_EQ(client->received(), text + "more");
}

TEST_F(TlsOverCounting, takes_nothing_of_a_one_byte_record_that_does_not_fit) {
    connect_counting();
    lower->room = 0;
    const ConstBuffer buffer = base::as_bytes(" ");
    EXPECT_EQ(server_tls->try_writev({&buffer, 1}).status, IoStatus::would_block);
    lower->room = SIZE_MAX;
    EXPECT_EQ(server_tls->try_writev({&buffer, 1}).bytes, 1U);
    run();
    EXPECT_EQ(client->received(), " ");
}

TEST_F(TlsOverCounting, closes_at_once_even_when_the_lower_stream_is_full) {
    connect_counting();
    lower->room = 10;
    const std::string text = pattern(1000);
    const ConstBuffer buffer = base::as_bytes(text);
    server_tls->try_writev({&buffer, 1});
    server_tls->close();
    run();
    EXPECT_EQ(client->failed(), Errc::connection_lost) << "cut in the middle of a record";
}

TEST_F(TlsTransfer, carries_any_size_both_ways_at_once) {
    for (const TlsVersion version : {TlsVersion::tls_1_2, TlsVersion::tls_1_3}) {
        client_options.version_max = version;
        for (const std::size_t size : {1U, 16'383U, 16'384U, 16'385U, 100'000U, 1'000'000U}) {
            connect_and_run();
            const std::string up = pattern(size, 1);
            const std::string down = pattern(size, 2);
            client->send(up);
            server->send(down);
            run();
            EXPECT_EQ(server->received(), up);
            EXPECT_EQ(client->received(), down);
            EXPECT_EQ(server->unsent() + client->unsent(), 0U);
        }
    }
}

TEST_F(TlsTransfer, survives_random_short_reads_and_writes) {
    std::mt19937 random(11);
    for (int round = 0; round < 60; ++round) {
        pipe_options.capacity = 1 + random() % 3000;
        pipe_options.transfer_max = 1 + random() % 700;
        client_options.version_max = round % 3 == 0 ? TlsVersion::tls_1_2 : TlsVersion::tls_1_3;
        connect_and_run();
        std::string up;
        std::string down;
        for (int step = 0; step < 40; ++step) {
            const std::string text = pattern(random() % (step % 10 == 0 ? 40'000 : 300), random());
            const bool upward = random() % 2 == 0;
            (upward ? client : server)->send(text);
            (upward ? up : down) += text;
            if (random() % 5 == 0) server->pause();
            if (random() % 3 == 0) server->resume();
            if (random() % 2 == 0) run();
        }
        server->resume();
        run();
        ASSERT_EQ(server->received(), up) << round;
        ASSERT_EQ(client->received(), down) << round;
    }
}

TEST_F(TlsTransfer, tells_the_reader_about_bytes_that_openssl_already_holds) {
    connect_and_run();
    client->send(pattern(3000));
    server->pause();
    run();
    auto small = std::make_unique<StreamPeer>(server->release(), 100);
    run();
    EXPECT_EQ(small->received(), pattern(3000));
    // Nothing more: an armed reader must not spin.
    const auto turns = sim.turns();
    run();
    EXPECT_LE(sim.turns(), turns + 2);
}

TEST_F(TlsTransfer, ends_in_an_orderly_way_after_close) {
    connect_and_run();
    server->send("bye");
    server->stream().close();
    run();
    EXPECT_EQ(client->received(), "bye");
    EXPECT_TRUE(client->ended());
    EXPECT_FALSE(client->failed());
}

TEST_F(TlsTransfer, half_closes) {
    connect_and_run();
    client->send("question");
    client->stream().shutdown_write();
    run();
    EXPECT_EQ(server->received(), "question");
    EXPECT_TRUE(server->ended());
    server->send("answer");
    run();
    EXPECT_EQ(client->received(), "answer");
    const ConstBuffer buffer = base::as_bytes("x");
    EXPECT_EQ(client->stream().try_writev({&buffer, 1}).error, Errc::closed);
}

TEST_F(TlsTransfer, fails_to_write_when_the_peer_said_close_notify_and_is_gone) {
    for (const TlsVersion version : {TlsVersion::tls_1_2, TlsVersion::tls_1_3}) {
        client_options.version_max = version;
        connect_and_run();
        client->stream().close();
        run();
        EXPECT_TRUE(server->ended());
        const ConstBuffer buffer = base::as_bytes("last words");
        const IoResult result = server->stream().try_writev({&buffer, 1});
        EXPECT_EQ(result.status, IoStatus::failed) << "a writer that waits would spin";
        EXPECT_EQ(result.error, Errc::connection_lost);
    }
}

TEST_F(TlsTransfer, takes_an_end_without_close_notify_for_a_lost_connection) {
    for (const TlsVersion version : {TlsVersion::tls_1_2, TlsVersion::tls_1_3}) {
        client_options.version_max = version;
        auto [to_client, to_server] = memory_pipe(sim.world(), sim.world());
        auto [relay_up, relay_down] = memory_pipe(sim.world(), sim.world());
        server_context = TlsServerContext::create(server_options).value();
        client_context = TlsClientContext::create(client_options).value();
        auto server_stream = TlsStream::server(std::move(to_client), server_context);
        auto client_stream = TlsStream::client(std::move(relay_up), client_context, "x");
        server_tls = server_stream.get();
        StreamPeer at_server(std::move(server_stream));
        StreamPeer at_client(std::move(client_stream));
        // A relay in the middle that ends the stream without TLS's knowledge.
        StreamPeer left(std::move(to_server));
        StreamPeer right(std::move(relay_down));
        const auto pump = [&] {
            for (int i = 0; i < 20; ++i) {
                run();
                left.send(right.take());
                right.send(left.take());
            }
        };
        at_client.send("cut");
        pump();
        EXPECT_EQ(at_server.received(), "cut");
        left.stream().close();
        run();
        EXPECT_EQ(at_server.failed(), Errc::connection_lost);
        EXPECT_FALSE(at_server.ended());
        EXPECT_NE(text_of(server_tls->failure()).find("close_notify"), std::string::npos);
    }
}

TEST_F(TlsTransfer, fails_on_a_changed_record) {
    auto [to_client, to_server] = memory_pipe(sim.world(), sim.world());
    auto [relay_up, relay_down] = memory_pipe(sim.world(), sim.world());
    server_context = TlsServerContext::create(server_options).value();
    client_context = TlsClientContext::create(client_options).value();
    StreamPeer at_server(TlsStream::server(std::move(to_client), server_context));
    StreamPeer at_client(TlsStream::client(std::move(relay_up), client_context, "x"));
    StreamPeer left(std::move(to_server));
    StreamPeer right(std::move(relay_down));
    for (int i = 0; i < 20; ++i) {
        run();
        left.send(right.take());
        right.send(left.take());
    }
    at_client.send("payload");
    run();
    std::string record = right.take();
    ASSERT_FALSE(record.empty());
    record.back() = static_cast<char>(record.back() ^ 1);
    left.send(record);
    run();
    EXPECT_EQ(at_server.received(), "");
    EXPECT_EQ(at_server.failed(), Errc::tls_failed);
}

TEST_F(TlsTransfer, breaks_on_abort) {
    connect_and_run();
    server->send("lost");
    server->stream().abort();
    run();
    EXPECT_EQ(client->failed(), Errc::connection_lost);
    EXPECT_EQ(client->received(), "");
}

TEST_F(TlsTransfer, may_be_destroyed_by_its_observer) {
    connect_and_run();
    struct Destroyer final : StreamObserver {
        std::unique_ptr<ByteStream> stream;
        int calls = 0;
        void on_ready(Interest) override {
            ++calls;
            stream.reset();
        }
    };
    Destroyer destroyer;
    destroyer.stream = server->release();
    destroyer.stream->set_observer(&destroyer);
    destroyer.stream->arm(Interest::readable);
    destroyer.stream->arm(Interest::writable);
    client->send("x");
    run();
    EXPECT_EQ(destroyer.calls, 1);
}

TEST(TlsMove, goes_on_in_another_shard) {
    SimWorld sim({.shards = 2});
    auto [to_client, to_server] = memory_pipe(sim.world(0), sim.world(0));
    auto server_context =
        TlsServerContext::create({.identity = test::identity_for("x.example")}).value();
    auto client_context = TlsClientContext::create({.verify = TlsVerify::none}).value();
    auto tls = TlsStream::server(std::move(to_client), server_context);
    TlsStream* stream = tls.get();
    StreamPeer server(std::move(tls));
    StreamPeer client(TlsStream::client(std::move(to_server), client_context, "x.example"));
    client.send("before");
    ASSERT_TRUE(sim.run_ready());
    EXPECT_EQ(server.take(), "before");
    stream->detach();
    client.send("between");
    ASSERT_TRUE(sim.run_ready());
    EXPECT_EQ(server.take(), "");
    sim.on(sim.world(1), [&] {
        stream->attach(sim.world(1));
        server.watch();
    });
    client.send(" and after");
    ASSERT_TRUE(sim.run_ready());
    EXPECT_EQ(server.take(), "between and after");
    server.send("answer");
    ASSERT_TRUE(sim.run_ready());
    EXPECT_EQ(client.take(), "answer");
    client.destroy();
    server.destroy();
}

}  // namespace
}  // namespace reactor
