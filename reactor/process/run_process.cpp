#include "reactor/process/run_process.h"

#include "reactor/base/bytes.h"
#include "reactor/combine.h"
#include "reactor/world.h"

#include <signal.h>

#include <array>
#include <optional>
#include <utility>

namespace reactor {
namespace {

using base::Errc;
using base::Failure;
using base::Result;

// Everything that comes, until the end; a pipe that is given up ends as well.
Deferred<void> collect(ByteStream& stream, std::string& into, std::size_t bytes_max,
                       std::string_view what) {
    std::array<std::byte, 16'384> bytes;
    for (;;) {
        const IoResult result = stream.try_read(bytes);
        if (result.status == IoStatus::ok) {
            if (into.size() + result.bytes > bytes_max)
                co_return Failure(
                    Errc::resource_exhausted,
                    "more than " + std::to_string(bytes_max) + " bytes of " + std::string(what));
            into += base::as_text(std::span(bytes).first(result.bytes));
        } else if (result.status == IoStatus::would_block) {
            Deferred<void> waiting = when_ready(stream, Interest::readable);
            (void)co_await std::move(waiting);
        } else {
            co_return {};
        }
    }
}

// A program may close its input early: no failure of ours.
Deferred<void> feed(ByteStream& stream, std::string input) {
    std::size_t done = 0;
    while (done < input.size()) {
        const ConstBuffer rest = base::as_bytes(input).subspan(done);
        const IoResult result = stream.try_writev(std::span(&rest, 1));
        if (result.status == IoStatus::would_block) {
            Deferred<void> waiting = when_ready(stream, Interest::writable);
            (void)co_await std::move(waiting);
        } else if (result.status == IoStatus::ok) {
            done += result.bytes;
        } else {
            break;
        }
    }
    stream.close();
    co_return {};
}

// A pipe given up by `ended` wakes nobody: this task is dropped then.
Deferred<void> talk(Process& process, const RunLimits& limits, ProcessOutput& output) {
    std::vector<Deferred<void>> talks;
    talks.push_back(feed(process.stream(0), limits.input));
    talks.push_back(collect(process.stream(1), output.out, limits.out_bytes_max, "output"));
    talks.push_back(
        collect(process.stream(2), output.error, limits.error_bytes_max, "error output"));
    return when_all(std::move(talks));
}

Deferred<ProcessOutput> run_to_end(World& world, Process& process, const RunLimits& limits) {
    ProcessOutput output;
    Deferred<void> talking = talk(process, limits, output);
    std::optional<Failure> failure;
    // Too much output ends it early; otherwise the talk lasts as long as the pipes.
    Deferred<void> watched = std::move(talking).both([&](Result<void> talked) {
        if (talked || talked.error().is(Errc::cancelled)) return;
        failure = talked.error();
        if (!process.signal_group(SIGKILL)) (void)process.signal(SIGKILL);
        process.stream(1).close();
        process.stream(2).close();
    });
    Deferred<ProcessEnd> ending = process.ended(limits.pipe_grace);
    Result<ProcessEnd> end =
        co_await with_timeout(world.reactor, std::move(ending), limits.timeout).as_result();
    if (!end && end.error().is(Errc::timed_out)) {
        if (!process.signal_group(SIGKILL)) (void)process.signal(SIGKILL);
        Deferred<ExitStatus> dying = process.exited();
        (void)co_await std::move(dying);
        co_return Failure(Errc::timed_out, "the program ran longer than allowed");
    }
    if (failure) co_return *failure;
    if (!end) co_return end.error();
    output.status = end->status;
    output.pipes_abandoned = end->pipes_abandoned;
    co_return std::move(output);
}

Deferred<ProcessOutput> run_owned(World& world, std::unique_ptr<Process> process,
                                  RunLimits limits) {
    Deferred<ProcessOutput> running = run_to_end(world, *process, limits);
    co_return co_await std::move(running);
}

}  // namespace

Deferred<ProcessOutput> run_process(World& world, ProcessSpawner& spawner, ProcessSpec spec,
                                    RunLimits limits) {
    using Kind = ChildFd::Kind;
    std::vector<ChildFd> descriptors = std::move(spec.descriptors).value_or(std::vector<ChildFd>());
    std::erase_if(descriptors, [](const ChildFd& each) { return each.child_fd <= 2; });
    descriptors.push_back({0, Kind::pipe_in, -1});
    descriptors.push_back({1, Kind::pipe_out, -1});
    descriptors.push_back({2, Kind::pipe_out, -1});
    spec.descriptors = std::move(descriptors);
    spec.on_drop = ProcessSpec::OnDrop::kill;
    auto process = spawner.spawn(std::move(spec));
    if (!process) return process.error();
    return run_owned(world, *std::move(process), std::move(limits));
}

}  // namespace reactor
