// LoopingCall: the cases that Twisted documents for its own, on virtual time.
#include "reactor/looping_call.h"

#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

class LoopingCallTest : public testing::Test {
protected:
    Reactor& reactor() { return world_.world().reactor; }
    std::int64_t at() const {
        return std::chrono::duration_cast<milliseconds>(world_.now() - begin_).count();
    }
    void pass(base::Duration step) { ASSERT_TRUE(world_.advance(step)); }

    SimWorld world_{SimOptions{}};
    const base::MonotonicTime begin_ = world_.now();
    std::vector<std::int64_t> times_;
    Reactor::Scope scope_{reactor()};
};

TEST_F(LoopingCallTest, calls_at_once_and_then_at_every_slot) {
    LoopingCall loop(reactor(), [&] {
        times_.push_back(at());
        return ready();
    });
    Deferred<> done = loop.start(milliseconds(100));
    EXPECT_EQ(times_, (std::vector<std::int64_t>{0}));
    pass(milliseconds(350));
    EXPECT_EQ(times_, (std::vector<std::int64_t>{0, 100, 200, 300}));
    EXPECT_TRUE(loop.running());
    loop.stop();
    EXPECT_FALSE(loop.running());
    test::value_of(done);
    pass(seconds(1));
    EXPECT_EQ(times_.size(), 4u);
}

TEST_F(LoopingCallTest, may_begin_after_the_first_interval) {
    LoopingCall loop(reactor(), [&] {
        times_.push_back(at());
        return ready();
    });
    Deferred<> done = loop.start(milliseconds(100), LoopingCall::First::after_interval);
    pass(milliseconds(250));
    EXPECT_EQ(times_, (std::vector<std::int64_t>{100, 200}));
}

TEST_F(LoopingCallTest, waits_for_the_function_and_skips_missed_slots_without_drift) {
    LoopingCall loop(reactor(), [&]() -> Deferred<> {
        times_.push_back(at());
        return sleep(reactor(), milliseconds(250));
    });
    Deferred<> done = loop.start(milliseconds(100));
    pass(milliseconds(1000));
    EXPECT_EQ(times_, (std::vector<std::int64_t>{0, 300, 600, 900}));
}

TEST_F(LoopingCallTest, counts_the_slots_since_the_last_call) {
    std::vector<std::int64_t> counts;
    base::Duration busy = milliseconds(250);
    LoopingCall loop = LoopingCall::with_count(reactor(), [&](std::int64_t count) -> Deferred<> {
        counts.push_back(count);
        return sleep(reactor(), std::exchange(busy, milliseconds(1)));
    });
    Deferred<> done = loop.start(milliseconds(100));
    pass(milliseconds(500));
    EXPECT_EQ(counts, (std::vector<std::int64_t>{1, 3, 1, 1}));
}

TEST_F(LoopingCallTest, counts_from_one_when_the_first_call_waits) {
    std::vector<std::int64_t> counts;
    LoopingCall loop = LoopingCall::with_count(reactor(), [&](std::int64_t count) {
        counts.push_back(count);
        return ready();
    });
    Deferred<> done = loop.start(milliseconds(100), LoopingCall::First::after_interval);
    pass(milliseconds(200));
    EXPECT_EQ(counts, (std::vector<std::int64_t>{1, 1}));
}

TEST_F(LoopingCallTest, reset_restarts_phase_and_count) {
    std::vector<std::int64_t> counts;
    LoopingCall loop = LoopingCall::with_count(reactor(), [&](std::int64_t count) {
        times_.push_back(at());
        counts.push_back(count);
        return ready();
    });
    Deferred<> done = loop.start(milliseconds(100));
    pass(milliseconds(150));
    reactor().run_turn(false);  // The loop's time is 150 ms now.
    loop.reset();
    pass(milliseconds(250));
    EXPECT_EQ(times_, (std::vector<std::int64_t>{0, 100, 250, 350}));
    EXPECT_EQ(counts, (std::vector<std::int64_t>{1, 1, 1, 1}));
}

