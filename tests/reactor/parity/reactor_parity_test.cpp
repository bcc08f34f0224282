// C1 to C4 and C6: the loop, its phases, signals, descriptors, calls from outside.
#include "reactor/fd_ready.h"
#include "reactor/real_world.h"
#include "reactor/run_main.h"
#include "reactor/signal_stream.h"
#include "reactor/sim/sim_world.h"
#include "reactor/task/lifecycle.h"
#include "reactor/test_kit.h"
#include "reactor/wake_call.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using test::failure_of;
using test::pending;
using test::run_ready;
using test::value_of;
using namespace std::chrono_literals;

class RealLoop : public testing::Test {
protected:
    test::LogCapture capture_;
    RealClock clock_;
    Reactor reactor_{clock_, capture_.log()};
    Reactor::Scope scope_{reactor_};
};
using C1_Run = RealLoop;
using C3_Signals = RealLoop;
using C4_Descriptors = RealLoop;
using C6_Post = RealLoop;

TEST_F(C1_Run, may_be_stopped_before_it_runs_and_run_again) {
    reactor_.stop();
    reactor_.run();
    int turns = 0;
    reactor_.soon([&] {
        ++turns;
        reactor_.stop();
    });
    reactor_.run();
    reactor_.soon([&] {
        ++turns;
        reactor_.stop();
    });
    reactor_.run();
    EXPECT_EQ(turns, 2) << "Twisted's reactor cannot be restarted";
}

TEST_F(C1_Run, one_turn_without_waiting_does_what_is_due) {
    int calls = 0;
    reactor_.soon([&] { ++calls; });
    reactor_.post([&] { ++calls; });
    reactor_.run_turn();
    EXPECT_EQ(calls, 2);
    reactor_.run_turn();
    EXPECT_EQ(calls, 2);
}

TEST_F(C1_Run, calls_posted_during_a_turn_wait_for_the_next) {
    std::vector<int> order;
    reactor_.post([&] {
        order.push_back(1);
        reactor_.post([&] { order.push_back(3); });
    });
    reactor_.post([&] { order.push_back(2); });
    reactor_.run_turn();
    EXPECT_EQ(order, (std::vector<int>{1, 2}));
    reactor_.run_turn();
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST_F(C3_Signals, come_as_a_stream_too) {
    SignalStream signals(reactor_, {SIGUSR1, SIGUSR2});
    std::vector<int> seen;
    Deferred<> reading = [](SignalStream& stream, std::vector<int>& list,
                            Reactor& loop) -> Deferred<> {
        while (list.size() < 2) {
            Deferred<int> next = stream.next();
            list.push_back(*co_await std::move(next));
        }
        loop.stop();
        co_return {};
    }(signals, seen, reactor_);
    raise(SIGUSR2);
    reactor_.soon([] { raise(SIGUSR1); });
    reactor_.run();
    std::sort(seen.begin(), seen.end());
    EXPECT_EQ(seen, (std::vector<int>{SIGUSR1, SIGUSR2}));
}

TEST_F(C4_Descriptors, readiness_can_be_awaited_and_is_told_once) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    {
        FdReadiness reader(reactor_, ends[0]);
        FdReadiness writer(reactor_, ends[1]);
        Deferred<> writable = writer.when_writable();
        Deferred<> readable = reader.when_readable();
        reactor_.run_turn();
        EXPECT_TRUE(writable.settled());
        EXPECT_FALSE(readable.settled());
        ASSERT_EQ(::write(ends[1], "x", 1), 1);
        reactor_.run_turn();
        EXPECT_TRUE(readable.settled());
        reader.clear_readable();
        Deferred<> again = reader.when_readable();
        reactor_.run_turn();
        EXPECT_FALSE(again.settled()) << "an edge is told once";
        EXPECT_FALSE(reader.hung_up());
    }
    ::close(ends[1]);
    {
        FdReadiness reader(reactor_, ends[0]);
        Deferred<> readable = reader.when_readable();
        reactor_.run_turn();
        EXPECT_TRUE(readable.settled());
        EXPECT_TRUE(reader.hung_up());
    }
    ::close(ends[0]);
    FdReadiness closed(reactor_, ends[0]);
    EXPECT_EQ(failure_of(closed.when_readable()).code(), Errc::invalid_argument);
}

WakeCall* woken_by_signal = nullptr;

