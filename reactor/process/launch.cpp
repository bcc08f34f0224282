#include "reactor/process/launch.h"

#include "reactor/base/failure.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace reactor::detail {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kStackBytes = 65'536;
constexpr int kSignalsMax = 64;
constexpr int kCannotStart = 127;  // The shell's code; nobody sees it.

/// Everything the child needs, made before: between clone and exec it may only make system calls.
struct Plan {
    const ProcessSpec& spec;
    std::vector<std::string> candidates;  // Paths to try, in order.
    std::vector<char*> arguments;
    std::vector<char*> environment;
    std::vector<FdPlacement> fds;  // By child_fd.
    std::vector<int> spare;        // Copies above every child_fd, made by the child.
    std::vector<rlimit> limits;
    int above = 3;  // More than any child_fd.
    const char* failed_step = nullptr;
    int failed_errno = 0;
};

// Raw system calls: the C library's wrappers may lock, or be replaced by a sanitizer that takes
// the child for one of our threads.
template <class... Arguments>
long call(long number, Arguments... arguments) {
    return ::syscall(number, arguments...);
}

/// The kernel's own shape of sigaction, which no header shows.
struct KernelSigaction {
    void* function = nullptr;  // SIG_DFL
    unsigned long flags = 0;
    void* restorer = nullptr;
    unsigned long mask = 0;
};

// Functions from which the child never returns would leave their frames in the books that a
// sanitizer keeps of the thread and the memory it borrows.
[[noreturn]] __attribute__((no_sanitize("thread", "address"))) void give_up(Plan& plan,
                                                                            const char* step,
                                                                            int error_number) {
    plan.failed_step = step;
    plan.failed_errno = error_number;
    for (;;)
        call(SYS_exit_group, kCannotStart);
}

__attribute__((no_sanitize("thread", "address"))) void place_descriptors(Plan& plan) {
    for (std::size_t i = 0; i < plan.fds.size(); ++i) {
        const long copy = call(SYS_fcntl, plan.fds[i].fd, F_DUPFD_CLOEXEC, plan.above);
        if (copy < 0) give_up(plan, "cannot pass a descriptor", errno);
        plan.spare[i] = static_cast<int>(copy);
    }
    int next = 0;
    for (std::size_t i = 0; i < plan.fds.size(); ++i) {
        const int target = plan.fds[i].child_fd;
        if (call(SYS_dup3, plan.spare[i], target, 0) < 0)
            give_up(plan, "cannot place a descriptor", errno);
        if (target > next) call(SYS_close_range, next, target - 1, 0);
        next = target + 1;
    }
    call(SYS_close_range, next, ~0U, CLOSE_RANGE_CLOEXEC);
}

__attribute__((no_sanitize("thread", "address"))) void set_identity(Plan& plan) {
    const ProcessSpec& spec = plan.spec;
    if (spec.user || spec.group) {
        if (call(SYS_setgroups, 0, nullptr) != 0) give_up(plan, "cannot drop groups", errno);
    }
    if (spec.group && call(SYS_setresgid, *spec.group, *spec.group, *spec.group) != 0)
        give_up(plan, "cannot become the group", errno);
    if (spec.user && call(SYS_setresuid, *spec.user, *spec.user, *spec.user) != 0)
        give_up(plan, "cannot become the user", errno);
}

