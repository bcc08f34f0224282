// TaskSet: ownership of background work, reports, closing with a grace, destruction from inside.
#include "reactor/task_set.h"

#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <memory>

namespace reactor {
namespace {

using base::Errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

class TaskSetTest : public testing::Test {
protected:
    TaskSetTest() : world_({.log = capture_.log()}), tasks_(reactor()) {}
    Reactor& reactor() { return world_.world().reactor; }

    test::LogCapture capture_;
    SimWorld world_;
    TaskSet tasks_;
};

TEST_F(TaskSetTest, forgets_tasks_that_ended_and_reports_failures) {
    Promise<> good;
    Promise<> bad;
    Promise<> gone;
    tasks_.add("good", good.deferred());
    tasks_.add("bad", bad.deferred());
    tasks_.add("gone", gone.deferred());
    EXPECT_EQ(tasks_.size(), 3u);
    good.resolve();
    bad.fail({Errc::no_space, "disk"});
    gone.fail(Errc::cancelled);
    EXPECT_TRUE(world_.run_ready());
    EXPECT_EQ(tasks_.size(), 0u);
    ASSERT_EQ(capture_.count("task.failed"), 1u);
    EXPECT_EQ(capture_.first("task.failed").text("task"), "bad");
    EXPECT_EQ(capture_.first("task.failed").text("failure"), "no_space: disk");
}

TEST_F(TaskSetTest, takes_a_task_that_is_settled_already) {
    tasks_.add("done", ready());
    EXPECT_TRUE(world_.run_ready());
    EXPECT_EQ(tasks_.size(), 0u);
}

TEST_F(TaskSetTest, destruction_drops_every_task) {
    Promise<> first;
    Promise<> second;
    {
        TaskSet inner(reactor());
        inner.add("first", first.deferred());
        inner.add("second", second.deferred());
        EXPECT_TRUE(first.wanted());
    }
    EXPECT_FALSE(first.wanted() || second.wanted());
}

TEST_F(TaskSetTest, a_task_may_destroy_the_set) {
    auto inner = std::make_unique<TaskSet>(reactor());
    Promise<> other;
    inner->add("other", other.deferred());
    Promise<> promise;
    inner->add("last act", promise.deferred().then([&] { inner.reset(); }));
    promise.resolve();
    EXPECT_TRUE(world_.run_ready());
    EXPECT_FALSE(inner);
    EXPECT_FALSE(other.wanted());
}

TEST_F(TaskSetTest, cancel_all_reaches_every_task_once) {
    int cancels = 0;
    std::vector<Promise<>> promises(5);
    for (Promise<>& promise : promises)
        tasks_.add("task", promise.deferred([&] { ++cancels; }));
    tasks_.cancel_all();
    EXPECT_EQ(cancels, 5);
    EXPECT_EQ(tasks_.size(), 5u) << "they stay until they have ended";
    EXPECT_TRUE(world_.run_ready());
    EXPECT_EQ(tasks_.size(), 0u);
    EXPECT_EQ(capture_.count("task.failed"), 0u);
}

TEST_F(TaskSetTest, a_canceller_may_cancel_again_add_or_destroy) {
    auto inner = std::make_unique<TaskSet>(reactor());
    std::vector<Promise<>> promises(4);
    int cancels = 0;
    inner->add("again", promises[0].deferred([&] {
        ++cancels;
        inner->cancel_all();
    }));
    inner->add("plain", promises[1].deferred([&] { ++cancels; }));
    inner->add("destroyer", promises[2].deferred([&] {
        ++cancels;
        inner.reset();
    }));
    inner->add("behind", promises[3].deferred([&] { ++cancels; }));
    inner->cancel_all();
    EXPECT_FALSE(inner);
    EXPECT_EQ(cancels, 4) << "the last one by its drop";
}

TEST_F(TaskSetTest, close_cancels_and_waits_for_clean_up) {
    auto careful = [](Reactor& reactor) -> Deferred<> {
        (void)co_await sleep(reactor, seconds(60)).as_result();
        co_await sleep(reactor, milliseconds(50));
        co_return {};
    };
    world_.on(world_.world(), [&] { tasks_.add("careful", careful(reactor())); });
    Deferred<> closed = tasks_.close(seconds(1));
    EXPECT_TRUE(world_.advance(milliseconds(49)));
    EXPECT_FALSE(closed.settled());
    EXPECT_TRUE(world_.advance(milliseconds(2)));
    EXPECT_TRUE(closed.settled());
    EXPECT_EQ(capture_.count("task.dropped"), 0u);
    Promise<> late;
    tasks_.add("too late", late.deferred());
    EXPECT_FALSE(late.wanted());
}

TEST_F(TaskSetTest, close_drops_what_outlasts_the_grace) {
    auto stubborn = [](Reactor& reactor) -> Deferred<> {
        for (;;)
            (void)co_await sleep(reactor, seconds(60)).as_result();
    };
    world_.on(world_.world(), [&] { tasks_.add("stubborn", stubborn(reactor())); });
    Deferred<> closed = tasks_.close(seconds(1));
    EXPECT_TRUE(world_.advance(seconds(1)));
    EXPECT_TRUE(closed.settled());
    EXPECT_EQ(tasks_.size(), 0u);
    EXPECT_EQ(capture_.first("task.dropped").text("task"), "stubborn");
}

TEST_F(TaskSetTest, close_of_an_empty_set_is_ready) {
    EXPECT_TRUE(tasks_.close(seconds(1)).settled());
}

TEST_F(TaskSetTest, dropping_close_stops_only_the_wait) {
    Promise<> promise;
    tasks_.add("task", promise.deferred().ensure([this] { return sleep(reactor(), seconds(1)); }));
    {
        Deferred<> closed = tasks_.close(seconds(10));
    }
    EXPECT_TRUE(world_.advance(seconds(2)));
    EXPECT_EQ(tasks_.size(), 0u);
}

}  // namespace
}  // namespace reactor
