#include "reactor/net/client_service.h"

#include "reactor/world.h"

#include <utility>
#include <vector>

namespace reactor {

using base::Errc;
using base::Failure;
using base::Result;

std::string_view name_of(ClientState state) noexcept {
    switch (state) {
        case ClientState::initial:
            return "initial";
        case ClientState::connecting:
            return "connecting";
        case ClientState::waiting:
            return "waiting";
        case ClientState::connected:
            return "connected";
        case ClientState::disconnecting:
            return "disconnecting";
        case ClientState::restarting:
            return "restarting";
        case ClientState::stopped:
            return "stopped";
    }
    return "unknown";
}

struct ClientService::Impl {
    Impl(World& its_world, Connect its_connect, Session its_session, Prepare its_prepare,
         ClientServiceOptions its_options)
        : world(its_world),
          connect(std::move(its_connect)),
          session(std::move(its_session)),
          prepare(std::move(its_prepare)),
          options(std::move(its_options)) {}

    struct Waiter {
        Promise<Connection*> promise;
        std::optional<std::uint32_t> failures_left;
    };

    void become(ClientState next);
    void begin();
    Deferred<void> live();
    Deferred<void> attempt();
    void attempt_failed(const Failure& failure);
    void ended();
    void fail_waiters(const Failure& failure);

    World& world;
    Connect connect;
    Session session;
    Prepare prepare;
    ClientServiceOptions options;
    ClientState state = ClientState::initial;
    std::uint32_t failures = 0;
    Connection* connection = nullptr;  // While connected.
    std::vector<Waiter> waiters;
    std::vector<Promise<void>> stoppers;

    class Ended final : public ReadyItem {
    public:
        explicit Ended(Impl& impl) noexcept : impl_(impl) {}

    private:
        void run() override { impl_.ended(); }
        Impl& impl_;
    };
    std::optional<Deferred<void>> running;
    Ended on_ended{*this};
};

void ClientService::Impl::become(ClientState next) {
    world.log.debug("client.state", {{"from", name_of(state)}, {"to", name_of(next)}});
    state = next;
}

void ClientService::Impl::begin() {
    become(ClientState::connecting);
    running.emplace(live());
    running->notify(on_ended);
    // Stopped by the very functions that it called at once.
    if (state == ClientState::disconnecting || state == ClientState::restarting) running->cancel();
}

void ClientService::Impl::ended() {
    (void)running->take();
    running.reset();
    if (state == ClientState::restarting) {
        for (Promise<void>& stopper : std::exchange(stoppers, {}))
            stopper.try_resolve({});
        return begin();
    }
    become(ClientState::stopped);
    fail_waiters(Errc::cancelled);
    for (Promise<void>& stopper : std::exchange(stoppers, {}))
        stopper.try_resolve({});
}

void ClientService::Impl::fail_waiters(const Failure& failure) {
    for (Waiter& waiter : std::exchange(waiters, {}))
        waiter.promise.fail(failure);
}

void ClientService::Impl::attempt_failed(const Failure& failure) {
    ++failures;
    world.log.info("client.attempt_failed", {{"attempt", failures}, {"why", failure.message()}});
    std::vector<Waiter> patient;
    for (Waiter& waiter : std::exchange(waiters, {})) {
        if (waiter.failures_left && --*waiter.failures_left == 0) {
            waiter.promise.fail(failure);
        } else {
            patient.push_back(std::move(waiter));
        }
    }
    waiters = std::move(patient);
}

// Connect, prepare, session, close. A failure is one of the attempt; a session's end is a success.
Deferred<void> ClientService::Impl::attempt() {
    Deferred<std::unique_ptr<ByteStream>> connecting = connect();
    Result<std::unique_ptr<ByteStream>> stream = co_await std::move(connecting);
    if (!stream) co_return stream.error();
    Connection made(world, *std::move(stream), options.connection);
    if (prepare) {
        Deferred<void> preparing = prepare(made);
        const Result<void> prepared = co_await std::move(preparing);
        if (!prepared) co_return prepared.error();
    }
    failures = 0;
    struct Connected {
        Impl& impl;
        ~Connected() { impl.connection = nullptr; }
    } const connected{*this};
    connection = &made;
    become(ClientState::connected);
    for (Waiter& waiter : std::exchange(waiters, {}))
        waiter.promise.resolve(&made);
    Deferred<void> living = session(made);
    (void)co_await std::move(living).as_result();
    connection = nullptr;
    Deferred<void> closing = made.close();
    (void)co_await std::move(closing).as_result();
    co_return {};
}

Deferred<void> ClientService::Impl::live() {
    for (;;) {
        Deferred<void> trying = attempt();
        const Result<void> tried = co_await std::move(trying).as_result();
        if (state == ClientState::disconnecting || state == ClientState::restarting) co_return {};
        if (!tried) attempt_failed(tried.error());
        become(ClientState::waiting);
        const std::uint32_t count = failures > 0 ? failures : 1;
        const base::Duration wait = options.retry_wait
                                        ? options.retry_wait(count)
                                        : options.backoff.wait_after(count, world.entropy);
        Deferred<void> waiting = sleep(world.reactor, wait);
        (void)co_await std::move(waiting).as_result();
        if (state != ClientState::waiting) co_return {};
        become(ClientState::connecting);
    }
}

ClientService::ClientService(World& world, Connect connect, Session session, Prepare prepare,
                             ClientServiceOptions options)
    : impl_(std::make_unique<Impl>(world, std::move(connect), std::move(session),
                                   std::move(prepare), std::move(options))) {}

ClientService::~ClientService() {
    const Failure closed(Errc::closed, "the client service was destroyed");
    impl_->fail_waiters(closed);
    for (Promise<void>& stopper : std::exchange(impl_->stoppers, {}))
        stopper.fail(closed);
}

void ClientService::start() {
    Impl& impl = *impl_;
    if (impl.state == ClientState::disconnecting) {
        impl.become(ClientState::restarting);
    } else if (impl.state == ClientState::initial || impl.state == ClientState::stopped) {
        impl.begin();
    }
}

Deferred<void> ClientService::stop() {
    Impl& impl = *impl_;
    switch (impl.state) {
        case ClientState::initial:
            impl.become(ClientState::stopped);
            impl.fail_waiters(Errc::cancelled);
            return ready();
        case ClientState::stopped:
            return ready();
        case ClientState::disconnecting:
            break;
        case ClientState::restarting:
            impl.become(ClientState::disconnecting);
            break;
        default:
            impl.become(ClientState::disconnecting);
            impl.fail_waiters(Errc::cancelled);
            if (impl.running) impl.running->cancel();
    }
    return impl.stoppers.emplace_back().deferred();
}

Deferred<Connection*> ClientService::when_connected(std::optional<std::uint32_t> failures_max) {
    Impl& impl = *impl_;
    if (impl.connection != nullptr) return ready(impl.connection);
    if (impl.state == ClientState::stopped || impl.state == ClientState::disconnecting)
        return Errc::cancelled;
    if (failures_max && *failures_max == 0)
        return Failure(Errc::invalid_argument, "no attempt is allowed to fail: give at least 1");
    std::erase_if(impl.waiters,
                  [](const Impl::Waiter& waiter) { return !waiter.promise.wanted(); });
    return impl.waiters.emplace_back(Promise<Connection*>(), failures_max).promise.deferred();
}

ClientState ClientService::state() const noexcept {
    return impl_->state;
}
std::uint32_t ClientService::failed_attempts() const noexcept {
    return impl_->failures;
}

}  // namespace reactor
