// Reactor: what a turn does and in which order, calls from other threads, descriptors, signals,
// exceptions. Real loops on pipes and eventfds; no sleeps, the tests wait for events.
#include "reactor/reactor.h"

#include "reactor/deferred.h"
#include "reactor/fd_watch.h"
#include "reactor/real_world.h"
#include "reactor/signals.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

namespace reactor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ReactorTest : public testing::Test {
protected:
    RealClock clock_;
    test::LogCapture capture_;
    Reactor reactor_{clock_, capture_.log()};
};

class TestFlush final : public TurnEnd {
public:
    explicit TestFlush(std::function<void()> function) : function_(std::move(function)) {}

private:
    void on_turn_end() override { function_(); }
    std::function<void()> function_;
};

TEST_F(ReactorTest, runs_deferred_calls_in_order_and_flushes_at_the_end_of_the_turn) {
    std::vector<int> order;
    TestFlush flush([&] { order.push_back(9); });
    reactor_.post([&] {
        order.push_back(1);
        reactor_.at_turn_end(flush);
        reactor_.at_turn_end(flush);
        reactor_.soon([&] {
            order.push_back(3);
            reactor_.soon([&] { order.push_back(4); });
        });
        order.push_back(2);
    });
    reactor_.run_turn();
    EXPECT_EQ(order, (std::vector{1, 2, 3, 4, 9}));
    reactor_.run_turn();
    EXPECT_EQ(order.size(), 5u);
}

TEST_F(ReactorTest, a_flush_asked_for_by_a_flush_comes_in_the_next_turn) {
    int calls = 0;
    TestFlush* again = nullptr;
    TestFlush flush([&] {
        if (++calls < 2) reactor_.at_turn_end(*again);
    });
    again = &flush;
    reactor_.at_turn_end(flush);
    reactor_.run_turn();
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(reactor_.runnable(reactor_.now()));
    reactor_.run_turn();
    EXPECT_EQ(calls, 2);
}

TEST_F(ReactorTest, a_destroyed_flush_is_withdrawn) {
    {
        TestFlush flush([] { ADD_FAILURE(); });
        reactor_.at_turn_end(flush);
    }
    auto doomed = std::make_unique<TestFlush>([] { ADD_FAILURE(); });
    TestFlush killer([&] { doomed.reset(); });
    reactor_.at_turn_end(killer);
    reactor_.at_turn_end(*doomed);
    reactor_.run_turn();
}

TEST_F(ReactorTest, time_is_frozen_during_a_turn) {
    reactor_.soon([&] {
        const auto before = reactor_.now();
        while (clock_.monotonic() - before < milliseconds(2)) {
        }
        EXPECT_EQ(reactor_.now(), before);
        reactor_.soon([this, before] { EXPECT_EQ(reactor_.now(), before); });
    });
    reactor_.run_turn();
}

TEST_F(ReactorTest, a_turn_of_endless_steps_ends_at_the_budget) {
    std::uint64_t steps = 0;
    std::function<void()> again = [&] {
        ++steps;
        reactor_.soon([&] { again(); });
    };
    reactor_.soon([&] { again(); });
    reactor_.run_turn();
    EXPECT_EQ(steps, Reactor::kStepsPerTurnMax);
    EXPECT_TRUE(reactor_.runnable(reactor_.now()));
}

TEST_F(ReactorTest, posted_calls_beyond_the_limit_wait_for_the_next_turn) {
    std::size_t calls = 0;
    for (std::size_t i = 0; i <= Reactor::kPostedPerTurnMax; ++i)
        reactor_.post([&] { ++calls; });
    reactor_.run_turn();
    EXPECT_EQ(calls, Reactor::kPostedPerTurnMax);
    EXPECT_TRUE(reactor_.runnable(reactor_.now()));
    reactor_.run_turn();
    EXPECT_EQ(calls, Reactor::kPostedPerTurnMax + 1);
}

TEST_F(ReactorTest, an_exception_is_logged_and_the_loop_goes_on) {
    int after = 0;
    reactor_.soon([] { throw std::runtime_error("oops"); });
    reactor_.soon([&] { ++after; });
    reactor_.run_turn();
    reactor_.run_turn();
    EXPECT_EQ(after, 1);
    EXPECT_EQ(capture_.first("reactor.turn_exception").text("what"), "oops");
    EXPECT_EQ(reactor_.statistics().exceptions, 1u);
}

TEST_F(ReactorTest, sleeps_until_the_next_timer_and_stops) {
    const auto start = clock_.monotonic();
    CallbackTimer timer([&] { reactor_.stop(); });
    timer.arm(reactor_.wheel(), start + milliseconds(20));
    reactor_.run();
    EXPECT_GE(clock_.monotonic() - start, milliseconds(20));
    EXPECT_LT(reactor_.statistics().turns, 10u) << "an idle loop does not spin";
}

TEST_F(ReactorTest, can_run_again_after_stop) {
    for (int i = 0; i < 3; ++i) {
        bool ran = false;
        reactor_.post([&] {
            ran = true;
            reactor_.stop();
        });
        reactor_.run();
        EXPECT_TRUE(ran);
    }
}

