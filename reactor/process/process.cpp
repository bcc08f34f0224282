#include "reactor/process/process.h"

#include "reactor/fd_watch.h"
#include "reactor/net/descriptor_stream.h"
#include "reactor/process/launch.h"
#include "reactor/process/process_core.h"
#include "reactor/process/terminal.h"
#include "reactor/reactor.h"
#include "reactor/world.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace reactor {

using base::Errc;
using base::fail;
using base::Failure;
using base::Result;

namespace {

constexpr int kChildFdMax = 1023;

/// Reaps if it has exited. io_error: somebody else did, or the process ignores SIGCHLD.
Result<std::optional<ExitStatus>> reap_now(int pidfd) {
    siginfo_t information{};
    int result = 0;
    do {
        result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &information, WEXITED | WNOHANG);
    } while (result != 0 && errno == EINTR);
    if (result != 0)
        return fail(Errc::io_error,
                    "a child's status is lost: SIGCHLD is ignored here, or "
                    "somebody waits for any child");
    if (information.si_pid == 0) return std::optional<ExitStatus>();
    return information.si_code == CLD_EXITED ? ExitStatus{.code = information.si_status}
                                             : ExitStatus{.signal = information.si_status};
}

/// Waits for the death of a child that nobody is interested in any more.
class Reaper final : private FdObserver {
public:
    Reaper(Reactor& reactor, OwnedFd pidfd) : pidfd_(std::move(pidfd)) {
        watch_.emplace(reactor, pidfd_.get(), static_cast<FdObserver&>(*this));
    }
    static void start(Reactor& reactor, OwnedFd pidfd) {
        auto owner = std::make_unique<Reaper>(reactor, std::move(pidfd));
        Reaper& it = *owner;
        it.promise_.deferred([owner = std::move(owner)]() mutable { owner.reset(); })
            .detach("reaping a child");
    }

private:
    void on_fd_events(bool, bool, bool) override {
        const auto reaped = reap_now(pidfd_.get());
        if (reaped && !*reaped) return;
        watch_.reset();
        // Settling destroys the canceller and with it this object.
        Promise<void> promise = std::move(promise_);
        promise.resolve();
    }

    OwnedFd pidfd_;
    std::optional<FdWatch> watch_;
    Promise<void> promise_;
};

class KernelProcess final : public detail::ProcessCore, private FdObserver {
public:
    KernelProcess(World& world, const ProcessSpec& spec)
        : ProcessCore(world),
          has_group_(detail::has_own_group(spec)),
          kill_group_at_exit_(spec.kill_group_at_exit && has_group_),
          on_drop_(spec.on_drop) {}
    ~KernelProcess() override;

    void started(detail::Launched launched) {
        pid_ = launched.pid;
        pidfd_ = std::move(launched.pidfd);
        watch_.emplace(world().reactor, pidfd_.get(), static_cast<FdObserver&>(*this));
    }
    int watch_error() const noexcept { return watch_->error(); }

    std::int64_t pid() const noexcept override { return pid_; }
    Result<void> signal(int number) override;
    Result<void> signal_group(int number) override;
    Result<void> set_terminal_size(TerminalSize size) override;
    std::unique_ptr<ByteStream> take_stream(int child_fd) override {
        terminal_ = nullptr;  // The only stream of such a child.
        return ProcessCore::take_stream(child_fd);
    }
    void add_terminal(OwnedFd ours) {
        auto stream = std::make_unique<detail::TerminalStream>(world(), std::move(ours));
        terminal_ = stream.get();
        add_pipe(0, std::move(stream), true);
    }

private:
    void on_fd_events(bool, bool, bool) override;

    bool has_group_;
    bool kill_group_at_exit_;
    ProcessSpec::OnDrop on_drop_;
    std::int64_t pid_ = 0;
    OwnedFd pidfd_;
    std::optional<FdWatch> watch_;
    // A pipe of ours, until it is taken or, which is after the exit, given up.
    detail::TerminalStream* terminal_ = nullptr;
};

KernelProcess::~KernelProcess() {
    watch_.reset();
    if (!pidfd_ || is_over()) return;
    if (on_drop_ == ProcessSpec::OnDrop::kill) {
        if (has_group_) (void)signal_group(SIGKILL);
        (void)signal(SIGKILL);
    }
    Reaper::start(world().reactor, std::move(pidfd_));
}

void KernelProcess::on_fd_events(bool, bool, bool) {
    if (is_over()) return;
    // The dead child keeps its number until it is reaped: the group is still its own.
    if (kill_group_at_exit_) ::kill(static_cast<pid_t>(-pid_), SIGKILL);
    const auto reaped = reap_now(pidfd_.get());
    if (reaped && !*reaped) return;
    watch_.reset();
    if (reaped) {
        set_exited(**reaped);
    } else {
        set_exited(std::unexpected(reaped.error()));
    }
}

Result<void> KernelProcess::signal(int number) {
    if (is_over()) return fail(Errc::not_found, "the process has exited");
    if (::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0) == 0) return {};
    if (errno == ESRCH) return fail(Errc::not_found, "the process has exited");
    return std::unexpected(base::failure_from_errno(errno, "cannot signal a process"));
}

