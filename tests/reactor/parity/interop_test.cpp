// A8 (futures and Asio) and C5 (a reactor inside a foreign loop), on the real clock.
#include "reactor/combine.h"
#include "reactor/interop/embed.h"
#include "reactor/interop/future.h"
#include "reactor/interop/use_deferred.h"
#include "reactor/real_world.h"
#include "reactor/signals.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <csignal>
#include <exception>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace reactor {
namespace {

using base::Errc;
using test::failure_of;
using test::pending;
using test::run_ready;
using test::value_of;
using namespace std::chrono_literals;
namespace asio = boost::asio;

class RealLoop : public testing::Test {
protected:
    /// Runs until it settles; a test that hangs is ended by its own time limit.
    template <class T>
    base::Result<T> wait_for(Deferred<T> work) {
        std::optional<base::Result<T>> outcome;
        Deferred<> done = std::move(work).both([&](base::Result<T> result) {
            outcome.emplace(std::move(result));
            reactor_.stop();
        });
        reactor_.run();
        return *std::move(outcome);
    }
    RealClock clock_;
    Reactor reactor_{clock_};
    Reactor::Scope scope_{reactor_};
};
using A8_Asio = RealLoop;
using C5_Embed = RealLoop;

class A8_Future : public RealLoop {
protected:
    ThreadPool pool_{BlockingPoolOptions{}};
};

TEST_F(A8_Future, a_std_future_becomes_a_deferred) {
    std::promise<int> promise;
    Deferred<int> work = from_future(pool_, promise.get_future());
    EXPECT_FALSE(work.settled());
    std::jthread setter([&] { promise.set_value(7); });
    EXPECT_EQ(*wait_for(std::move(work)), 7);
    std::promise<void> failing;
    failing.set_exception(std::make_exception_ptr(std::runtime_error("bad")));
    EXPECT_EQ(wait_for(from_future(pool_, failing.get_future())).error().message(),
              "internal: bad");
    std::promise<void> ours;
    ours.set_exception(std::make_exception_ptr(base::FailureError(Errc::busy)));
    EXPECT_EQ(wait_for(from_future(pool_, ours.get_future())).error().code(), Errc::busy);
}

TEST_F(A8_Future, a_deferred_becomes_a_std_future) {
    std::future<int> value = to_future(sleep(reactor_, 1ms).then([] { return 5; }));
    std::future<void> failing = to_future(
        sleep(reactor_, 1ms).then([]() -> base::Result<void> { return base::fail(Errc::busy); }));
    int got = 0;
    std::string what;
    // Whoever lets go of it last destroys it, in an order that the library's count ensures and
    // ThreadSanitizer does not see: so it goes here, when the thread is gone.
    std::exception_ptr thrown;
    std::jthread waiter([&] {
        got = value.get();
        try {
            failing.get();
        } catch (const base::FailureError& error) {
            what = error.what();
            thrown = std::current_exception();
        }
        reactor_.stop();
    });
    reactor_.run();
    waiter.join();
    EXPECT_EQ(got, 5);
    EXPECT_EQ(what, "busy");
}

TEST(A8_FutureEnd, a_reactor_that_goes_first_breaks_the_promise) {
    const VirtualClock clock{base::WallTime{}};
    std::optional<Reactor> reactor(std::in_place, clock);
    std::future<void> future;
    {
        const Reactor::Scope scope(*reactor);
        future = to_future(sleep(*reactor, 1h));
    }
    reactor.reset();
    EXPECT_THROW(future.get(), std::future_error);
}

TEST_F(A8_Asio, operations_return_deferreds) {
    asio::io_context& context = asio_context(reactor_);
    asio::local::stream_protocol::socket left(context);
    asio::local::stream_protocol::socket right(context);
    asio::local::connect_pair(left, right);
    const std::string sent = "hello";
    std::string received(5, '\0');
    Deferred<std::size_t> reading =
        asio::async_read(right, asio::buffer(received), UseDeferred{reactor_});
    EXPECT_FALSE(reading.settled());
    Deferred<std::size_t> writing =
        asio::async_write(left, asio::buffer(sent), UseDeferred{reactor_});
    EXPECT_EQ(*wait_for(std::move(writing)), 5u);
    EXPECT_EQ(*wait_for(std::move(reading)), 5u);
    EXPECT_EQ(received, "hello");
    left.close();
    EXPECT_EQ(wait_for(asio::async_read(right, asio::buffer(received), UseDeferred{reactor_}))
                  .error()
                  .code(),
              Errc::connection_done);
}

TEST_F(A8_Asio, cancelling_and_dropping_end_the_operation) {
    asio::steady_timer timer(asio_context(reactor_), 1h);
    Deferred<> waiting = timer.async_wait(UseDeferred{reactor_});
    waiting.cancel();
    EXPECT_FALSE(waiting.settled()) << "the operation completes first";
    EXPECT_EQ(wait_for(std::move(waiting)).error().code(), Errc::cancelled);
    {
        Deferred<> dropped = timer.async_wait(UseDeferred{reactor_});
    }
    EXPECT_TRUE(wait_for(sleep(reactor_, 1ms)));
    timer.expires_after(1ms);
    EXPECT_TRUE(wait_for(timer.async_wait(UseDeferred{reactor_})));
    // A limit on an Asio operation.
    timer.expires_after(1h);
    Deferred<> limited = with_timeout(reactor_, timer.async_wait(UseDeferred{reactor_}), 2ms);
    EXPECT_EQ(wait_for(std::move(limited)).error().code(), Errc::timed_out);
}

TEST_F(A8_Asio, an_operation_that_never_completes_breaks_its_promise) {
    std::optional<Deferred<>> waiting;
    {
        asio::io_context gone;
        auto timer = std::make_unique<asio::steady_timer>(gone, 1h);
        waiting = timer->async_wait(UseDeferred{reactor_});
        EXPECT_TRUE(pending(*waiting));
        timer.reset();
    }
    EXPECT_EQ(failure_of(*waiting).code(), Errc::broken_promise);
}

TEST_F(A8_Asio, a_deferred_is_an_operation_for_any_token) {
    std::optional<base::Result<int>> seen;
    async_settle(ready(3), [&](base::Result<int> result) { seen = std::move(result); });
    EXPECT_FALSE(seen) << "never inside the call";
    run_ready();
    EXPECT_EQ(**seen, 3);
    // Through an executor, with cancellation.
    asio::io_context foreign;
    asio::cancellation_signal signal;
    std::optional<base::Result<void>> ended;
    async_settle(sleep(reactor_, 1h),
                 asio::bind_executor(foreign, asio::bind_cancellation_slot(
                                                  signal.slot(), [&](base::Result<void> result) {
                                                      ended = result;
                                                  })));
    signal.emit(asio::cancellation_type::terminal);
    run_ready();
    EXPECT_FALSE(ended);
    foreign.run();
    EXPECT_EQ(ended->error().code(), Errc::cancelled);
}

/// A loop as a foreign library has one: poll(2) with a timeout.
class ForeignLoop {
public:
    explicit ForeignLoop(EmbeddedLoop& guest) : guest_(guest) {}
    void run_until(const bool& done) {
        while (!done) {
            const std::optional<base::Duration> limit = guest_.prepare_wait();
            pollfd descriptor{.fd = guest_.native_fd(), .events = POLLIN, .revents = 0};
            const int timeout_ms = limit ? static_cast<int>((*limit + 999'999ns) / 1ms) : -1;
            ::poll(&descriptor, 1, timeout_ms);
            guest_.run_ready();
        }
    }

private:
    EmbeddedLoop& guest_;
};

TEST_F(C5_Embed, a_foreign_loop_serves_timers_posts_and_descriptors) {
    EmbeddedLoop guest(reactor_);
    ForeignLoop loop(guest);
    bool slept = false;
    Deferred<> sleeping = sleep(reactor_, 5ms).then([&] { slept = true; });
    loop.run_until(slept);
    EXPECT_FALSE(guest.prepare_wait()) << "nothing to wait for";
    guest.run_ready();
    bool posted = false;
    std::jthread other([&] { reactor_.post([&] { posted = true; }); });
    loop.run_until(posted);
    other.join();
    bool signalled = false;
    {
        const SignalWatch watch(reactor_, {SIGUSR1}, [&](int) { signalled = true; });
        std::jthread sender([] { raise(SIGUSR1); });
        loop.run_until(signalled);
    }
    EXPECT_TRUE(signalled);
}

TEST_F(C5_Embed, run_ready_returns_to_its_host_in_between) {
    EmbeddedLoop guest(reactor_);
    std::uint64_t steps = 0;
    Deferred<> spinning = [](std::uint64_t& count) -> Deferred<> {
        for (;; ++count) {
            Deferred<> turn = yield();
            co_await std::move(turn);
        }
    }(steps);
    guest.run_ready(2);
    EXPECT_GT(steps, 0u);
    EXPECT_EQ(guest.prepare_wait(), base::Duration::zero());
    guest.run_ready(2);
}

TEST_F(C5_Embed, runs_on_a_foreign_io_context) {
    asio::io_context context;
    int ticks = 0;
    asio::steady_timer theirs(context, 2ms);
    theirs.async_wait([&](boost::system::error_code) { ++ticks; });
    {
        const EmbeddedInAsio guest(context, reactor_);
        Deferred<> sleeping = sleep(reactor_, 5ms).then([&] { ++ticks; });
        guest.wake();
        while (ticks < 2)
            context.run_one();
        bool posted = false;
        std::jthread other([&] { reactor_.post([&] { posted = true; }); });
        while (!posted)
            context.run_one();
    }
    context.restart();
    context.run();  // What was cancelled is told and runs out.
}

TEST_F(C5_Embed, may_end_inside_a_turn_and_before_its_handlers) {
    auto context = std::make_unique<asio::io_context>();
    std::optional<EmbeddedInAsio> guest(std::in_place, *context, reactor_);
    Deferred<> ending = sleep(reactor_, 1ms).then([&] { guest.reset(); });
    guest->wake();
    while (guest)
        context->run_one();
    std::optional<EmbeddedInAsio> second(std::in_place, *context, reactor_);
    second.reset();
    context.reset();
}

}  // namespace
}  // namespace reactor