TEST_F(ReactorTest, a_coroutine_sleeps_on_the_wheel) {
    Deferred<> done = sleep(reactor_, milliseconds(5)).then([&] { reactor_.stop(); });
    reactor_.run();
    EXPECT_TRUE(done.settled());
}

TEST_F(ReactorTest, a_dropped_or_cancelled_sleep_disarms_its_timer) {
    {
        Deferred<> dropped = sleep(reactor_, seconds(60));
    }
    EXPECT_EQ(reactor_.wheel().size(), 0u);
    Deferred<> cancelled = sleep(reactor_, seconds(60));
    cancelled.cancel();
    EXPECT_EQ(reactor_.wheel().size(), 0u);
    EXPECT_EQ(test::failure_of(cancelled).code(), base::Errc::cancelled);
}

TEST_F(ReactorTest, current_is_the_running_one) {
    EXPECT_FALSE(Reactor::has_current());
    Reactor inner(clock_);
    reactor_.soon([&] {
        EXPECT_EQ(&Reactor::current(), &reactor_);
        inner.soon([&] { EXPECT_EQ(&Reactor::current(), &inner); });
        inner.run_turn();
        EXPECT_EQ(&Reactor::current(), &reactor_);
    });
    reactor_.run_turn();
    EXPECT_FALSE(Reactor::has_current());
}

TEST_F(ReactorTest, drops_detached_work_and_unrun_calls_when_destroyed) {
    bool cancelled = false;
    Promise<> promise;
    struct Note {
        int& count;
        ~Note() { ++count; }
    };
    int destroyed = 0;
    {
        Reactor inner(clock_);
        Reactor::Scope scope(inner);
        promise.deferred([&] { cancelled = true; }).detach("waiting");
        inner.soon([note = std::make_unique<Note>(destroyed)] {});
        inner.post([note = std::make_unique<Note>(destroyed)] {});
    }
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(destroyed, 2);
}

TEST_F(ReactorTest, calls_from_other_threads_wake_a_sleeping_loop_and_keep_their_order) {
    constexpr int kThreads = 3;
    constexpr int kCalls = 2000;
    std::vector<std::vector<int>> seen(kThreads);
    std::vector<std::thread> threads;
    int left = kThreads * kCalls;
    for (int id = 0; id < kThreads; ++id) {
        threads.emplace_back([this, id, &seen, &left] {
            for (int i = 0; i < kCalls; ++i) {
                reactor_.post([this, id, i, &seen, &left] {
                    seen[static_cast<std::size_t>(id)].push_back(i);
                    if (--left == 0) reactor_.stop();
                });
                if (i % 64 == 0) std::this_thread::yield();
            }
        });
    }
    reactor_.run();
    for (auto& thread : threads)
        thread.join();
    for (const auto& calls : seen) {
        ASSERT_EQ(calls.size(), static_cast<std::size_t>(kCalls));
        EXPECT_TRUE(std::is_sorted(calls.begin(), calls.end()));
    }
}

// One call at a time, each after the loop was seen to have run the last: the doorbell is rung or
// the call is found, but never missed.
TEST_F(ReactorTest, no_wakeup_is_lost_between_looking_and_sleeping) {
    std::atomic<int> done = 0;
    constexpr int kRounds = 5000;
    std::thread poster([&] {
        for (int i = 0; i < kRounds; ++i) {
            reactor_.post([&] { done.fetch_add(1); });
            while (done.load() <= i)
                std::this_thread::yield();
        }
        reactor_.stop();
    });
    reactor_.run();
    poster.join();
    EXPECT_EQ(done, kRounds);
}

class Watcher final : public FdObserver {
public:
    Watcher(Reactor& reactor, int fd, std::function<void(bool, bool, bool)> function)
        : function_(std::move(function)), watch(std::make_unique<FdWatch>(reactor, fd, *this)) {}
    void on_fd_events(bool readable, bool writable, bool hangup) override {
        function_(readable, writable, hangup);
    }

private:
    std::function<void(bool, bool, bool)> function_;

public:
    std::unique_ptr<FdWatch> watch;
};

struct Eventfd {
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    Eventfd() = default;
    Eventfd(const Eventfd&) = delete;
    Eventfd& operator=(const Eventfd&) = delete;
    ~Eventfd() { ::close(fd); }
    void signal() const { EXPECT_EQ(eventfd_write(fd, 1), 0); }
};

TEST_F(ReactorTest, tells_descriptor_events_once_per_edge) {
    const Eventfd event;
    int readable = 0;
    int writable = 0;
    Watcher watcher(reactor_, event.fd, [&](bool read, bool write, bool) {
        readable += read;
        writable += write;
    });
    EXPECT_EQ(watcher.watch->error(), 0);
    reactor_.run_turn();
    EXPECT_EQ(readable, 0);
    EXPECT_EQ(writable, 1);
    event.signal();
    reactor_.run_turn();
    reactor_.run_turn();
    EXPECT_EQ(readable, 1);
    event.signal();
    reactor_.run_turn();
    EXPECT_EQ(readable, 2);
}

