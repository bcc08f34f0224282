// E6, E7: children of the kernel. Small programs of the system, no waiting for time.
#include "reactor/process/process.h"

#include "reactor/net/connection.h"
#include "reactor/net/unix_stream.h"
#include "tests/reactor/net/real_loop.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <fstream>
#include <iterator>
#include <set>

namespace reactor {
namespace {

using base::Errc;
using Kind = ChildFd::Kind;
using namespace std::chrono_literals;

class OnProcesses : public test::RealLoop {
protected:
    ProcessSpec shell(std::string script) {
        ProcessSpec spec;
        spec.executable = "sh";
        spec.arguments = {"sh", "-c", std::move(script)};
        return spec;
    }
    std::unique_ptr<Process> spawn(ProcessSpec spec) {
        auto process = spawner->spawn(std::move(spec));
        EXPECT_TRUE(process) << process.error().message();
        return process ? *std::move(process) : nullptr;
    }
    std::string read_all(ByteStream& stream) {
        std::string text;
        std::array<std::byte, 4096> bytes;
        run_until([&] {
            const IoResult result = stream.try_read(bytes);
            text += base::as_text(std::span(bytes).first(result.bytes));
            return result.status == IoStatus::end_of_stream || result.status == IoStatus::failed;
        });
        return text;
    }
    std::string output_of(ProcessSpec spec) {
        auto process = spawn(std::move(spec));
        return process ? read_all(process->stream(1)) : "";
    }
    static void write(ByteStream& stream, std::string_view text) {
        const ConstBuffer buffer = base::as_bytes(text);
        EXPECT_EQ(stream.try_writev(std::span(&buffer, 1)).bytes, text.size());
    }
    /// Of this process, the dead that nobody reaped included.
    static std::set<std::string> children() {
        const std::string pid = std::to_string(getpid());
        std::ifstream list("/proc/" + pid + "/task/" + pid + "/children");
        return {std::istream_iterator<std::string>(list), {}};
    }
    static bool exists(std::int64_t pid) { return ::kill(static_cast<pid_t>(pid), 0) == 0; }

