// The kernel's sockets, for real: loopback and Unix-domain sockets, ports chosen by the system.
#include "reactor/tcp_network.h"

#include "reactor/real_world.h"
#include "reactor/test_kit.h"
#include "reactor/tls.h"
#include "stream_peer.h"
#include "tls_pair.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <mutex>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using test::StreamPeer;
using namespace std::chrono_literals;
using StreamPtr = std::unique_ptr<ByteStream>;

class RecordingSink final : public base::LogSink {
public:
    void write(base::LogLevel, std::string_view event, std::span<const base::LogField>) override {
        const std::lock_guard lock(mutex_);
        events_.emplace_back(event);
    }
    std::size_t count(std::string_view event) {
        const std::lock_guard lock(mutex_);
        return static_cast<std::size_t>(std::ranges::count(events_, event));
    }

private:
    std::mutex mutex_;
    std::vector<std::string> events_;
};

RealShardsOptions shards_of(ShardId count) {
    RealShardsOptions options;
    options.count = count;
    return options;
}

/// Two shards, both driven by the test's own thread, turn by turn.
class TcpNetwork : public testing::Test {
protected:
    TcpNetwork()
        : shards(shards_of(2), base::Log(sink), make_tcp_network), scope(world().reactor) {}
    ~TcpNetwork() override {
        listeners.clear();
        accepted.clear();
        client.reset();
        run_turns(3);
    }

    World& world(ShardId shard = 0) { return shards.world(shard); }
    void run_turns(int count) {
        for (int i = 0; i < count; ++i)
            for (ShardId shard = 0; shard < 2; ++shard)
                world(shard).reactor.run_turn();
    }
    /// Turns until `done`; the limit only bounds a failing test.
    bool run_until(const std::function<bool()>& done, base::Duration limit = 60s) {
        const auto give_up = clock.monotonic() + limit;
        while (!done()) {
            run_turns(1);
            if (clock.monotonic() > give_up) return false;
        }
        return true;
    }
    base::Result<Endpoint> listen(ListenOptions options, ShardId shard = 0) {
        auto listener = world(shard).network.listen(std::move(options), [this](StreamPtr stream) {
            accepted.push_back(std::make_unique<StreamPeer>(std::move(stream)));
        });
        if (!listener) return std::unexpected(listener.error());
        listeners.push_back(*std::move(listener));
        return listeners.back()->local();
    }
    base::Result<StreamPtr> connect(const Endpoint& endpoint, std::optional<Endpoint> source = {}) {
        auto connecting = world().network.connect(endpoint, std::move(source));
        if (!run_until([&] { return connecting.settled(); }))
            return base::fail(Errc::internal, "never settled");
        return connecting.take();
    }
    /// Both ends of one connection: `client` and `server()`.
    void make_pair(const Endpoint& at = {"127.0.0.1", 0}) {
        const auto endpoint = listen({.endpoint = at});
        ASSERT_TRUE(endpoint) << endpoint.error().message();
        auto stream = connect(*endpoint);
        ASSERT_TRUE(stream) << stream.error().message();
        client = std::make_unique<StreamPeer>(*std::move(stream));
        ASSERT_TRUE(run_until([&] { return accepted.size() == 1; }));
    }
    StreamPeer& server() { return *accepted.back(); }
    static std::string unix_path() {
        return testing::TempDir() + "parley-" + std::to_string(getpid()) + ".sock";
    }

    RecordingSink sink;
    RealClock clock;
    RealShards shards;
    Reactor::Scope scope;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<std::unique_ptr<StreamPeer>> accepted;
    std::unique_ptr<StreamPeer> client;
};

TEST_F(TcpNetwork, carries_bytes_over_ipv4_and_ipv6) {
    for (const char* address : {"127.0.0.1", "::1"}) {
        accepted.clear();
        make_pair({address, 0});
        EXPECT_EQ(client->stream().peer().address, address);
        EXPECT_EQ(client->stream().local(), server().stream().peer());
        EXPECT_EQ(server().stream().local(), listeners.back()->local());
        client->send("ping");
        EXPECT_TRUE(run_until([&] { return server().received() == "ping"; }));
        server().send("pong");
        EXPECT_TRUE(run_until([&] { return client->received() == "pong"; }));
    }
}