TEST_F(ReactorTest, tells_the_hangup_of_a_peer) {
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    bool hung_up = false;
    Watcher watcher(reactor_, pair[0], [&](bool readable, bool writable, bool hangup) {
        hung_up = hangup && readable && writable;
    });
    reactor_.run_turn();
    ::close(pair[1]);
    reactor_.run_turn();
    EXPECT_TRUE(hung_up);
    watcher.watch.reset();
    ::close(pair[0]);
}

TEST_F(ReactorTest, an_observer_may_destroy_any_watch_of_the_same_batch) {
    const Eventfd first_event;
    const Eventfd second_event;
    int calls = 0;
    std::unique_ptr<Watcher> first;
    std::unique_ptr<Watcher> second;
    const auto kill_both = [&](bool, bool, bool) {
        ++calls;
        // The function that runs belongs to one of them, so only the watches go.
        first->watch.reset();
        second->watch.reset();
    };
    first = std::make_unique<Watcher>(reactor_, first_event.fd, kill_both);
    second = std::make_unique<Watcher>(reactor_, second_event.fd, kill_both);
    reactor_.run_turn();
    EXPECT_EQ(calls, 1);
}

TEST_F(ReactorTest, an_exception_of_one_observer_does_not_swallow_the_events_of_others) {
    const Eventfd first_event;
    const Eventfd second_event;
    int calls = 0;
    const auto thrower = [&](bool, bool, bool) {
        ++calls;
        throw std::runtime_error("oops");
    };
    const Watcher first(reactor_, first_event.fd, thrower);
    const Watcher second(reactor_, second_event.fd, thrower);
    reactor_.run_turn();
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(capture_.count("reactor.turn_exception"), 2u);
}

TEST_F(ReactorTest, a_watch_on_a_closed_descriptor_reports_the_error) {
    reactor_.run_turn();  // The loop has its own descriptors from here on.
    const int fd = eventfd(0, EFD_CLOEXEC);
    ::close(fd);
    const Watcher watcher(reactor_, fd, [](bool, bool, bool) { ADD_FAILURE(); });
    EXPECT_EQ(watcher.watch->error(), EBADF);
    reactor_.run_turn();
}

TEST_F(ReactorTest, a_descriptor_event_wakes_a_sleeping_loop) {
    const Eventfd event;
    const Watcher watcher(reactor_, event.fd, [&](bool readable, bool, bool) {
        if (readable) reactor_.stop();
    });
    std::thread other([&] { event.signal(); });
    reactor_.run();
    other.join();
}

TEST_F(ReactorTest, tells_signals_while_idle_and_while_busy) {
    std::vector<int> seen;
    SignalWatch watch(reactor_, {SIGUSR1, SIGUSR2}, [&](int number) {
        seen.push_back(number);
        reactor_.stop();
    });
    reactor_.post([] { std::raise(SIGUSR1); });
    reactor_.run();
    EXPECT_EQ(seen, (std::vector{SIGUSR1}));
    std::function<void()> busy = [&] { reactor_.post([&] { busy(); }); };
    busy();
    reactor_.post([] { std::raise(SIGUSR2); });
    reactor_.run();
    EXPECT_EQ(seen, (std::vector{SIGUSR1, SIGUSR2}));
}

TEST_F(ReactorTest, descriptors_doorbell_and_timers_work_while_asio_is_in_use) {
    SignalWatch watch(reactor_, {SIGUSR1}, [](int) {});
    const Eventfd event;
    std::vector<std::string> seen;
    const Watcher watcher(reactor_, event.fd, [&](bool readable, bool, bool) {
        if (!readable) return;
        seen.push_back("descriptor");
        reactor_.post([&] { reactor_.stop(); });
    });
    for (int round = 0; round < 50; ++round) {
        CallbackTimer timer([&] { seen.push_back("timer"); });
        timer.arm(reactor_.wheel(), clock_.monotonic() + milliseconds(1));
        std::thread other([&] {
            reactor_.post([&] { seen.push_back("post"); });
            event.signal();
        });
        reactor_.run();
        other.join();
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), "descriptor"), 50);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), "post"), 50);
}

TEST_F(ReactorTest, a_signal_watch_may_be_destroyed_by_its_function) {
    std::unique_ptr<SignalWatch> watch;
    watch = std::make_unique<SignalWatch>(reactor_, std::initializer_list<int>{SIGUSR1}, [&](int) {
        watch.reset();
        reactor_.stop();
    });
    reactor_.post([] { std::raise(SIGUSR1); });
    reactor_.run();
    EXPECT_FALSE(watch);
}

TEST(ReactorDeathTest, no_timer_may_outlive_the_reactor) {
    RealClock clock;
    CallbackTimer timer([] {});
    EXPECT_DEATH(
        {
            Reactor reactor(clock);
            reactor.arm(timer, seconds(1));
        },
        "CHECK failed");
}

}  // namespace
}  // namespace reactor