    std::unique_ptr<ProcessSpawner> spawner = make_process_spawner(world());
};

class E6_Spawn : public OnProcesses {};
class E7_Process : public OnProcesses {};

TEST_F(E6_Spawn, connects_pipes_to_the_standard_descriptors) {
    auto process = spawn(shell("read line; echo \"out $line\"; echo \"err $line\" >&2"));
    ASSERT_TRUE(process);
    write(process->stream(0), "hello\n");
    EXPECT_EQ(read_all(process->stream(1)), "out hello\n");
    EXPECT_EQ(read_all(process->stream(2)), "err hello\n");
    EXPECT_EQ(*wait(process->exited()), ExitStatus{});
}

TEST_F(E6_Spawn, says_at_once_why_a_program_cannot_run) {
    const std::set<std::string> before = children();
    EXPECT_EQ(spawner->spawn({.executable = "/no/such/program"}).error().code(), Errc::not_found);
    EXPECT_EQ(spawner->spawn({.executable = "no-such-program-in-path"}).error().code(),
              Errc::not_found);
    EXPECT_EQ(spawner->spawn({.executable = "/etc/passwd"}).error().code(),
              Errc::permission_denied);
    const std::string nonsense = temporary("nonsense");
    {
        const OwnedFd file(::open(nonsense.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0700));
        ASSERT_EQ(::write(file.get(), "\1\2\3", 3), 3);
    }
    EXPECT_EQ(spawner->spawn({.executable = nonsense}).error().code(), Errc::invalid_argument);
    ::unlink(nonsense.c_str());
    EXPECT_EQ(spawner->spawn({.executable = "/etc"}).error().code(), Errc::permission_denied);
    EXPECT_EQ(spawner->spawn({}).error().code(), Errc::invalid_argument);
    EXPECT_EQ(spawner->spawn({.executable = std::string("a\0b", 3)}).error().code(),
              Errc::invalid_argument);
    auto spec = shell("true");
    spec.directory = "/no/such/directory";
    const auto failure = spawner->spawn(spec).error();
    EXPECT_EQ(failure.code(), Errc::not_found);
    EXPECT_NE(failure.message().find("directory"), std::string::npos) << failure.message();
    for (const std::string& child : children())
        EXPECT_TRUE(before.contains(child)) << "not reaped: " << child;
}

TEST_F(E6_Spawn, passes_arguments_environment_and_directory) {
    auto spec = shell("echo \"$0|$1|$SET|${HOME-unset}\"; pwd");
    spec.arguments = {"sh", "-c", spec.arguments[2], "zero", "one two"};
    spec.environment = {{"SET=yes", "PATH=/usr/bin:/bin"}};
    spec.directory = "/";
    EXPECT_EQ(output_of(spec), "zero|one two|yes|unset\n/\n");
    ::setenv("REACTOR_TEST_INHERITED", "kept", 1);
    EXPECT_EQ(output_of(shell("echo $REACTOR_TEST_INHERITED")), "kept\n")
        << "unset means inherited, unlike Twisted";
    spec = shell("env");
    spec.executable = "/usr/bin/env";
    spec.arguments = {"env"};
    spec.environment = std::vector<std::string>();
    EXPECT_EQ(output_of(spec), "") << "empty means empty";
}

TEST_F(E6_Spawn, maps_descriptors_and_closes_all_others) {
    const OwnedFd leak(::open("/dev/null", O_RDONLY));  // Not close-on-exec.
    auto spec = shell("ls /proc/self/fd | tr '\\n' ' '; cat <&7");
    auto pair = unix_pair();
    ASSERT_TRUE(pair);
    // A swap: each goes where the other's descriptor may be.
    spec.descriptors = {{{0, Kind::null, -1},
                         {1, Kind::pipe_out, -1},
                         {2, Kind::null, -1},
                         {7, Kind::inherit, pair->second.get()}}};
    auto process = spawn(spec);
    ASSERT_TRUE(process);
    ::close(pair->second.release());
    ASSERT_EQ(::write(pair->first.get(), "through seven", 13), 13);
    pair->first.reset();
    EXPECT_EQ(read_all(process->stream(1)), "0 1 2 3 7 through seven")
        << "3 is what ls itself opened";
    EXPECT_TRUE(wait(process->exited())->success());
}

TEST_F(E6_Spawn, places_descriptors_that_overlap_with_their_sources) {
    auto [a_read, a_write] = *unix_pair();
    auto [b_read, b_write] = *unix_pair();
    ASSERT_EQ(::write(a_write.get(), "A", 1), 1);
    ASSERT_EQ(::write(b_write.get(), "B", 1), 1);
    a_write.reset();
    b_write.reset();
    ASSERT_LE(std::max(a_read.get(), b_read.get()), 1023);
    auto spec = shell("cat <&" + std::to_string(b_read.get()) + "; echo; cat <&" +
                      std::to_string(a_read.get()));
    if (a_read.get() > 9 || b_read.get() > 9) GTEST_SKIP() << "the shell names one digit only";
    spec.descriptors = {{{1, Kind::pipe_out, -1},
                         {a_read.get(), Kind::inherit, b_read.get()},
                         {b_read.get(), Kind::inherit, a_read.get()}}};
    EXPECT_EQ(output_of(spec), "A\nB") << "crosswise";
}

TEST_F(E6_Spawn, refuses_descriptors_that_cannot_be) {
    auto spec = shell("true");
    spec.descriptors = {{{1, Kind::null, -1}, {1, Kind::null, -1}}};
    EXPECT_EQ(spawner->spawn(spec).error().code(), Errc::invalid_argument);
    spec.descriptors = {{{1, Kind::inherit, 987}}};
    EXPECT_EQ(spawner->spawn(spec).error().code(), Errc::invalid_argument);
    spec.descriptors = {{{-1, Kind::null, -1}}};
    EXPECT_EQ(spawner->spawn(spec).error().code(), Errc::invalid_argument);
    spec.descriptors = {{{5000, Kind::null, -1}}};
    EXPECT_EQ(spawner->spawn(spec).error().code(), Errc::invalid_argument);
}

TEST_F(E6_Spawn, sets_limits_groups_and_signals) {
    auto spec = shell("ulimit -n; ps -o pgid= -p $$ | tr -d ' '; echo $$");
    spec.limits = {{RLIMIT_NOFILE, 123, 200}};
    ASSERT_NE(::signal(SIGPIPE, SIG_IGN), SIG_ERR);
    const std::string text = output_of(spec);
    EXPECT_TRUE(text.starts_with("123\n")) << text;
    auto in_group = spawn(shell("exec sleep 1000"));
    EXPECT_EQ(::getpgid(static_cast<pid_t>(in_group->pid())), in_group->pid());
    auto ours = shell("exec sleep 1000");
    ours.own_group = false;
    auto beside = spawn(ours);
    EXPECT_EQ(::getpgid(static_cast<pid_t>(beside->pid())), ::getpgrp());
    EXPECT_EQ(beside->signal_group(SIGTERM).error().code(), Errc::invalid_argument);
    auto leader = shell("exec sleep 1000");
    leader.own_session = true;
    auto session = spawn(leader);
    EXPECT_EQ(::getsid(static_cast<pid_t>(session->pid())), session->pid());
    // A child that ignored SIGPIPE would not die of it.
    auto piped = spawn(shell("kill -PIPE $$; echo survived"));
    EXPECT_EQ(wait(piped->exited())->signal, SIGPIPE);
    ::signal(SIGPIPE, SIG_DFL);
}

TEST_F(E6_Spawn, becomes_somebody_else_when_it_may) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs privileges";
    auto spec = shell("id -u; id -g; id -G");
    spec.user = 65534;
    spec.group = 65533;
    EXPECT_EQ(output_of(spec), "65534\n65533\n65533\n");
}

TEST_F(E6_Spawn, gives_a_child_a_terminal_of_its_own) {
    auto spec = shell(
        "tty >/dev/null && [ -t 2 ] && stty -echo && stty size && read line && "
        "echo \"got $line\" </dev/tty");
    spec.terminal = TerminalSize{.rows = 30, .columns = 100};
    auto process = spawn(spec);
    ASSERT_TRUE(process);
    write(process->stream(0), "hello\n");
    auto ending = process->ended(1h);
    std::string said = read_all(process->stream(0));
    if (said.starts_with("hello\r\n")) said.erase(0, 7);  // Written before the echo was off.
    EXPECT_EQ(said, "30 100\r\ngot hello\r\n");
    const auto end = wait(std::move(ending));
    ASSERT_TRUE(end);
    EXPECT_TRUE(end->status.success());
    EXPECT_FALSE(end->pipes_abandoned);
    EXPECT_EQ(process->set_terminal_size({}).error().code(), Errc::not_found);
}

TEST_F(E6_Spawn, tells_the_child_of_its_terminal) {
    auto spec = shell("trap 'stty size' WINCH; echo ready; while :; do read x; done");
    spec.terminal = TerminalSize{};
    auto process = spawn(spec);
    ASSERT_TRUE(process);
    std::string said;
    const auto says = [&](std::string_view text) {
        std::array<std::byte, 256> bytes;
        return run_until([&] {
            const IoResult result = process->stream(0).try_read(bytes);
            said += base::as_text(std::span(bytes).first(result.bytes));
            return said.contains(text);
        });
    };
    ASSERT_TRUE(says("ready\r\n"));
    ASSERT_TRUE(process->set_terminal_size({.rows = 5, .columns = 7}));
    write(process->stream(0), "\n");  // The shell looks at its traps between commands.
    EXPECT_TRUE(says("5 7\r\n")) << said;
    write(process->stream(0), "\x03");
    EXPECT_EQ(wait(process->exited())->signal, SIGINT) << "the terminal's interrupt";

    spec = shell("read x");
    spec.terminal = TerminalSize{};
    auto hung_up = spawn(spec);
    hung_up->take_stream(0).reset();
    EXPECT_EQ(wait(hung_up->exited())->signal, SIGHUP) << "our side was closed";
}

TEST_F(E6_Spawn, has_a_terminal_or_descriptors_not_both) {
    auto spec = shell("true");
    spec.terminal = TerminalSize{};
    spec.descriptors = std::vector<ChildFd>{};
    EXPECT_EQ(spawner->spawn(spec).error().code(), Errc::invalid_argument);
    auto piped = spawn(shell("read x"));
    EXPECT_EQ(piped->set_terminal_size({}).error().code(), Errc::invalid_argument);
}

TEST_F(E7_Process, tells_how_it_ended) {
    EXPECT_EQ(wait(spawn(shell("exit 7"))->exited())->code, 7);
    auto process = spawn(shell("kill -9 $$"));
    EXPECT_EQ(wait(process->exited())->signal, 9);
    EXPECT_EQ(wait(process->exited())->signal, 9) << "as often as asked";
    EXPECT_EQ(process->status()->to_string(), "killed by signal 9");
    EXPECT_EQ(ExitStatus{.code = 3}.to_string(), "exited with 3");
}

TEST_F(E7_Process, takes_signals_while_it_lives_and_no_longer) {
    auto process =
        spawn(shell("trap 'echo caught; exit 3' TERM; echo ready; while :; do read x; done"));
    std::array<std::byte, 64> bytes;
    ASSERT_TRUE(run_until([&] { return process->stream(1).try_read(bytes).bytes == 6; }));
    ASSERT_TRUE(process->signal(SIGTERM));
    // A signal that comes before the shell reads does not end its reading, a line does. One that
    // comes while it reads may have ended it by now, so this may find nobody.
    const ConstBuffer line = base::as_bytes(std::string_view("\n"));
    (void)process->stream(0).try_writev(std::span(&line, 1));
    EXPECT_EQ(wait(process->exited())->code, 3);
    EXPECT_EQ(read_all(process->stream(1)), "caught\n");
    EXPECT_EQ(process->signal(SIGTERM).error().code(), Errc::not_found);
    EXPECT_EQ(process->signal_group(SIGTERM).error().code(), Errc::not_found);
}

TEST_F(E7_Process, exits_before_it_ends_while_a_grandchild_holds_its_output) {
    auto process = spawn(shell("sleep 60 & echo started; exit 5"));
    auto ending = process->ended(100ms);
    EXPECT_EQ(wait(process->exited())->code, 5);
    EXPECT_FALSE(ending.settled()) << "the pipe is still open";
    std::array<std::byte, 64> bytes;
    ASSERT_TRUE(run_until([&] { return process->stream(1).try_read(bytes).bytes == 8; }));
    Deferred<void> reader = when_ready(process->stream(1), Interest::readable);
    const auto end = wait(std::move(ending));
    ASSERT_TRUE(end);
    EXPECT_TRUE(end->pipes_abandoned);
    EXPECT_EQ(end->status.code, 5);
    EXPECT_TRUE(wait(std::move(reader))) << "whoever waits for more hears of it";
    EXPECT_EQ(process->stream(1).try_read(bytes).status, IoStatus::end_of_stream);
}

TEST_F(E7_Process, ends_when_the_pipes_do) {
    auto process = spawn(shell("echo text"));
    auto ending = process->ended(1h);
    EXPECT_TRUE(wait(process->exited()));
    EXPECT_FALSE(ending.settled()) << "unread output";
    EXPECT_EQ(read_all(process->stream(1)), "text\n");
    EXPECT_EQ(read_all(process->stream(2)), "");
    EXPECT_FALSE(wait(std::move(ending))->pipes_abandoned);
    EXPECT_TRUE(wait(process->ended(0s)));
}

TEST_F(E7_Process, kills_what_is_left_of_its_group_when_asked_to) {
    auto spec = shell("sleep 1000 & echo $!; exit 0");
    spec.kill_group_at_exit = true;
    auto process = spawn(spec);
    EXPECT_NE(read_all(process->stream(1)), "");
    EXPECT_EQ(read_all(process->stream(2)), "");
    EXPECT_TRUE(wait(process->ended(1h))) << "the grandchild is gone, and with it the pipe";
}

TEST_F(E7_Process, is_killed_and_reaped_when_dropped) {
    auto process = spawn(shell("exec sleep 1000"));
    const std::int64_t pid = process->pid();
    process.reset();
    EXPECT_TRUE(run_until([&] { return !exists(pid); }));
}

TEST_F(E7_Process, may_be_left_alone_when_dropped) {
    auto [ours, its] = *unix_pair();
    auto spec = shell("read line; echo still here");
    spec.on_drop = ProcessSpec::OnDrop::leave;
    spec.descriptors = {{{0, Kind::inherit, its.get()}, {1, Kind::inherit, its.get()}}};
    auto process = spawn(spec);
    const std::int64_t pid = process->pid();
    its.reset();
    process.reset();
    ASSERT_EQ(::write(ours.get(), "\n", 1), 1);
    auto stream = unix_stream(world(), std::move(ours));
    EXPECT_EQ(read_all(**stream), "still here\n");
    EXPECT_TRUE(run_until([&] { return !exists(pid); })) << "and reaped";
}

TEST_F(E7_Process, does_not_reap_other_peoples_children) {
    const pid_t other = ::fork();
    if (other == 0) ::_exit(9);
    EXPECT_TRUE(wait(spawn(shell("true"))->exited())->success());
    int status = 0;
    EXPECT_EQ(::waitpid(other, &status, 0), other);
    EXPECT_EQ(WEXITSTATUS(status), 9);
}

TEST_F(E7_Process, says_so_when_the_status_was_lost) {
    auto process = spawn(shell("exit 4"));
    int status = 0;
    ASSERT_EQ(::waitpid(static_cast<pid_t>(process->pid()), &status, 0), process->pid());
    EXPECT_EQ(wait(process->exited()).error().code(), Errc::io_error);
    EXPECT_EQ(wait(process->ended(0s)).error().code(), Errc::io_error);
}

TEST_F(E7_Process, gives_its_streams_away) {
    auto process = spawn(shell("cat"));
    auto input = process->take_stream(0);
    auto output = process->take_stream(1);
    write(*input, "round");
    input->close();
    EXPECT_EQ(read_all(*output), "round");
    auto ending = process->ended(1h);
    EXPECT_EQ(read_all(process->stream(2)), "");
    EXPECT_TRUE(wait(std::move(ending)));
}

}  // namespace
}  // namespace reactor