TEST_F(LoopingCallTest, reset_while_the_function_is_pending_has_no_effect) {
    Promise<> pending;
    bool first = true;
    LoopingCall loop(reactor(), [&]() -> Deferred<> {
        times_.push_back(at());
        if (std::exchange(first, false)) return pending.deferred();
        return ready();
    });
    Deferred<> done = loop.start(milliseconds(100));
    pass(milliseconds(50));
    reactor().run_turn(false);  // The loop's time is 50 ms now.
    loop.reset();
    pending.resolve();
    pass(milliseconds(60));
    EXPECT_EQ(times_, (std::vector<std::int64_t>{0, 100}));
}

TEST_F(LoopingCallTest, stop_while_pending_settles_when_the_function_did) {
    Promise<> pending;
    LoopingCall loop(reactor(), [&] { return pending.deferred(); });
    Deferred<> done = loop.start(milliseconds(100));
    loop.stop();
    pass(seconds(1));
    EXPECT_FALSE(done.settled());
    pending.resolve();
    pass(seconds(1));
    EXPECT_TRUE(done.settled());
}

TEST_F(LoopingCallTest, a_failure_ends_the_loop) {
    int calls = 0;
    LoopingCall loop(reactor(), [&]() -> Deferred<> {
        if (++calls == 3) return Errc::io_error;
        return ready();
    });
    Deferred<> done = loop.start(milliseconds(100));
    pass(seconds(1));
    EXPECT_EQ(calls, 3);
    EXPECT_FALSE(loop.running());
    EXPECT_EQ(test::failure_of(done).code(), Errc::io_error);
    LoopingCall thrower(reactor(), []() -> Deferred<> { throw std::runtime_error("bad"); });
    EXPECT_EQ(test::failure_of(thrower.start(seconds(1))).message(), "internal: bad");
}

TEST_F(LoopingCallTest, cancelling_or_dropping_the_start_stops_it) {
    int calls = 0;
    LoopingCall loop(reactor(), [&] {
        ++calls;
        return ready();
    });
    Deferred<> done = loop.start(milliseconds(100));
    test::run_ready();
    done.cancel();
    EXPECT_FALSE(loop.running());
    EXPECT_EQ(test::failure_of(done).code(), Errc::cancelled);
    {
        Deferred<> dropped = loop.start(milliseconds(100));
    }
    pass(seconds(1));
    EXPECT_EQ(calls, 2);
    EXPECT_FALSE(loop.running());
}

TEST_F(LoopingCallTest, interval_zero_calls_once_per_turn) {
    int calls = 0;
    std::optional<Deferred<>> done;
    LoopingCall loop = LoopingCall::with_count(reactor(), [&](std::int64_t count) {
        EXPECT_EQ(count, 1);
        if (++calls == 5) loop.stop();
        return ready();
    });
    done = loop.start(base::Duration::zero());
    for (int turn = 1; turn <= 10; ++turn) {
        reactor().run_turn(false);
        EXPECT_LE(calls, turn + 1);
    }
    EXPECT_EQ(calls, 5);
    EXPECT_TRUE(done->settled());
}

TEST_F(LoopingCallTest, may_be_started_again_by_who_waits_for_its_end) {
    LoopingCall loop(reactor(), [&] {
        times_.push_back(at());
        return ready();
    });
    std::optional<Deferred<>> second;
    Deferred<> first = loop.start(seconds(1)).then([&] { second = loop.start(seconds(1)); });
    test::run_ready();
    loop.stop();
    test::value_of(first);
    EXPECT_TRUE(loop.running());
    EXPECT_EQ(times_.size(), 2u);
}

TEST_F(LoopingCallTest, destroying_it_drops_a_pending_call) {
    Promise<> pending;
    std::optional<Deferred<>> done;
    {
        LoopingCall loop(reactor(), [&] { return pending.deferred(); });
        done = loop.start(seconds(1));
    }
    EXPECT_FALSE(pending.wanted());
    EXPECT_EQ(test::failure_of(*done).code(), Errc::broken_promise);
}

TEST_F(LoopingCallTest, the_function_may_destroy_it_from_a_continuation) {
    std::unique_ptr<LoopingCall> loop;
    loop = std::make_unique<LoopingCall>(
        reactor(), [&]() -> Deferred<> { return yield().then([&] { loop.reset(); }); });
    Deferred<> done = loop->start(seconds(1));
    test::run_ready();
    EXPECT_FALSE(loop);
    EXPECT_EQ(test::failure_of(done).code(), Errc::broken_promise);
}

}  // namespace
}  // namespace reactor
