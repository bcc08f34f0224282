// E11: worker groups with scripted children on virtual time; ProcessSpawner's simulated half.
#include "reactor/process/worker_group.h"

#include "reactor/base/bytes.h"
#include "reactor/memory_pipe.h"
#include "reactor/sim/sim_process.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace reactor {
namespace {

using base::Errc;
using namespace std::chrono_literals;

class E11_WorkerGroup : public testing::Test {
protected:
    /// The inside of one child.
    struct Inside {
        SimChild* child;
        std::unique_ptr<WorkerSide> side;
        std::optional<Deferred<void>> stopping;
    };

    E11_WorkerGroup() : sim({.log = log.log()}), scope(world().reactor) {}
    ~E11_WorkerGroup() override { group.reset(); }
    World& world() { return sim.world(); }

    void make(WorkerGroupOptions options) {
        group = std::make_unique<WorkerGroup>(
            world(), [this](std::size_t) { return launch(); }, options);
    }
    base::Result<LaunchedWorker> launch() {
        ++launches;
        if (refuse) return base::fail(Errc::not_found, "no such program");
        LaunchedWorker launched;
        auto process = spawner.spawn({.executable = "worker"});
        if (!process) return std::unexpected(process.error());
        auto ends = memory_pipe(world(), world());
        launched.process = *std::move(process);
        launched.channel = std::make_unique<ipc::Channel>(world(), std::move(ends.first));
        Inside& inside = *insides.emplace_back(std::make_unique<Inside>());
        inside.child = spawner.children().back().get();
        inside.side = std::make_unique<WorkerSide>(
            world(), std::make_unique<ipc::Channel>(world(), std::move(ends.second)));
        inside.side->on_request([&inside](ipc::Message message) -> Deferred<ipc::Message> {
            return ipc::Message{std::to_string(inside.child->pid()) + " did " + message.bytes};
        });
        if (obedient)
            inside.stopping.emplace(
                inside.side->when_stopped().then([&inside] { inside.child->exit(0); }));
        if (says_hello) {
            EXPECT_TRUE(inside.side->hello());
        }
        return launched;
    }
    /// As a crash does: the process and its end of the channel go.
    void crash(std::size_t index, int signal = SIGSEGV) {
        insides[index]->stopping.reset();
        insides[index]->side.reset();
        insides[index]->child->die(signal);
    }
    template <class T>
    base::Result<T> wait(Deferred<T> work) {
        sim.run_until([&] { return work.settled(); }, 24h);
        if (!work.settled()) return base::fail(Errc::internal, "never settled");
        return work.take();
    }