void default_signals() {
    const KernelSigaction by_default;
    for (int number = 1; number <= kSignalsMax; ++number)
        call(SYS_rt_sigaction, number, &by_default, nullptr, sizeof by_default.mask);
    const unsigned long none = 0;
    call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

__attribute__((no_sanitize("thread", "address"))) int child_main(void* argument) {
    Plan& plan = *static_cast<Plan*>(argument);
    const ProcessSpec& spec = plan.spec;
    if (spec.own_session || spec.terminal) {
        if (call(SYS_setsid) < 0) give_up(plan, "cannot start a session", errno);
    } else if (spec.own_group) {
        if (call(SYS_setpgid, 0, 0) != 0) give_up(plan, "cannot make a process group", errno);
    }
    place_descriptors(plan);
    if (spec.terminal && call(SYS_ioctl, 0, TIOCSCTTY, 0) != 0)
        give_up(plan, "cannot take its terminal", errno);
    for (std::size_t i = 0; i < plan.limits.size(); ++i) {
        if (call(SYS_prlimit64, 0, spec.limits[i].resource, &plan.limits[i], nullptr) != 0)
            give_up(plan, "cannot set a resource limit", errno);
    }
    set_identity(plan);
    if (!spec.directory.empty() && call(SYS_chdir, spec.directory.c_str()) != 0)
        give_up(plan, "cannot enter its directory", errno);
    default_signals();
    int error = ENOENT;
    for (const std::string& path : plan.candidates) {
        call(SYS_execve, path.c_str(), plan.arguments.data(), plan.environment.data());
        // As a shell: a directory without it does not end the search, and "forbidden" says more
        // than "not found".
        if (errno != ENOENT && errno != ENOTDIR) error = errno;
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
    }
    give_up(plan, "cannot run it", error);
}

bool has_zero_byte(const std::vector<std::string>& texts) {
    return std::ranges::any_of(texts, [](const std::string& text) { return text.contains('\0'); });
}

std::vector<std::string> candidates_of(const std::string& executable) {
    if (executable.contains('/')) return {executable};
    const char* path = ::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
    std::vector<std::string> candidates;
    for (;;) {
        const std::size_t colon = rest.find(':');
        const std::string_view folder = rest.substr(0, colon);
        // An empty entry means the current directory: never searched for a server's children.
        if (!folder.empty()) candidates.push_back(std::string(folder) + "/" + executable);
        if (colon == std::string_view::npos) return candidates;
        rest.remove_prefix(colon + 1);
    }
}

/// argv and envp are arrays of pointers that exec does not write to.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

class Stack {
public:
    Stack()
        : memory_(::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {}
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;
    ~Stack() {
        if (*this) ::munmap(memory_, kStackBytes);
    }
    explicit operator bool() const noexcept { return memory_ != MAP_FAILED; }
    void* top() const noexcept { return static_cast<char*>(memory_) + kStackBytes; }

private:
    void* memory_;
};

Result<void> check(const ProcessSpec& spec) {
    const auto bad = [](const std::string& text) { return text.contains('\0'); };
    if (spec.executable.empty() || bad(spec.executable) || bad(spec.directory) ||
        has_zero_byte(spec.arguments) || (spec.environment && has_zero_byte(*spec.environment)))
        return fail(Errc::invalid_argument, "a process without program, or a zero byte in a text");
    return {};
}

Result<Launched> start(Plan& plan) {
    const Stack stack;
    if (!stack) return std::unexpected(base::failure_from_errno(errno, "no stack for a child"));
    // No signal may run a function of ours in the child, which shares our memory.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int pidfd = -1;
    const int pid = ::clone(child_main, stack.top(), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                            &plan, &pidfd);
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0)
        return std::unexpected(
            base::failure_from_errno(error, "cannot start " + plan.spec.executable));
    OwnedFd owned(pidfd);
    if (plan.failed_step != nullptr) {
        siginfo_t information{};
        while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &information, WEXITED) != 0 &&
               errno == EINTR) {
        }
        const std::string what = plan.spec.executable + ": " + plan.failed_step;
        if (plan.failed_errno == ENOEXEC)
            return fail(Errc::invalid_argument, what + ": it is no program");
        return std::unexpected(base::failure_from_errno(plan.failed_errno, what));
    }
    return Launched{std::move(owned), pid};
}

}  // namespace

Result<Launched> launch(const ProcessSpec& spec, const std::vector<FdPlacement>& fds) {
    if (const auto usable = check(spec); !usable) return std::unexpected(usable.error());
    std::vector<std::string> arguments = spec.arguments;
    if (arguments.empty()) arguments.push_back(spec.executable);
    std::vector<std::string> environment;
    if (spec.environment) {
        environment = *spec.environment;
    } else {
        for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
            environment.emplace_back(*entry);
    }
    Plan plan{.spec = spec,
              .candidates = candidates_of(spec.executable),
              .arguments = pointers_to(arguments),
              .environment = pointers_to(environment),
              .fds = fds,
              .spare = std::vector<int>(fds.size(), -1),
              .limits = {}};
    std::ranges::sort(plan.fds, {}, &FdPlacement::child_fd);
    for (const FdPlacement& each : plan.fds)
        plan.above = std::max(plan.above, each.child_fd + 1);
    for (const ResourceLimit& limit : spec.limits)
        plan.limits.push_back({static_cast<rlim_t>(limit.soft), static_cast<rlim_t>(limit.hard)});
    return start(plan);
}

}  // namespace reactor::detail
