#include "reactor/sim/sim_process.h"

#include "reactor/base/check.h"
#include "reactor/memory_pipe.h"
#include "reactor/process/process_core.h"
#include "reactor/reactor.h"
#include "reactor/world.h"

#include <csignal>
#include <map>
#include <utility>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::int64_t kFirstPid = 1000;

class SimProcess;

class Child final : public SimChild {
public:
    Child(ProcessSpec spec, std::int64_t pid) : spec_(std::move(spec)), pid_(pid) {}

    const ProcessSpec& spec() const noexcept override { return spec_; }
    std::int64_t pid() const noexcept override { return pid_; }
    ByteStream& stream(int child_fd) override {
        const auto found = streams_.find(child_fd);
        CHECK(found != streams_.end());
        return *found->second;
    }
    void on_signal(base::UniqueFunction<bool(int)> function) override {
        on_signal_ = std::move(function);
    }
    void exit(int code) override { finish({.code = code}); }
    void die(int signal) override { finish({.signal = signal}); }
    void hold_pipes() override { holds_pipes_ = true; }
    bool over() const noexcept override { return over_; }

    void add_stream(int child_fd, std::unique_ptr<ByteStream> stream) {
        streams_[child_fd] = std::move(stream);
    }
    void set_process(SimProcess* process) noexcept { process_ = process; }
    void deliver(int number) {
        if (over_ || number == 0) return;
        if (number != SIGKILL && on_signal_) {
            auto calling = std::exchange(on_signal_, {});
            const bool dealt_with = calling(number);
            if (!on_signal_) on_signal_ = std::move(calling);
            if (dealt_with) return;
        }
        if (number != SIGCHLD && number != SIGCONT && number != SIGURG && number != SIGWINCH)
            die(number);
    }
    void set_terminal_size(TerminalSize size) {
        spec_.terminal = size;
        deliver(SIGWINCH);
    }
    void finish(ExitStatus status);
    const std::optional<ExitStatus>& status() const noexcept { return status_; }

private:
    ProcessSpec spec_;
    std::int64_t pid_;
    std::map<int, std::unique_ptr<ByteStream>> streams_;
    base::UniqueFunction<bool(int)> on_signal_;
    SimProcess* process_ = nullptr;
    std::optional<ExitStatus> status_;
    bool over_ = false;
    bool holds_pipes_ = false;
};

class SimProcess final : public detail::ProcessCore, private Timer {
public:
    SimProcess(World& world, Child& child) : ProcessCore(world), child_(child) {
        child.set_process(this);
        if (child.over()) exit_later();
    }
    ~SimProcess() override {
        child_.set_process(nullptr);
        if (child_.spec().on_drop == ProcessSpec::OnDrop::kill) child_.deliver(SIGKILL);
    }

    std::int64_t pid() const noexcept override { return child_.pid(); }
    Result<void> signal(int number) override {
        if (is_over()) return fail(Errc::not_found, "the process has exited");
        child_.deliver(number);
        return {};
    }
    Result<void> signal_group(int number) override {
        if (!detail::has_own_group(child_.spec()))
            return fail(Errc::invalid_argument, "it has no process group of its own");
        return signal(number);
    }
    Result<void> set_terminal_size(TerminalSize size) override {
        if (is_over()) return fail(Errc::not_found, "the process has exited");
        if (!child_.spec().terminal) return fail(Errc::invalid_argument, "it has no terminal");
        child_.set_terminal_size(size);
        return {};
    }
    /// As with a pidfd, the parent hears of it in a later turn.
    void exit_later() { Timer::arm(world().reactor.wheel(), {}); }

private:
    void on_expired() override { set_exited(*child_.status()); }
    Child& child_;
};

void Child::finish(ExitStatus status) {
    if (std::exchange(over_, true)) return;
    status_ = status;
    if (!holds_pipes_) streams_.clear();
    if (process_ != nullptr) process_->exit_later();
}

}  // namespace

SimSpawner::SimSpawner(World& world, Program program)
    : world_(world), program_(std::move(program)) {}

SimSpawner::~SimSpawner() = default;

Result<std::unique_ptr<Process>> SimSpawner::spawn(ProcessSpec spec) {
    using Kind = ChildFd::Kind;
    if (spec.executable.empty()) return fail(Errc::invalid_argument, "a process without program");
    std::vector<ChildFd> descriptors = TRY(detail::descriptors_of(spec));
    // A memory pipe goes both ways; it neither echoes nor edits.
    if (spec.terminal) descriptors.push_back({0, Kind::pipe_out, -1});
    auto child = std::make_unique<Child>(std::move(spec),
                                         kFirstPid + static_cast<std::int64_t>(children_.size()));
    std::vector<std::pair<ChildFd, std::unique_ptr<ByteStream>>> ours;
    for (const ChildFd& each : descriptors) {
        if (each.kind != Kind::pipe_in && each.kind != Kind::pipe_out) continue;
        auto ends = memory_pipe(world_, world_);
        child->add_stream(each.child_fd, std::move(ends.second));
        ours.emplace_back(each, std::move(ends.first));
    }
    if (auto started = program_(*child); !started) return std::unexpected(started.error());
    auto process = std::make_unique<SimProcess>(world_, *child);
    for (auto& [each, stream] : ours)
        process->add_pipe(each.child_fd, std::move(stream), each.kind == Kind::pipe_out);
    children_.push_back(std::move(child));
    return process;
}

}  // namespace reactor