    test::LogCapture log;
    SimWorld sim;
    Reactor::Scope scope;
    SimSpawner spawner{world(), [](SimChild&) -> base::Result<void> { return {}; }};
    std::vector<std::unique_ptr<Inside>> insides;
    bool says_hello = true;
    bool obedient = true;
    bool refuse = false;
    int launches = 0;
    std::unique_ptr<WorkerGroup> group;
};

TEST_F(E11_WorkerGroup, starts_all_shares_work_and_stops_all) {
    make({.count = 3});
    EXPECT_EQ(test::failure_of(group->request_any({"early"})).code(), Errc::not_found);
    EXPECT_TRUE(wait(group->start()));
    EXPECT_EQ(group->running(), 3u);
    EXPECT_EQ(wait(group->start()).error().code(), Errc::invalid_argument) << "once";
    std::vector<Deferred<ipc::Message>> answers;
    for (int i = 0; i < 3; ++i)
        answers.push_back(group->request_any({"it"}));
    EXPECT_EQ(wait(std::move(answers[0]))->bytes, "1000 did it");
    EXPECT_EQ(wait(std::move(answers[1]))->bytes, "1001 did it") << "the idlest";
    EXPECT_EQ(wait(std::move(answers[2]))->bytes, "1002 did it");
    EXPECT_EQ(wait(group->request(1, {"that"}))->bytes, "1001 did that");
    EXPECT_EQ(group->send(7, {"x"}).error().code(), Errc::not_found);
    EXPECT_TRUE(wait(group->stop()));
    EXPECT_EQ(group->state(0), WorkerState::stopped);
    EXPECT_EQ(spawner.children()[0]->over(), true);
    EXPECT_TRUE(wait(group->stop()));
    EXPECT_EQ(launches, 3);
}

TEST_F(E11_WorkerGroup, passes_messages_both_ways) {
    make({.count = 2});
    std::vector<std::string> got;
    group->on_message([&](std::size_t index, ipc::Message message) {
        got.push_back(std::to_string(index) + message.bytes);
    });
    group->on_request([&](std::size_t index, ipc::Message) -> Deferred<ipc::Message> {
        return ipc::Message{"you are " + std::to_string(index)};
    });
    EXPECT_TRUE(wait(group->start()));
    ASSERT_TRUE(insides[1]->side->send({"hello"}));
    EXPECT_EQ(wait(insides[1]->side->request({"who am I?"}))->bytes, "you are 1");
    EXPECT_EQ(got, (std::vector<std::string>{"1hello"}));
    std::string told;
    insides[0]->side->on_message([&](ipc::Message message) { told = message.bytes; });
    ASSERT_TRUE(group->send(0, {"do"}));
    sim.run_ready();
    EXPECT_EQ(told, "do");
}

TEST_F(E11_WorkerGroup, restarts_the_dead_after_growing_waits) {
    make({.count = 1, .backoff = {.initial = 1s, .max = 60s, .factor = 2, .jitter = 0}});
    EXPECT_TRUE(wait(group->start()));
    const std::int64_t first = group->pid(0);
    crash(0);
    sim.run_until([&] { return group->state(0) == WorkerState::waiting; }, 1min);
    EXPECT_EQ(group->pid(0), 0);
    const auto died = sim.now();
    sim.run_until([&] { return group->running() == 1; }, 1min);
    EXPECT_EQ(sim.now() - died, 1s);
    EXPECT_NE(group->pid(0), first);
    crash(1);
    sim.run_until([&] { return group->state(0) == WorkerState::waiting; }, 1min);
    const auto again = sim.now();
    sim.run_until([&] { return group->running() == 1; }, 1min);
    EXPECT_EQ(sim.now() - again, 2s);
    EXPECT_EQ(group->restarts(0), 2u);
    EXPECT_EQ(log.count("worker.exited"), 2u);
    EXPECT_EQ(log.first("worker.exited").text("how"), "killed by signal 11");
}

TEST_F(E11_WorkerGroup, gives_a_worker_up_that_dies_too_often) {
    make({.count = 2,
          .backoff = {.initial = 1s, .max = 1s, .factor = 1, .jitter = 0},
          .restarts_max = 2,
          .restart_window = 10s});
    EXPECT_TRUE(wait(group->start()));
    for (std::size_t life : {0u, 2u, 3u}) {
        crash(life);
        sim.advance(1500ms);
    }
    EXPECT_EQ(group->state(0), WorkerState::failed);
    EXPECT_EQ(group->state(1), WorkerState::running) << "the others go on";
    EXPECT_EQ(log.count("worker.failed"), 1u);
    sim.advance(1h);
    EXPECT_EQ(launches, 4);
    EXPECT_TRUE(wait(group->stop()));
}

TEST_F(E11_WorkerGroup, deaths_beyond_the_window_do_not_count) {
    make({.count = 1,
          .backoff = {.initial = 1s, .max = 1s, .factor = 1, .jitter = 0},
          .restarts_max = 1,
          .restart_window = 10s});
    EXPECT_TRUE(wait(group->start()));
    for (std::size_t life = 0; life < 5; ++life) {
        crash(life);
        sim.advance(15s);
        ASSERT_EQ(group->state(0), WorkerState::running);
    }
}

TEST_F(E11_WorkerGroup, follows_its_restart_policy) {
    make({.count = 1, .restart = RestartPolicy::on_failure});
    EXPECT_TRUE(wait(group->start()));
    crash(0);
    sim.advance(1min);
    EXPECT_EQ(group->state(0), WorkerState::running);
    insides[1]->child->exit(0);
    sim.advance(1min);
    EXPECT_EQ(group->state(0), WorkerState::stopped);
    make({.count = 1, .restart = RestartPolicy::never});
    world().reactor.run_turn(false);  // A new turn for a new time.
    EXPECT_TRUE(wait(group->start()));
    crash(2);
    sim.advance(1min);
    EXPECT_EQ(group->state(0), WorkerState::stopped);
}

TEST_F(E11_WorkerGroup, kills_what_does_not_say_hello) {
    says_hello = false;
    make({.count = 1, .hello_timeout = 3s});
    Deferred<void> starting = group->start();
    sim.advance(2900ms);
    EXPECT_EQ(group->state(0), WorkerState::starting);
    EXPECT_FALSE(spawner.children()[0]->over());
    says_hello = true;
    EXPECT_TRUE(wait(std::move(starting))) << "the second life says it";
    EXPECT_TRUE(spawner.children()[0]->over());
    EXPECT_EQ(launches, 2);
}

TEST_F(E11_WorkerGroup, kills_what_does_not_answer_heartbeats) {
    make({.count = 1, .heartbeat_interval = 5s, .heartbeats_missed_max = 3});
    EXPECT_TRUE(wait(group->start()));
    sim.advance(1min);
    EXPECT_EQ(launches, 1) << "those that answer live";
    const auto hung = sim.now();
    insides[0]->side.reset();  // The channel is gone, the process hangs.
    sim.run_until([&] { return launches == 2; }, 10min);
    EXPECT_LE(sim.now() - hung, 40s);
    EXPECT_EQ(log.count("worker.unresponsive"), 1u);
    EXPECT_TRUE(spawner.children()[0]->over());
}

TEST_F(E11_WorkerGroup, fails_a_start_that_cannot_be) {
    refuse = true;
    make({.count = 2, .restart = RestartPolicy::never});
    const auto failed = wait(group->start());
    EXPECT_EQ(failed.error().code(), Errc::not_found);
    EXPECT_NE(failed.error().message().find("no such program"), std::string::npos);
    EXPECT_TRUE(wait(group->stop()));
}

TEST_F(E11_WorkerGroup, insists_when_asked_to_stop_in_vain) {
    obedient = false;
    make({.count = 1, .stop_grace = 4s});
    EXPECT_TRUE(wait(group->start()));
    std::vector<int> signals;
    insides[0]->child->on_signal([&](int number) {
        signals.push_back(number);
        return true;
    });
    const auto began = sim.now();
    EXPECT_TRUE(wait(group->stop()));
    EXPECT_EQ(signals, std::vector<int>{SIGTERM});
    EXPECT_TRUE(spawner.children()[0]->over()) << "by SIGKILL";
    EXPECT_GE(sim.now() - began, 8s);
    EXPECT_LE(sim.now() - began, 8100ms);
}

TEST_F(E11_WorkerGroup, tells_workers_that_their_parent_is_gone) {
    obedient = false;
    make({.count = 1});
    EXPECT_TRUE(wait(group->start()));
    Deferred<void> stopped = insides[0]->side->when_stopped();
    group.reset();
    EXPECT_TRUE(wait(std::move(stopped)));
    EXPECT_TRUE(spawner.children()[0]->over()) << "killed with the group";
}

class E7_SimProcess : public E11_WorkerGroup {};

TEST_F(E7_SimProcess, is_a_process_in_all_but_the_kernel) {
    auto process = spawner.spawn({.executable = "scripted"});
    ASSERT_TRUE(process);
    SimChild& child = *spawner.children().back();
    const ConstBuffer text = base::as_bytes("out");
    ASSERT_EQ(child.stream(1).try_writev(std::span(&text, 1)).bytes, 3u);
    child.hold_pipes();
    child.exit(3);
    Deferred<ProcessEnd> ending = (*process)->ended(2s);
    EXPECT_EQ(wait((*process)->exited())->code, 3);
    const auto began = sim.now();
    EXPECT_TRUE(wait(std::move(ending))->pipes_abandoned);
    EXPECT_EQ(sim.now() - began, 2s);
    EXPECT_EQ((*process)->signal(SIGTERM).error().code(), Errc::not_found);
}

}  // namespace
}  // namespace reactor
