#include "reactor/net/server.h"

#include "reactor/combine.h"
#include "reactor/net/forwarding_stream.h"
#include "reactor/net/protocol.h"
#include "reactor/net/timeouts.h"
#include "reactor/task_set.h"
#include "reactor/world.h"

#include <utility>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using base::Result;

/// Tells somebody whenever bytes were read.
class ReadNoticed final : public ForwardingStream {
public:
    ReadNoticed(std::unique_ptr<ByteStream> lower, base::UniqueFunction<void()> read)
        : ForwardingStream(std::move(lower)), read_(std::move(read)) {}
    IoResult try_read(std::span<std::byte> into) override {
        const IoResult result = lower().try_read(into);
        if (result.bytes > 0) read_();
        return result;
    }

private:
    base::UniqueFunction<void()> read_;
};

bool is_ordinary_end(const base::Failure& failure) {
    return failure.is(Errc::cancelled) || failure.is(Errc::connection_done) ||
           failure.is(Errc::connection_lost) || failure.is(Errc::connection_aborted) ||
           failure.is(Errc::closed);
}

}  // namespace

struct Server::Impl {
    Impl(World& its_world, ServerOptions its_options)
        : world(its_world),
          options(std::move(its_options)),
          limits(options.limits),
          sessions(world.reactor) {}

    void accept(std::unique_ptr<ByteStream> stream);
    Deferred<void> serve(std::unique_ptr<ByteStream> stream, ConnectionLimits::Admission admission);
    struct Bounds;
    Deferred<void> start_session(Connection& connection) noexcept;
    void report(const Connection& connection, bool expired, const Result<void>& result);

    World& world;
    ServerOptions options;
    Session session;
    std::optional<FactoryUse> factory;
    ConnectionLimits limits;
    ServerStatistics statistics;
    std::vector<std::unique_ptr<Listener>> listeners;
    bool stopped = false;
    TaskSet sessions;
};

void Server::Impl::accept(std::unique_ptr<ByteStream> stream) {
    if (stopped) return;
    auto admission = limits.admit(stream->peer());
    if (!admission) {
        ++statistics.refused;
        world.log.warn("server.refused", {{"peer", stream->peer().to_string()},
                                          {"why", admission.error().message()}});
        return;
    }
    if (options.wrap) stream = options.wrap(std::move(stream));
    if (!stream) {
        ++statistics.refused;
        return;
    }
    ++statistics.accepted;
    sessions.add("server session", serve(std::move(stream), *std::move(admission)));
}

/// What ends a session from outside. Made only where it is asked for: most sessions have none.
struct Server::Impl::Bounds {
    explicit Bounds(Reactor& reactor)
        : idle(reactor, [this] { expire(); }), whole([this] { expire(); }) {}
    void expire() {
        expired = true;
        if (work != nullptr) work->cancel();
    }

    IdleTimeout idle;
    CallbackTimer whole;
    Deferred<void>* work = nullptr;
    bool expired = false;
};

Deferred<void> Server::Impl::start_session(Connection& connection) noexcept {
    try {
        return session(connection);
    } catch (...) {
        return detail::failure_of_current_exception();
    }
}

void Server::Impl::report(const Connection& connection, bool expired, const Result<void>& result) {
    if (expired) {
        ++statistics.expired;
        world.log.info("server.session_expired", {{"peer", connection.peer().to_string()}});
    } else if (!result && !is_ordinary_end(result.error())) {
        world.log.warn("server.session_failed", {{"peer", connection.peer().to_string()},
                                                 {"why", result.error().message()}});
    }
}

Deferred<void> Server::Impl::serve(std::unique_ptr<ByteStream> stream,
                                   ConnectionLimits::Admission admission) {
    const ConnectionLimits::Admission place = std::move(admission);
    std::unique_ptr<Bounds> bounds;
    if (options.idle_timeout || options.session_timeout)
        bounds = std::make_unique<Bounds>(world.reactor);
    if (options.idle_timeout)
        stream = std::make_unique<ReadNoticed>(std::move(stream),
                                               [idle = &bounds->idle] { idle->touch(); });
    Connection connection(world, std::move(stream), options.connection);
    Deferred<void> work = start_session(connection);
    if (bounds) {
        bounds->work = &work;
        if (options.session_timeout) world.reactor.arm(bounds->whole, *options.session_timeout);
        bounds->idle.set(options.idle_timeout);
    }
    const Result<void> result = co_await std::move(work).as_result();
    report(connection, bounds && bounds->expired, result);
    if (bounds) {
        bounds->work = nullptr;
        bounds->idle.set({});
        bounds->whole.cancel();
    }
    Deferred<void> closing = connection.close();
    (void)co_await std::move(closing).as_result();
    co_return {};
}

Server::Server(World& world, Session session, ServerOptions options)
    : impl_(std::make_unique<Impl>(world, std::move(options))) {
    impl_->session = std::move(session);
}

Server::Server(World& world, ProtocolFactory& factory, ServerOptions options)
    : impl_(std::make_unique<Impl>(world, std::move(options))) {
    impl_->factory.emplace(factory);
    impl_->session = [this, &factory](Connection& connection) -> Deferred<void> {
        std::unique_ptr<Protocol> protocol = factory.build(connection.peer());
        if (protocol) return run_protocol(connection, std::move(protocol));
        ++impl_->statistics.refused;
        return ready();
    };
}

Server::~Server() = default;

base::Result<Endpoint> Server::listen(ListenOptions options) {
    if (impl_->stopped) return base::fail(Errc::closed, "the server was stopped");
    auto listener = TRY(impl_->world.network.listen(std::move(options), accept_function()));
    const Endpoint endpoint = listener->local();
    impl_->listeners.push_back(std::move(listener));
    return endpoint;
}

AcceptFunction Server::accept_function() {
    return [impl = impl_.get()](std::unique_ptr<ByteStream> stream) {
        impl->accept(std::move(stream));
    };
}

void Server::add_listener(std::unique_ptr<Listener> listener) {
    impl_->listeners.push_back(std::move(listener));
}

void Server::adopt(std::unique_ptr<ByteStream> stream) {
    impl_->accept(std::move(stream));
}

void Server::stop_accepting() {
    impl_->stopped = true;
    impl_->listeners.clear();
}

Deferred<void> Server::stop(base::Duration grace) {
    stop_accepting();
    return impl_->sessions.close(grace);
}

ServerStatistics Server::statistics() const noexcept {
    ServerStatistics statistics = impl_->statistics;
    statistics.open = impl_->limits.count();
    return statistics;
}

}  // namespace reactor