TEST_F(TcpNetwork, carries_more_than_the_kernel_buffers) {
    make_pair();
    const std::string text(20'000'000, 'x');
    server().pause();
    client->send(text);
    run_turns(20);
    EXPECT_GT(client->unsent(), 0U);
    server().resume();
    EXPECT_TRUE(run_until([&] { return server().received().size() == text.size(); }));
    EXPECT_EQ(client->unsent(), 0U);
}

TEST_F(TcpNetwork, sees_an_end_that_hides_behind_a_short_read) {
    make_pair();
    client->send("last words");
    client->stream().close();
    EXPECT_TRUE(run_until([&] { return server().ended(); }));
    EXPECT_EQ(server().received(), "last words");
}

TEST_F(TcpNetwork, half_closes) {
    make_pair();
    client->stream().shutdown_write();
    ASSERT_TRUE(run_until([&] { return server().ended(); }));
    server().send("answer");
    EXPECT_TRUE(run_until([&] { return client->received() == "answer"; }));
    const ConstBuffer buffer = base::as_bytes("x");
    EXPECT_EQ(client->stream().try_writev({&buffer, 1}).error, Errc::closed);
}

TEST_F(TcpNetwork, sends_a_reset_on_abort) {
    make_pair();
    client->send("dropped or not");
    client->stream().abort();
    EXPECT_TRUE(run_until([&] { return server().failed().has_value(); }));
    EXPECT_EQ(server().failed(), Errc::connection_lost);
    EXPECT_FALSE(server().ended());
}

TEST_F(TcpNetwork, answers_calls_after_close_with_closed) {
    make_pair();
    client->stream().close();
    std::byte byte{};
    const ConstBuffer buffer(&byte, 1);
    EXPECT_EQ(client->stream().try_read({&byte, 1}).error, Errc::closed);
    EXPECT_EQ(client->stream().try_writev({&buffer, 1}).error, Errc::closed);
    EXPECT_EQ(client->stream().peer(), Endpoint());
}

TEST_F(TcpNetwork, may_be_destroyed_by_its_observer) {
    struct Destroyer final : StreamObserver {
        StreamPtr stream;
        int calls = 0;
        void on_ready(Interest) override {
            ++calls;
            stream.reset();
        }
    };
    make_pair();
    Destroyer destroyer;
    destroyer.stream = server().release();
    client->send("x");
    run_turns(3);
    destroyer.stream->set_observer(&destroyer);
    destroyer.stream->arm(Interest::readable);
    destroyer.stream->arm(Interest::writable);
    EXPECT_TRUE(run_until([&] { return destroyer.calls > 0; }));
    run_turns(3);
    EXPECT_EQ(destroyer.calls, 1);
}

TEST_F(TcpNetwork, reads_without_a_probe_after_a_short_read) {
    make_pair();
    StreamPtr stream = server().release();
    client->send("abc");
    auto ready = when_ready(*stream, Interest::readable);
    ASSERT_TRUE(run_until([&] { return ready.settled(); }));
    std::byte bytes[10];
    IoResult result = stream->try_read(bytes);
    for (int i = 0; i < 100 && result.status == IoStatus::would_block; ++i) {
        run_turns(1);
        result = stream->try_read(bytes);
    }
    EXPECT_EQ(result.bytes, 3U);
    EXPECT_FALSE(result.maybe_more);
    EXPECT_EQ(stream->try_read(bytes).status, IoStatus::would_block);
}

TEST_F(TcpNetwork, refuses_connections_where_nobody_listens) {
    const auto endpoint = listen({.endpoint = {"127.0.0.1", 0}});
    listeners.clear();
    const auto stream = connect(*endpoint);
    ASSERT_FALSE(stream);
    EXPECT_TRUE(stream.error().is(Errc::connection_refused)) << stream.error().message();
    EXPECT_NE(stream.error().message().find(endpoint->to_string()), std::string::npos);
    EXPECT_TRUE(connect({"unix:" + unix_path(), 0}).error().is(Errc::connection_refused));
}

