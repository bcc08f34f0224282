// Accounts through a command of the operator's, one process each, in the blocking pool: posix_spawn
// does not copy the address space, and nothing of ours runs in the child.
#include "reactor/blocking_pool.h"
#include "tests/bots/accounts/batch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace bots {
namespace {

constexpr std::size_t kWordsBytesMax = 300;

std::string shell_quoted(std::string_view text) {
    std::string quoted = "'";
    for (const char letter : text) {
        if (letter == '\'')
            quoted += "'\\''";
        else
            quoted += letter;
    }
    return quoted += "'";
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
}

/// The child's last words: the end of what it wrote to standard error, on one line.
std::string read_words(int fd) {
    std::string words;
    char bytes[512];
    for (;;) {
        const ssize_t count = ::read(fd, bytes, sizeof bytes);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        words.append(bytes, static_cast<std::size_t>(count));
        if (words.size() > 2 * kWordsBytesMax) words.erase(0, words.size() - kWordsBytesMax);
    }
    for (char& letter : words)
        if (static_cast<unsigned char>(letter) < 0x20) letter = ' ';
    while (!words.empty() && words.back() == ' ')
        words.pop_back();
    return words;
}

/// On a thread of the pool. The child's exit code and words.
base::Result<std::pair<int, std::string>> run_shell(const std::string& command) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return std::unexpected(base::failure_from_errno(errno, "cannot make a pipe"));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    std::string shell = "/bin/sh";
    std::string option = "-c";
    std::string text = command;
    char* const arguments[] = {shell.data(), option.data(), text.data(), nullptr};
    pid_t child = 0;
    const int error = ::posix_spawn(&child, shell.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) {
        ::close(ends[0]);
        return std::unexpected(base::failure_from_errno(error, "cannot start a shell"));
    }
    std::string words = read_words(ends[0]);
    ::close(ends[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return std::pair(code, std::move(words));
}

std::string filled_in(const Batch& batch, BotNumber bot) {
    std::string command = batch.options.command;
    replace_all(command, "{user}", shell_quoted(batch.plan.names.local(bot)));
    replace_all(command, "{domain}", shell_quoted(batch.plan.names.domain()));
    replace_all(command, "{password}", shell_quoted(batch.plan.password));
    return command;
}

}  // namespace

reactor::Deferred<void> run_command(Batch& batch) {
    while (const auto chunk = batch.take(1)) {
        auto running = batch.world.blocking.run(
            reactor::WorkClass::misc,
            [command = filled_in(batch, chunk->first)] { return run_shell(command); });
        const auto ran = co_await std::move(running);
        if (!ran) co_return ran.error();
        batch.count(ran->first == 0);
        // A command says no more than its exit code: perhaps the account is there already, and then
        // it can log in. When the very first ones fail, it is the command that is wrong.
        if (batch.done.changed == 0 && batch.done.as_it_was >= batch.plan.users)
            co_return base::Failure(
                base::Errc::invalid_argument,
                fmt::format("the command for accounts failed for every user (exit code {}{}{})",
                            ran->first, ran->second.empty() ? "" : ": ", ran->second));
    }
    co_return {};
}

}  // namespace bots
