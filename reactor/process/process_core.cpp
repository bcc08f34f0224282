#include "reactor/process/process_core.h"

#include "reactor/base/check.h"
#include "reactor/net/descriptor_stream.h"
#include "reactor/reactor.h"
#include "reactor/world.h"

#include <algorithm>

namespace reactor {

std::string ExitStatus::to_string() const {
    return signal != 0 ? "killed by signal " + std::to_string(signal)
                       : "exited with " + std::to_string(code);
}

namespace detail {

using base::Failure;
using base::Result;

Result<std::vector<ChildFd>> descriptors_of(const ProcessSpec& spec) {
    using Kind = ChildFd::Kind;
    if (spec.terminal && spec.descriptors)
        return base::fail(base::Errc::invalid_argument,
                          "a child has a terminal or descriptors, not both");
    if (spec.terminal) return std::vector<ChildFd>();
    return spec.descriptors.value_or(std::vector<ChildFd>{
        {0, Kind::pipe_in, -1}, {1, Kind::pipe_out, -1}, {2, Kind::pipe_out, -1}});
}

bool has_own_group(const ProcessSpec& spec) noexcept {
    return spec.own_group || spec.own_session || spec.terminal;
}

void ProcessPipe::over() {
    if (ProcessCore* process = std::exchange(process_, nullptr); process && counts_)
        process->pipe_over();
}

// From now on it is at its end, which whoever waits for bytes learns.
void ProcessPipe::give_up(World& world) {
    lower().close();
    replace_lower(std::make_unique<DescriptorStream>(world, OwnedFd(), OwnedFd(), "pipe:"));
    lower().set_observer(observer_);
    if (awaited_) lower().arm(Interest::readable);
    over();
}

ProcessCore::~ProcessCore() {
    for (Pipe& each : pipes_)
        if (each.stream) each.stream->leave();
}

void ProcessCore::add_pipe(int child_fd, std::unique_ptr<ByteStream> stream, bool counts) {
    if (counts) ++open_pipes_;
    pipes_.push_back({child_fd, std::make_unique<ProcessPipe>(std::move(stream), *this, counts)});
}

void ProcessCore::set_exited(Result<ExitStatus> status) {
    if (status) {
        status_ = *status;
    } else {
        lost_ = status.error();
    }
    for (Promise<ExitStatus>& promise : std::exchange(exits_, {}))
        promise.try_resolve(status);
    if (open_pipes_ == 0 || lost_) return settle_ends(false);
    for (auto& wait : ends_)
        world_.reactor.arm(wait->timer, wait->grace);
}

void ProcessCore::pipe_over() {
    if (--open_pipes_ == 0 && status_) settle_ends(false);
}

void ProcessCore::settle_ends(bool abandoned) {
    for (auto& wait : std::exchange(ends_, {})) {
        if (lost_) {
            wait->promise.fail(*lost_);
        } else {
            wait->promise.try_resolve(ProcessEnd{*status_, abandoned});
        }
    }
}

// From the timer of one of those who wait, which is destroyed by this: CallbackTimer allows that.
void ProcessCore::abandon_pipes() {
    auto waiting = std::exchange(ends_, {});
    for (Pipe& each : pipes_)
        if (each.stream && each.stream->open()) each.stream->give_up(world_);
    ends_ = std::move(waiting);
    settle_ends(true);
}

ProcessCore::Pipe& ProcessCore::pipe(int child_fd) {
    const auto found = std::ranges::find(pipes_, child_fd, &Pipe::child_fd);
    CHECK(found != pipes_.end() && found->stream);
    return *found;
}

std::unique_ptr<ByteStream> ProcessCore::take_stream(int child_fd) {
    std::unique_ptr<ProcessPipe> stream = std::move(pipe(child_fd).stream);
    const bool was_open = stream->open();
    stream->leave();
    if (was_open) pipe_over();
    return stream;
}

Deferred<ExitStatus> ProcessCore::exited() {
    if (status_) return ready(*status_);
    if (lost_) return *lost_;
    std::erase_if(exits_, [](const auto& promise) { return !promise.wanted(); });
    return exits_.emplace_back().deferred();
}

Deferred<ProcessEnd> ProcessCore::ended(base::Duration grace) {
    if (lost_) return *lost_;
    if (status_ && open_pipes_ == 0) return ready(ProcessEnd{*status_, false});
    std::erase_if(ends_, [](const auto& wait) { return !wait->promise.wanted(); });
    EndWait& wait = *ends_.emplace_back(std::make_unique<EndWait>(*this, grace));
    if (status_) world_.reactor.arm(wait.timer, grace);
    return wait.promise.deferred();
}

}  // namespace detail
}  // namespace reactor