TEST_F(TcpNetwork, refuses_what_is_no_address) {
    for (const std::string address :
         {"", "localhost", "1.2.3", "300.1.1.1", ":::", "fe80::1%nosuchinterface", "unix:"})
        EXPECT_TRUE(connect({address, 1}).error().is(Errc::invalid_argument)) << address;
    const std::string long_path(108, 'x');
    EXPECT_TRUE(connect({"unix:" + long_path, 0}).error().is(Errc::invalid_argument));
    EXPECT_TRUE(listen({.endpoint = {"example.org", 1}}).error().is(Errc::invalid_argument));
    EXPECT_TRUE(listen({.endpoint = {"203.0.113.1", 0}}).error().is(Errc::invalid_argument))
        << "not an address of this machine";
}

TEST_F(TcpNetwork, connects_from_a_given_source) {
    const auto endpoint = listen({.endpoint = {"127.0.0.1", 0}});
    auto stream = connect(*endpoint, Endpoint{"127.0.0.5", 0});
    ASSERT_TRUE(stream) << stream.error().message();
    EXPECT_EQ((*stream)->local().address, "127.0.0.5");
}

TEST_F(TcpNetwork, lets_a_connect_be_dropped_or_cancelled) {
    const auto endpoint = listen({.endpoint = {"127.0.0.1", 0}});
    {
        auto dropped = world().network.connect(*endpoint);
    }
    auto cancelled = world().network.connect(*endpoint);
    cancelled.cancel();
    run_turns(5);
    EXPECT_TRUE(cancelled.settled());
    EXPECT_TRUE(!cancelled.settled() || cancelled.take().error().is(Errc::cancelled));
}

TEST_F(TcpNetwork, reports_an_address_in_use_by_name) {
    const auto endpoint = listen({.endpoint = {"127.0.0.1", 0}});
    const auto again = listen({.endpoint = *endpoint});
    ASSERT_FALSE(again);
    EXPECT_TRUE(again.error().is(Errc::address_in_use));
    EXPECT_NE(again.error().message().find(endpoint->to_string()), std::string::npos);
}

TEST_F(TcpNetwork, listens_on_both_families_and_shares_a_port) {
    const auto v4 = listen({.endpoint = {"0.0.0.0", 0}, .share_port = true});
    ASSERT_TRUE(v4);
    ASSERT_TRUE(listen({.endpoint = {"0.0.0.0", v4->port}, .share_port = true}, 1));
    ASSERT_TRUE(listen({.endpoint = {"::", v4->port}, .share_port = true}));
    for (int i = 0; i < 20; ++i)
        ASSERT_TRUE(connect({"127.0.0.1", v4->port}));
    ASSERT_TRUE(connect({"::1", v4->port}));
    EXPECT_TRUE(run_until([&] { return accepted.size() == 21; }));
}

TEST_F(TcpNetwork, accepts_a_burst_larger_than_one_turn_takes) {
    const auto endpoint = listen({.endpoint = {"127.0.0.1", 0}});
    std::vector<Deferred<StreamPtr>> connecting;
    for (int i = 0; i < 200; ++i)
        connecting.push_back(world().network.connect(*endpoint));
    EXPECT_TRUE(run_until([&] { return accepted.size() == 200; }));
}

TEST_F(TcpNetwork, leaves_connections_waiting_while_paused) {
    const auto endpoint = listen({.endpoint = {"127.0.0.1", 0}});
    listeners[0]->pause();
    ASSERT_TRUE(connect(*endpoint));
    run_turns(20);
    EXPECT_TRUE(accepted.empty());
    listeners[0]->resume();
    EXPECT_TRUE(run_until([&] { return accepted.size() == 1; }));
}

TEST_F(TcpNetwork, may_lose_its_listener_while_accepting) {
    std::unique_ptr<Listener> listener;
    int count = 0;
    listener = world()
                   .network
                   .listen({.endpoint = {"127.0.0.1", 0}},
                           [&](StreamPtr) {
                               ++count;
                               listener.reset();
                           })
                   .value();
    const Endpoint endpoint = listener->local();
    auto one = world().network.connect(endpoint);
    auto two = world().network.connect(endpoint);
    EXPECT_TRUE(run_until([&] { return count > 0; }));
    run_turns(3);
    EXPECT_EQ(count, 1);
    if (two.settled() && two.take()) SUCCEED();
}