Result<void> KernelProcess::signal_group(int number) {
    if (!has_group_) return fail(Errc::invalid_argument, "it has no process group of its own");
    if (is_over()) return fail(Errc::not_found, "the process has exited");
    if (::kill(static_cast<pid_t>(-pid_), number) == 0) return {};
    if (errno == ESRCH) return fail(Errc::not_found, "the process group is gone");
    return std::unexpected(base::failure_from_errno(errno, "cannot signal a process group"));
}

Result<void> KernelProcess::set_terminal_size(TerminalSize size) {
    if (is_over()) return fail(Errc::not_found, "the process has exited");
    if (terminal_ == nullptr) return fail(Errc::invalid_argument, "it has no terminal of ours");
    return terminal_->set_size(size);
}

// --- Spawning ---

/// The descriptors of one child: its ends, which live until it runs, and ours.
struct Wiring {
    std::vector<OwnedFd> child_ends;
    std::vector<detail::FdPlacement> placements;
    struct Ours {
        int child_fd;
        OwnedFd fd;
        bool child_writes;
    };
    std::vector<Ours> ours;
    OwnedFd terminal;
};

Result<void> add_pipe(Wiring& wiring, const ChildFd& each) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return std::unexpected(base::failure_from_errno(errno, "cannot make a pipe"));
    const bool child_writes = each.kind == ChildFd::Kind::pipe_out;
    OwnedFd reading(ends[0]);
    OwnedFd writing(ends[1]);
    OwnedFd& ours = child_writes ? reading : writing;
    OwnedFd& its = child_writes ? writing : reading;
    if (::fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0)
        return std::unexpected(base::failure_from_errno(errno, "cannot make a pipe"));
    wiring.placements.push_back({its.get(), each.child_fd});
    wiring.child_ends.push_back(std::move(its));
    wiring.ours.push_back({each.child_fd, std::move(ours), child_writes});
    return {};
}

Result<void> add_one(Wiring& wiring, const ChildFd& each) {
    const std::string name = "descriptor " + std::to_string(each.child_fd) + " of a child";
    if (each.child_fd < 0 || each.child_fd > kChildFdMax)
        return fail(Errc::invalid_argument, name + ": from 0 to " + std::to_string(kChildFdMax));
    for (const detail::FdPlacement& other : wiring.placements)
        if (other.child_fd == each.child_fd)
            return fail(Errc::invalid_argument, name + " is named twice");
    switch (each.kind) {
        case ChildFd::Kind::pipe_in:
        case ChildFd::Kind::pipe_out:
            return add_pipe(wiring, each);
        case ChildFd::Kind::inherit:
            if (::fcntl(each.fd, F_GETFD) < 0)
                return fail(Errc::invalid_argument, name + " would be one that is not open here");
            wiring.placements.push_back({each.fd, each.child_fd});
            return {};
        case ChildFd::Kind::null: {
            OwnedFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
            if (!null)
                return std::unexpected(base::failure_from_errno(errno, "cannot open /dev/null"));
            wiring.placements.push_back({null.get(), each.child_fd});
            wiring.child_ends.push_back(std::move(null));
            return {};
        }
    }
    return {};
}

Result<Wiring> terminal_wiring(TerminalSize size) {
    detail::Terminal terminal = TRY(detail::open_terminal(size));
    Wiring wiring;
    for (const int child_fd : {0, 1, 2})
        wiring.placements.push_back({terminal.its.get(), child_fd});
    wiring.child_ends.push_back(std::move(terminal.its));
    wiring.terminal = std::move(terminal.ours);
    return wiring;
}

Result<Wiring> wiring_of(const ProcessSpec& spec) {
    const std::vector<ChildFd> descriptors = TRY(detail::descriptors_of(spec));
    if (spec.terminal) return terminal_wiring(*spec.terminal);
    Wiring wiring;
    for (const ChildFd& each : descriptors)
        if (auto added = add_one(wiring, each); !added) return std::unexpected(added.error());
    return wiring;
}

class KernelSpawner final : public ProcessSpawner {
public:
    explicit KernelSpawner(World& world) : world_(world) {}

    Result<std::unique_ptr<Process>> spawn(ProcessSpec spec) override {
        Wiring wiring = TRY(wiring_of(spec));
        detail::Launched launched = TRY(detail::launch(spec, wiring.placements));
        auto process = std::make_unique<KernelProcess>(world_, spec);
        process->started(std::move(launched));
        for (Wiring::Ours& ours : wiring.ours) {
            process->add_pipe(ours.child_fd,
                              std::make_unique<DescriptorStream>(
                                  world_, ours.child_writes ? std::move(ours.fd) : OwnedFd(),
                                  ours.child_writes ? OwnedFd() : std::move(ours.fd), "pipe:"),
                              ours.child_writes);
        }
        if (wiring.terminal) process->add_terminal(std::move(wiring.terminal));
        if (process->watch_error() != 0)
            return std::unexpected(
                base::failure_from_errno(process->watch_error(), "cannot watch a child"));
        return process;
    }

private:
    World& world_;
};

}  // namespace

std::unique_ptr<ProcessSpawner> make_process_spawner(World& world) {
    return std::make_unique<KernelSpawner>(world);
}

}  // namespace reactor
