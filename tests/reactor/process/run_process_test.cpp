// E8: programs run to their end.
#include "reactor/process/run_process.h"

#include "tests/reactor/net/real_loop.h"

#include <signal.h>

namespace reactor {
namespace {

using base::Errc;
using namespace std::chrono_literals;

class E8_RunProcess : public test::RealLoop {
protected:
    base::Result<ProcessOutput> run(std::string script, RunLimits limits = {}) {
        return wait(start(std::move(script), std::move(limits)));
    }
    Deferred<ProcessOutput> start(std::string script, RunLimits limits = {}) {
        ProcessSpec spec;
        spec.executable = "sh";
        spec.arguments = {"sh", "-c", std::move(script)};
        return run_process(world(), *spawner, std::move(spec), std::move(limits));
    }
    std::unique_ptr<ProcessSpawner> spawner = make_process_spawner(world());
};

TEST_F(E8_RunProcess, captures_both_outputs_and_the_status) {
    const auto output = run("echo out; echo err >&2; exit 3");
    ASSERT_TRUE(output) << output.error().message();
    EXPECT_EQ(output->out, "out\n");
    EXPECT_EQ(output->error, "err\n") << "which is no failure, unlike Twisted's getProcessOutput";
    EXPECT_EQ(output->status.code, 3);
    EXPECT_EQ(run("kill -15 $$")->status.signal, 15);
}

TEST_F(E8_RunProcess, feeds_input_larger_than_a_pipe_and_closes_it) {
    const std::string large(1'000'000, 'i');
    const auto output = run("wc -c", {.input = large});
    ASSERT_TRUE(output);
    EXPECT_EQ(std::stol(output->out), 1'000'000);
    EXPECT_TRUE(run("exit 0", {.input = large})) << "a program may close its input unread";
}

TEST_F(E8_RunProcess, captures_up_to_its_cap_and_kills_one_past_it) {
    EXPECT_EQ(run("printf 12345", {.out_bytes_max = 5})->out, "12345");
    const auto over = run("printf 123456; exec sleep 1000", {.out_bytes_max = 5});
    EXPECT_EQ(over.error().code(), Errc::resource_exhausted);
    EXPECT_EQ(run("yes >&2", {.error_bytes_max = 100'000}).error().code(),
              Errc::resource_exhausted);
}

TEST_F(E8_RunProcess, kills_a_program_that_takes_too_long) {
    EXPECT_EQ(run("sleep 1000", {.timeout = 50ms}).error().code(), Errc::timed_out);
    EXPECT_EQ(run("sleep 1000 & wait", {.timeout = 50ms}).error().code(), Errc::timed_out);
}

TEST_F(E8_RunProcess, does_not_wait_for_grandchildren_that_hold_its_output) {
    const auto output = run("sleep 60 & echo done", {.pipe_grace = 50ms});
    ASSERT_TRUE(output);
    EXPECT_EQ(output->out, "done\n");
    EXPECT_TRUE(output->pipes_abandoned);
}

TEST_F(E8_RunProcess, fails_as_spawn_does) {
    ProcessSpec spec;
    spec.executable = "/no/such/program";
    EXPECT_EQ(wait(run_process(world(), *spawner, spec)).error().code(), Errc::not_found);
}

TEST_F(E8_RunProcess, kills_when_cancelled_or_dropped) {
    auto running = start("exec sleep 1000");
    running.cancel();
    EXPECT_EQ(wait(std::move(running)).error().code(), Errc::cancelled);
    {
        const auto dropped = start("exec sleep 1000");
    }
    run_turns(3);
}

TEST_F(E8_RunProcess, runs_many_at_once) {
    std::vector<Deferred<ProcessOutput>> all;
    for (int i = 0; i < 20; ++i)
        all.push_back(start("echo " + std::to_string(i)));
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(wait(std::move(all[static_cast<std::size_t>(i)]))->out, std::to_string(i) + "\n");
}

}  // namespace
}  // namespace reactor
