// What this library does in the comparison; asio_side.cpp does the same with plain Boost.Asio.
#include "tests/bench/asio/sides.h"

#include "reactor/net/server.h"
#include "reactor/real_world.h"
#include "reactor/tcp_network.h"
#include "reactor/tls.h"
#include "reactor/tls_certificate.h"
#include "tests/bench/asio/child.h"

#include <array>
#include <list>
#include <optional>
#include <thread>
#include <vector>

namespace bench {
namespace {

using namespace reactor;

/// One loop without signal handling, as the other side has it.
void run_shard(const std::function<void(World&)>& start) {
    RealShardsOptions options;
    options.pool = {.crypto = {}, .dns = {.threads = 1}, .misc = {.threads = 1}};
    RealShards shards(options, base::Log::silent(),
                      [](World& world) { return make_tcp_network(world); });
    shards.run([&](ShardId id) { start(shards.world(id)); }, [](ShardId) {});
}

// Echo on the readiness contract: what a hot protocol does.

std::array<std::byte, 65'536> read_buffer;  // The loop's, as the contract allows.

class EchoSession final : public StreamObserver {
public:
    explicit EchoSession(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)) {
        stream_->set_observer(this);
        stream_->arm(Interest::readable);
    }
    void on_ready(Interest) override {
        for (;;) {
            const IoResult got = stream_->try_read(read_buffer);
            if (got.status == IoStatus::would_block) break;
            if (got.status != IoStatus::ok) return stream_->close();
            const ConstBuffer bytes(read_buffer.data(), got.bytes);
            const IoResult put = stream_->try_writev({&bytes, 1});
            if (put.status != IoStatus::ok || put.bytes != got.bytes) return stream_->close();
            if (!got.maybe_more) break;
        }
        stream_->arm(Interest::readable);
    }

private:
    std::unique_ptr<ByteStream> stream_;
};

Deferred<void> echo(Connection& connection) {
    for (;;) {
        auto bytes = co_await connection.read();
        if (!bytes || bytes->empty()) co_return {};
        if (!connection.write(*bytes)) co_return {};
        if (connection.unsent_bytes() > 0) co_await connection.drain();
    }
}

void serve(const Ready& ready, std::function<void(std::unique_ptr<ByteStream>)> accept) {
    std::unique_ptr<Listener> listener;
    run_shard([&](World& world) {
        auto listening =
            world.network.listen({.endpoint = {"127.0.0.1", 0}, .backlog = 4096}, accept);
        require(listening.has_value(), "listen");
        listener = *std::move(listening);
        ready(listener->local().port);
    });
}

}  // namespace

void reactor_echo(const Ready& ready) {
    std::list<EchoSession> sessions;
    serve(ready,
          [&](std::unique_ptr<ByteStream> stream) { sessions.emplace_back(std::move(stream)); });
}

void reactor_coroutine_echo(const Ready& ready) {
    std::optional<Server> server;
    run_shard([&](World& world) {
        ServerOptions options;
        options.limits = {.total_max = 100'000, .per_address_max = 100'000};
        server.emplace(world, echo, options);
        const auto endpoint = server->listen({.endpoint = {"127.0.0.1", 0}, .backlog = 4096});
        require(endpoint.has_value(), "listen");
        ready(endpoint->port);
    });
}

void reactor_tls_echo(const Ready& ready, const std::string& certificate, const std::string& key) {
    TlsServerOptions options;
    options.identity = {.certificate_chain_pem = certificate, .private_key_pem = key};
    auto context = TlsServerContext::create(options);
    require(context.has_value(), "TlsServerContext");
    std::list<EchoSession> sessions;
    serve(ready, [&](std::unique_ptr<ByteStream> stream) {
        sessions.emplace_back(TlsStream::server(std::move(stream), *context));
    });
}

// Timers.

namespace {

struct CountingTimer final : Timer {
    static inline std::size_t fired = 0;
    void on_expired() override { ++fired; }
};

}  // namespace

TimerTimes reactor_timers(const TimerPlan& plan) {
    RealClock clock;
    Reactor reactor(clock);
    const Reactor::Scope scope(reactor);
    std::vector<CountingTimer> timers(plan.delays.size());
    TimerTimes times;
    double begin = thread_cpu_seconds();
    for (std::size_t i = 0; i < timers.size(); ++i)
        reactor.arm(timers[i], plan.delays[i]);
    times.arm = thread_cpu_seconds() - begin;
    begin = thread_cpu_seconds();
    for (const auto& [index, delay] : plan.again)
        reactor.arm(timers[index], delay);
    reactor.run_turn();
    times.rearm = thread_cpu_seconds() - begin;
    for (CountingTimer& timer : timers)
        timer.cancel();
    CountingTimer::fired = 0;
    for (std::size_t i = 0; i < timers.size(); ++i)
        reactor.arm(timers[i], plan.soon[i]);
    begin = thread_cpu_seconds();
    while (CountingTimer::fired < timers.size())
        reactor.run_turn();
    times.fire = thread_cpu_seconds() - begin;
    return times;
}

// Posts.

double reactor_posts(std::size_t posts) {
    RealClock clock;
    Reactor reactor(clock);
    std::size_t arrived = 0;
    const double begin = elapsed_seconds();
    std::thread producer([&] {
        for (std::size_t i = 0; i < posts; ++i)
            reactor.post([&reactor, &arrived, posts] {
                if (++arrived == posts) reactor.stop();
            });
    });
    reactor.run();
    producer.join();
    return elapsed_seconds() - begin;
}

namespace {

Deferred<void> send_mail(RealShards& shards, std::size_t posts, std::size_t& arrived) {
    for (std::size_t sent = 0; sent < posts; sent += kMailBatch) {
        for (std::size_t i = 1; i < kMailBatch; ++i)
            require(shards.post(1, [&arrived] { ++arrived; }), "post");
        Deferred<void> asking = shards.run_on(1, [&arrived] { ++arrived; });
        (void)co_await std::move(asking);
    }
    shards.stop();
    co_return {};
}

}  // namespace

double reactor_mail(std::size_t posts) {
    RealShardsOptions options;
    options.count = 2;
    RealShards shards(options, base::Log::silent(), {});
    std::size_t arrived = 0;
    std::optional<Deferred<void>> sending;
    const double begin = elapsed_seconds();
    shards.run(
        [&](ShardId id) {
            if (id == 0) sending = send_mail(shards, posts, arrived);
        },
        [&](ShardId id) {
            if (id == 0) sending.reset();
        });
    return elapsed_seconds() - begin;
}

std::pair<std::string, std::string> certificate_and_key() {
    const std::vector<std::string> hosts{"localhost"};
    auto identity = generate_self_signed(hosts, RealClock().wall(), 30);
    require(identity.has_value(), "certificate");
    return {identity->certificate_chain_pem, identity->private_key_pem};
}

}  // namespace bench