TEST_F(C6_Post, a_signal_handler_may_wake_the_loop) {
    int calls = 0;
    WakeCall wake(reactor_, [&] {
        ++calls;
        reactor_.stop();
    });
    woken_by_signal = &wake;
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = [](int) { woken_by_signal->notify(); };
    ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
    std::jthread sender([] {
        kill(getpid(), SIGUSR1);
        kill(getpid(), SIGUSR1);
    });
    reactor_.run();
    sender.join();
    reactor_.run_turn();
    sigaction(SIGUSR1, &before, nullptr);
    EXPECT_GE(calls, 1);
    EXPECT_LE(calls, 2);
}

TEST_F(C6_Post, keeps_the_order_of_each_thread) {
    std::vector<int> seen;
    std::jthread poster([&] {
        for (int i = 0; i < 1000; ++i)
            reactor_.post([&seen, i] { seen.push_back(i); });
        reactor_.post([&] { reactor_.stop(); });
    });
    reactor_.run();
    ASSERT_EQ(seen.size(), 1000u);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST_F(C6_Post, is_the_only_call_that_other_threads_may_make) {
    const auto from_another_thread = [&](auto call) {
        std::jthread other(call);
        other.join();
    };
    CallbackTimer timer([] {});
    EXPECT_DEATH(from_another_thread([&] { reactor_.soon([] {}); }), "used_on_its_own_thread");
    EXPECT_DEATH(from_another_thread([&] { reactor_.arm(timer, 1s); }), "used_on_its_own_thread");
    EXPECT_DEATH(from_another_thread([&] { reactor_.run_turn(); }), "used_on_its_own_thread");
    bool posted = false;
    from_another_thread([&] { reactor_.post([&] { posted = true; }); });
    reactor_.run_turn();
    EXPECT_TRUE(posted);
}

class C2_Lifecycle : public testing::Test {
protected:
    Reactor& reactor() { return world_.world().reactor; }
    Lifecycle::Action noting(std::string text, base::Duration takes = {}) {
        return [this, text = std::move(text), takes] {
            order_ += text;
            return takes > base::Duration::zero()
                       ? sleep(reactor(), takes).then([this] { order_ += '.'; })
                       : ready();
        };
    }
    test::LogCapture capture_;
    SimWorld world_{SimOptions{.log = capture_.log()}};
    Reactor::Scope scope_{reactor()};
    Lifecycle lifecycle_{reactor()};
    std::string order_;
};

TEST_F(C2_Lifecycle, every_phase_is_awaited_before_the_next) {
    lifecycle_.on_startup(Phase::after, "c", noting("c", 1s));
    lifecycle_.on_startup(Phase::before, "a", noting("a", 2s));
    lifecycle_.on_startup(Phase::before, "b", noting("b", 1s));
    lifecycle_.on_startup(Phase::during, "d", noting("d"));
    bool running = false;
    lifecycle_.call_when_running([&] { running = true; });
    Deferred<> started = lifecycle_.start_up();
    EXPECT_EQ(order_, "ab") << "those of a phase begin together, in order";
    EXPECT_EQ(failure_of(lifecycle_.start_up()).code(), Errc::already_running);
    ASSERT_TRUE(world_.advance(2s));
    EXPECT_EQ(order_, "ab..dc");
    EXPECT_FALSE(running);
    ASSERT_TRUE(world_.advance(1s));
    value_of(started);
    EXPECT_TRUE(running);
    bool at_once = false;
    lifecycle_.call_when_running([&] { at_once = true; });
    EXPECT_TRUE(at_once);
}

TEST_F(C2_Lifecycle, failures_and_deadlines_are_logged_and_the_rest_goes_on) {
    value_of(lifecycle_.start_up());
    lifecycle_.on_shutdown(Phase::before, "throws",
                           []() -> Deferred<> { throw std::runtime_error("bad"); });
    lifecycle_.on_shutdown(Phase::during, "hangs", noting("h", 1h), 5s);
    lifecycle_.on_shutdown(Phase::after, "last", noting("l"));
    Deferred<> stopped = lifecycle_.shut_down();
    ASSERT_TRUE(world_.advance(4s));
    EXPECT_EQ(order_, "h");
    ASSERT_TRUE(world_.advance(1s));
    EXPECT_EQ(order_, "hl");
    EXPECT_EQ(failure_of(stopped).message(), "internal: throws: bad");
    EXPECT_EQ(capture_.count("lifecycle.failed"), 2u);
    EXPECT_FALSE(lifecycle_.running());
    EXPECT_EQ(failure_of(lifecycle_.shut_down()).code(), Errc::not_running);
}

TEST_F(C2_Lifecycle, a_second_shutdown_forces_phase_by_phase) {
    value_of(lifecycle_.start_up());
    lifecycle_.on_shutdown(Phase::before, "slow", noting("s", 1h), 2h);
    lifecycle_.on_shutdown(Phase::during, "next", noting("n", 1h), 2h);
    Deferred<> stopped = lifecycle_.shut_down();
    ASSERT_TRUE(world_.advance(1s));
    EXPECT_EQ(order_, "s");
    value_of(lifecycle_.shut_down());
    ASSERT_TRUE(world_.advance(1s));
    EXPECT_EQ(order_, "sn");
    EXPECT_TRUE(pending(stopped));
    value_of(lifecycle_.shut_down());
    EXPECT_EQ(failure_of(stopped).code(), Errc::cancelled);
}

TEST_F(C2_Lifecycle, a_shutdown_while_starting_cuts_the_start_short) {
    lifecycle_.on_startup(Phase::before, "slow", noting("a", 1h), 2h);
    lifecycle_.on_startup(Phase::during, "never", noting("not reached"));
    lifecycle_.on_shutdown(Phase::during, "end", noting("e"));
    Deferred<> started = lifecycle_.start_up();
    run_ready();
    Deferred<> stopped = lifecycle_.shut_down();
    run_ready();
    EXPECT_EQ(failure_of(started).code(), Errc::stopped);
    value_of(stopped);
    EXPECT_EQ(order_, "ae");
}

TEST_F(C2_Lifecycle, what_was_removed_is_not_called) {
    const Lifecycle::Id id = lifecycle_.on_startup(Phase::before, "a", noting("a"));
    EXPECT_TRUE(lifecycle_.remove(id));
    EXPECT_FALSE(lifecycle_.remove(id));
    value_of(lifecycle_.start_up());
    EXPECT_EQ(order_, "");
}

TEST(C2_LifecycleSignals, sigterm_shuts_down_and_then_stops_the_loop) {
    const RealClock clock;
    Reactor reactor(clock);
    const Reactor::Scope scope(reactor);
    bool ended = false;
    {
        Lifecycle lifecycle(reactor);
        lifecycle.on_shutdown(Phase::during, "end",
                              [&] { return sleep(reactor, 1ms).then([&] { ended = true; }); });
        value_of(lifecycle.start_up());
        lifecycle.stop_on_signals();
        reactor.soon([] { raise(SIGTERM); });
        reactor.run();
    }
    EXPECT_TRUE(ended);
}

int run(base::UniqueFunction<Deferred<int>(World&, std::vector<std::string>)> main) {
    std::array<char, 8> name{"program"};
    std::array<char, 4> argument{"one"};
    std::array<char*, 2> arguments{name.data(), argument.data()};
    return run_main(std::move(main), 2, arguments.data(), {.log_level = base::LogLevel::error});
}

TEST(B7_RunMain, the_exit_code_comes_from_what_main_settles_with) {
    EXPECT_EQ(run([](World& world, std::vector<std::string> arguments) {
                  EXPECT_EQ(arguments, std::vector<std::string>{"one"});
                  return sleep(world.reactor, 1ms).then([] { return 3; });
              }),
              3);
    testing::internal::CaptureStderr();
    EXPECT_EQ(run([](World&, std::vector<std::string>) -> Deferred<int> {
                  return base::Failure(Errc::io_error, "disk");
              }),
              1);
    EXPECT_EQ(run([](World&, std::vector<std::string>) -> Deferred<int> {
                  throw std::runtime_error("thrown");
              }),
              1);
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_NE(log.find("event=main.failed failure=\"io_error: disk\""), std::string::npos) << log;
    EXPECT_NE(log.find("thrown"), std::string::npos) << log;
    EXPECT_EQ(run_main([](World&, const std::vector<std::string>&) { return ready(); }, 0, nullptr),
              0);
}

TEST(B7_RunMain, a_signal_cancels_and_clean_up_is_awaited) {
    bool cleaned = false;
    EXPECT_EQ(
        run([&](World& world, std::vector<std::string>) {
            world.reactor.soon([] { raise(SIGTERM); });
            return sleep(world.reactor, 1h).ensure([&] { cleaned = true; }).then([] { return 0; });
        }),
        128 + SIGTERM);
    EXPECT_TRUE(cleaned);
    EXPECT_EQ(run([](World& world, std::vector<std::string>) {
                  world.reactor.soon([] { raise(SIGTERM); });
                  return sleep(world.reactor, 1h).then([] { return 1; }).rescue([](base::Failure) {
                      return 5;
                  });
              }),
              5);
}

}  // namespace
}  // namespace reactor