TEST_F(TcpNetwork, carries_bytes_over_a_unix_socket_with_its_mode) {
    const Endpoint endpoint{"unix:" + unix_path(), 0};
    make_pair(endpoint);
    struct stat status{};
    ASSERT_EQ(::stat(unix_path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_EQ(server().stream().local(), endpoint);
    EXPECT_EQ(client->stream().peer(), endpoint);
    client->send("ping");
    EXPECT_TRUE(run_until([&] { return server().received() == "ping"; }));
    const std::string text(3'000'000, 'u');
    server().send(text);
    EXPECT_TRUE(run_until([&] { return client->received() == text; }));
    listeners.clear();
    EXPECT_NE(::stat(unix_path().c_str(), &status), 0) << "removed with its listener";
    ASSERT_TRUE(listen({.endpoint = endpoint, .unix_mode = 0666}));
    ASSERT_EQ(::stat(unix_path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0666U);
}

TEST_F(TcpNetwork, replaces_a_stale_unix_socket_but_nothing_else) {
    const std::string path = unix_path();
    const Endpoint endpoint{"unix:" + path, 0};
    // A process that died leaves its socket file behind.
    const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(dead);
    ASSERT_TRUE(listen({.endpoint = endpoint}));
    EXPECT_TRUE(listen({.endpoint = endpoint}).error().is(Errc::address_in_use)) << "it answers";
    listeners.clear();
    std::ofstream(path) << "precious";
    EXPECT_TRUE(listen({.endpoint = endpoint}).error().is(Errc::address_in_use));
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
    ::unlink(path.c_str());
}

/// Lowers the limit of descriptors and uses up all but `left` of them.
class FewDescriptors {
public:
    explicit FewDescriptors(std::size_t left) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit low = before_;
        low.rlim_cur = 100;
        ::setrlimit(RLIMIT_NOFILE, &low);
        for (int fd = ::dup(0); fd >= 0; fd = ::dup(0))
            fillers_.push_back(fd);
        for (; left > 0; --left)
            give();
    }
    FewDescriptors(const FewDescriptors&) = delete;
    FewDescriptors& operator=(const FewDescriptors&) = delete;
    ~FewDescriptors() {
        for (const int fd : fillers_)
            ::close(fd);
        ::setrlimit(RLIMIT_NOFILE, &before_);
    }
    void give() {
        ::close(fillers_.back());
        fillers_.pop_back();
    }

private:
    rlimit before_{};
    std::vector<int> fillers_;
};

TEST_F(TcpNetwork, survives_running_out_of_descriptors) {
    const auto endpoint = listen({.endpoint = {"127.0.0.1", 0}});
    const int devnull = ::open("/dev/null", O_RDONLY);
    ::dup2(devnull, 0);
    run_turns(1);  // Shards open their own descriptors at first use.
    {
        FewDescriptors few(2);
        auto first = connect(*endpoint);
        ASSERT_TRUE(first);
        ASSERT_TRUE(run_until([&] { return accepted.size() == 1; }));
        few.give();
        auto second = connect(*endpoint);
        ASSERT_TRUE(second) << second.error().message();
        StreamPeer refused(*std::move(second));
        EXPECT_TRUE(run_until([&] { return refused.ended() || refused.failed(); }))
            << "told at once, not left in the backlog";
        EXPECT_EQ(sink.count("listener.out_of_descriptors"), 1U);
        EXPECT_EQ(accepted.size(), 1U);
        EXPECT_TRUE(connect(*endpoint).error().is(Errc::resource_exhausted));
        few.give();
        few.give();
        auto third = connect(*endpoint);
        ASSERT_TRUE(third) << third.error().message();
        EXPECT_TRUE(run_until([&] { return accepted.size() == 2; })) << "after the pause";
    }
    ::close(devnull);
}

TEST_F(TcpNetwork, moves_a_stream_to_another_shard) {
    make_pair();
    server().stream().detach();
    client->send("under way");
    run_turns(5);
    EXPECT_EQ(server().received(), "");
    {
        const Reactor::Scope on_the_other(world(1).reactor);
        server().stream().attach(world(1));
        server().watch();
    }
    EXPECT_TRUE(run_until([&] { return server().received() == "under way"; }));
    client->send(", and more");
    EXPECT_TRUE(run_until([&] { return server().received() == "under way, and more"; }));
}

TEST_F(TcpNetwork, carries_tls_and_moves_it) {
    auto server_context =
        TlsServerContext::create({.identity = test::identity_for("x.example")}).value();
    auto client_context = TlsClientContext::create({.verify = TlsVerify::none}).value();
    make_pair();
    auto tls = TlsStream::server(server().release(), server_context);
    TlsStream* stream = tls.get();
    StreamPeer at_server(std::move(tls));
    StreamPeer at_client(TlsStream::client(client->release(), client_context, "x.example"));
    const std::string large(2'000'000, 'y');
    at_client.send(large);
    ASSERT_TRUE(run_until([&] { return at_server.received() == large; }));
    stream->detach();
    at_client.send("!");
    run_turns(3);
    {
        const Reactor::Scope on_the_other(world(1).reactor);
        stream->attach(world(1));
        at_server.watch();
    }
    EXPECT_TRUE(run_until([&] { return at_server.received() == large + "!"; }));
    at_server.send(large);
    EXPECT_TRUE(run_until([&] { return at_client.received() == large; }));
    at_client.stream().close();
    EXPECT_TRUE(run_until([&] { return at_server.ended(); }));
}

/// Echoes on shard 0 until told "move", then on shard 1, in threads of their own.
class Echo final : public StreamObserver {
public:
    Echo(RealShards& shards, StreamPtr stream, std::function<void()> ended)
        : shards_(shards), stream_(std::move(stream)), ended_(std::move(ended)) {
        watch();
    }
    void destroy() { stream_.reset(); }
    ShardId moved_to = 0;

private:
    void watch() {
        stream_->set_observer(this);
        stream_->arm(Interest::readable);
    }
    void on_ready(Interest) override {
        std::array<std::byte, 1000> bytes;
        while (true) {
            const IoResult result = stream_->try_read(bytes);
            if (result.status == IoStatus::would_block) return stream_->arm(Interest::readable);
            if (result.status != IoStatus::ok) {
                stream_.reset();
                return ended_();
            }
            const ConstBuffer echo(bytes.data(), result.bytes);
            stream_->try_writev({&echo, 1});
            if (base::as_text(echo) == "move") return move();
        }
    }
    void move() {
        stream_->detach();
        const bool posted = shards_.post(1, [this] {
            stream_->attach(shards_.world(1));
            moved_to = shards_.current();
            watch();
        });
        ASSERT_TRUE(posted);
    }

    RealShards& shards_;
    StreamPtr stream_;
    std::function<void()> ended_;
};

TEST(TcpThreads, moves_a_tls_stream_between_running_shards) {
    base::NullLogSink sink;
    RealShards shards(shards_of(2), base::Log(sink), make_tcp_network);
    auto server_context =
        TlsServerContext::create({.identity = test::identity_for("x.example")}).value();
    auto client_context = TlsClientContext::create({.verify = TlsVerify::none}).value();
    std::unique_ptr<Listener> listener;
    std::unique_ptr<Echo> echo;
    std::string heard;
    const auto dialogue = [&]() -> Deferred<void> {
        auto stream = co_await shards.world(0).network.connect(listener->local());
        if (!stream) co_return stream.error();
        auto tls = TlsStream::client(*std::move(stream), client_context, "x.example");
        if (auto done = co_await tls->handshake(); !done) co_return done.error();
        for (const std::string_view word : {"one", "move", "two", "three"}) {
            const ConstBuffer buffer = base::as_bytes(word);
            tls->try_writev({&buffer, 1});
            std::array<std::byte, 100> bytes;
            IoResult result = tls->try_read(bytes);
            while (result.status == IoStatus::would_block) {
                co_await when_ready(*tls, Interest::readable);
                result = tls->try_read(bytes);
            }
            heard += base::as_text(std::span(bytes).first(result.bytes));
            heard += ' ';
        }
    };
    shards.run(
        [&](ShardId shard) {
            if (shard != 0) return;
            listener =
                shards.world(0)
                    .network
                    .listen({.endpoint = {"127.0.0.1", 0}},
                            [&](StreamPtr stream) {
                                echo = std::make_unique<Echo>(
                                    shards, TlsStream::server(std::move(stream), server_context),
                                    [&] { shards.stop(); });
                            })
                    .value();
            dialogue().detach("dialogue");
        },
        [&](ShardId shard) {
            if (shard == 0) listener.reset();
        });
    EXPECT_EQ(heard, "one move two three ");
    EXPECT_EQ(echo->moved_to, 1U);
}

}  // namespace
}  // namespace reactor
