// E12: service trees, on virtual time.
#include "reactor/process/service.h"

#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reactor {
namespace {

using base::Errc;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class E12_ServiceTree : public testing::Test {
protected:
    E12_ServiceTree() : sim({.log = log.log()}), scope(world().reactor), tree(world(), "tree") {}
    World& world() { return sim.world(); }

    struct Part final : Service {
        Part(E12_ServiceTree& its_test, std::string its_name, std::vector<std::string> its_needs)
            : test(its_test), label(std::move(its_name)), needs(std::move(its_needs)) {}
        ~Part() override { test.story.push_back("~" + label); }
        std::string name() const override { return label; }
        std::vector<std::string> depends_on() const override { return needs; }
        base::Result<void> privileged_start() override {
            test.story.push_back("privileged " + label);
            return {};
        }
        Deferred<void> start() override {
            test.story.push_back("start " + label);
            co_await sleep(test.world().reactor, start_time);
            test.story.push_back("started " + label);
            co_return start_result;
        }
        Deferred<void> stop() override {
            test.story.push_back("stop " + label);
            Deferred<void> working = sleep(test.world().reactor, stop_time);
            (void)co_await std::move(working);
            test.story.push_back("stopped " + label);
            co_return stop_result;
        }
        bool healthy() const override { return is_healthy; }

        E12_ServiceTree& test;
        std::string label;
        std::vector<std::string> needs;
        base::Duration start_time = 1s;
        base::Duration stop_time = 1s;
        base::Result<void> start_result;
        base::Result<void> stop_result;
        bool is_healthy = true;
    };
    Part& add(std::string name, std::vector<std::string> needs = {}) {
        auto part = std::make_unique<Part>(*this, std::move(name), std::move(needs));
        Part& it = *part;
        EXPECT_TRUE(wait(tree.add(std::move(part))));
        return it;
    }
    template <class T>
    base::Result<T> wait(Deferred<T> work) {
        sim.run_until([&] { return work.settled(); }, 24h);
        if (!work.settled()) return base::fail(Errc::internal, "never settled");
        return work.take();
    }
    std::vector<std::string> told() { return std::exchange(story, {}); }

    std::vector<std::string> story;
    test::LogCapture log;
    SimWorld sim;
    Reactor::Scope scope;
    ServiceTree tree;
};

TEST_F(E12_ServiceTree, starts_by_dependency_then_by_adding_and_stops_in_reverse_one_by_one) {
    add("web", {"store", "dns"});
    add("dns");
    add("store", {"dns"});
    EXPECT_TRUE(wait(tree.start()));
    EXPECT_THAT(told(), ElementsAre("privileged dns", "privileged store", "privileged web",
                                    "start dns", "started dns", "start store", "started store",
                                    "start web", "started web"));
    EXPECT_THAT(tree.running(), ElementsAre("dns", "store", "web"));
    EXPECT_EQ(tree.state(), ServiceState::running);
    EXPECT_TRUE(wait(tree.stop()));
    EXPECT_THAT(told(), ElementsAre("stop web", "stopped web", "stop store", "stopped store",
                                    "stop dns", "stopped dns"));
    EXPECT_EQ(tree.state(), ServiceState::idle);
    EXPECT_TRUE(wait(tree.start())) << "it may be started again";
    EXPECT_TRUE(wait(tree.stop()));
}

TEST_F(E12_ServiceTree, undoes_a_start_that_fails) {
    add("a");
    add("b");
    add("c").start_result = base::fail(Errc::io_error, "no disk");
    add("d");
    const auto failed = wait(tree.start());
    EXPECT_EQ(failed.error().message(), "io_error: c: no disk");
    story.erase(story.begin(), story.begin() + 4);
    EXPECT_THAT(told(), ElementsAre("start a", "started a", "start b", "started b", "start c",
                                    "started c", "stop b", "stopped b", "stop a", "stopped a"));
    EXPECT_EQ(tree.state(), ServiceState::idle);
    EXPECT_EQ(log.count("service.start_failed"), 1u);
}

TEST_F(E12_ServiceTree, refuses_circles_strangers_doubles_and_a_second_start) {
    add("a", {"b"});
    EXPECT_THAT(wait(tree.start()).error().message(), HasSubstr("b, which does not exist"));
    add("b", {"c"});
    add("c", {"a"});
    EXPECT_THAT(wait(tree.start()).error().message(), HasSubstr("a -> b -> c -> a"));
    auto twin = std::make_unique<Part>(*this, "a", std::vector<std::string>());
    EXPECT_EQ(wait(tree.add(std::move(twin))).error().code(), Errc::already_exists);
    EXPECT_TRUE(wait(tree.stop())) << "idle: at once";
    ServiceTree other(world(), "other");
    EXPECT_TRUE(wait(other.start()));
    EXPECT_EQ(wait(other.start()).error().code(), Errc::invalid_argument);
}

TEST_F(E12_ServiceTree, stop_during_a_start_ends_it_and_undoes_what_runs) {
    add("a");
    add("slow").start_time = 1h;
    Deferred<void> starting = tree.start();
    sim.advance(2s);
    told();
    Deferred<void> stopping = tree.stop();
    Deferred<void> again = tree.stop();
    EXPECT_EQ(wait(std::move(starting)).error().code(), Errc::cancelled);
    EXPECT_TRUE(wait(std::move(stopping)) && wait(std::move(again)));
    EXPECT_THAT(told(), ElementsAre("stop a", "stopped a"));
    EXPECT_EQ(tree.state(), ServiceState::idle);
}

TEST_F(E12_ServiceTree, stops_everything_whatever_fails_and_reports_the_first) {
    add("a");
    add("b").stop_result = base::fail(Errc::busy, "b's reason");
    add("c").stop_result = base::fail(Errc::busy, "c's reason");
    EXPECT_TRUE(wait(tree.start()));
    told();
    EXPECT_EQ(wait(tree.stop()).error().message(), "busy: c: c's reason");
    EXPECT_THAT(told(),
                ElementsAre("stop c", "stopped c", "stop b", "stopped b", "stop a", "stopped a"));
    EXPECT_EQ(log.count("service.stop_failed"), 2u);
}

TEST_F(E12_ServiceTree, gives_each_step_a_deadline) {
    add("a");
    Part& slow = add("slow");
    slow.start_time = 2h;
    const auto began = sim.now();
    EXPECT_EQ(wait(tree.start()).error().code(), Errc::timed_out);
    EXPECT_EQ(sim.now() - began, 1s + 60s + 1s) << "a, the limit, a's stop";
    slow.start_time = 1s;
    slow.stop_time = 2h;
    EXPECT_TRUE(wait(tree.start()));
    const auto stop_began = sim.now();
    EXPECT_EQ(wait(tree.stop()).error().code(), Errc::timed_out);
    // The stubborn service ignores its cancellation for as long as it may.
    EXPECT_LE(sim.now() - stop_began, 30s + 1s + 1s);
    EXPECT_TRUE(tree.running().empty()) << "and the others were stopped all the same";
}

TEST_F(E12_ServiceTree, starts_late_children_and_removes_them) {
    add("a");
    EXPECT_TRUE(wait(tree.start()));
    told();
    add("late", {"a"});
    EXPECT_THAT(told(), ElementsAre("privileged late", "start late", "started late"));
    EXPECT_EQ(wait(tree.remove("a")).error().code(), Errc::invalid_argument);
    EXPECT_EQ(wait(tree.remove("nobody")).error().code(), Errc::not_found);
    EXPECT_TRUE(wait(tree.remove("late")));
    EXPECT_THAT(told(), ElementsAre("stop late", "stopped late", "~late"));
    auto bad = std::make_unique<Part>(*this, "bad", std::vector<std::string>());
    bad->start_result = base::fail(Errc::io_error);
    EXPECT_EQ(wait(tree.add(std::move(bad))).error().code(), Errc::io_error);
    EXPECT_EQ(tree.find("bad"), nullptr);
    EXPECT_EQ(tree.state(), ServiceState::running);
    EXPECT_TRUE(wait(tree.stop()));
}

TEST_F(E12_ServiceTree, refuses_changes_while_it_changes) {
    add("a");
    Deferred<void> starting = tree.start();
    auto late = std::make_unique<Part>(*this, "late", std::vector<std::string>());
    EXPECT_EQ(wait(tree.add(std::move(late))).error().code(), Errc::busy);
    EXPECT_EQ(test::failure_of(tree.remove("a")).code(), Errc::busy);
    EXPECT_TRUE(wait(std::move(starting)));
    EXPECT_TRUE(wait(tree.stop()));
}

TEST_F(E12_ServiceTree, nests_and_is_as_healthy_as_its_parts) {
    auto inner = std::make_unique<ServiceTree>(world(), "inner");
    auto part = std::make_unique<Part>(*this, "part", std::vector<std::string>());
    Part& it = *part;
    EXPECT_TRUE(wait(inner->add(std::move(part))));
    EXPECT_TRUE(wait(tree.add(std::move(inner))));
    EXPECT_FALSE(tree.healthy());
    EXPECT_TRUE(wait(tree.start()));
    EXPECT_TRUE(tree.healthy());
    it.is_healthy = false;
    EXPECT_FALSE(tree.healthy());
    EXPECT_TRUE(wait(tree.stop()));
    EXPECT_THAT(story, ElementsAre("privileged part", "start part", "started part", "stop part",
                                   "stopped part"));
}

TEST_F(E12_ServiceTree, dropping_a_start_leaves_a_tree_that_can_be_stopped) {
    add("a");
    add("slow").start_time = 1h;
    {
        const Deferred<void> dropped = tree.start();
        sim.advance(2s);
    }
    EXPECT_EQ(tree.state(), ServiceState::running);
    EXPECT_THAT(tree.running(), ElementsAre("a"));
    EXPECT_TRUE(wait(tree.stop()));
}

}  // namespace
}  // namespace reactor
