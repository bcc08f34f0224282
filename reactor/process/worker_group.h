// WorkerGroup: a number of child processes that do one job: started, greeted, watched by a
// heartbeat, restarted by a policy, stopped in order. Parent and worker talk over an ipc::Channel;
// the first byte of a message says whether it is ours (hello, ping, stop) or the application's.
#pragma once

#include "reactor/process/channel.h"
#include "reactor/process/process.h"
#include "reactor/retry.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reactor {

enum class WorkerState : std::uint8_t {
    starting,  ///< Launched, has not said hello.
    running,
    waiting,  ///< Died; will be launched again after a while.
    stopping,
    stopped,  ///< By `stop`, or it ended and the policy leaves it so.
    failed,   ///< Died too often (restarts_max); nobody tries again.
};
std::string_view name_of(WorkerState state) noexcept;

enum class RestartPolicy : std::uint8_t { always, on_failure, never };

struct WorkerGroupOptions {
    std::size_t count = 1;
    RestartPolicy restart = RestartPolicy::always;
    Backoff backoff{.initial = std::chrono::milliseconds(200), .max = std::chrono::seconds(30)};
    /// More deaths than this within the window: `failed`.
    std::uint32_t restarts_max = 10;
    base::Duration restart_window = std::chrono::minutes(1);
    base::Duration hello_timeout = std::chrono::seconds(10);
    base::Duration heartbeat_interval = std::chrono::seconds(5);
    /// Heartbeats in a row without an answer; then it is killed.
    std::uint32_t heartbeats_missed_max = 3;
    /// Between being asked to stop, SIGTERM, and SIGKILL.
    base::Duration stop_grace = std::chrono::seconds(10);
};

struct LaunchedWorker {
    std::unique_ptr<Process> process;
    std::unique_ptr<ipc::Channel> channel;
};

class WorkerGroup {
public:
    using Launch = base::UniqueFunction<base::Result<LaunchedWorker>(std::size_t index)>;
    /// From worker `index`. May not destroy the group.
    using OnMessage = base::UniqueFunction<void(std::size_t index, ipc::Message)>;
    using OnRequest = base::UniqueFunction<Deferred<ipc::Message>(std::size_t index, ipc::Message)>;

    /// Logs "worker.started", "worker.exited", "worker.unresponsive", "worker.failed".
    WorkerGroup(World& world, Launch launch, WorkerGroupOptions options = {});
    WorkerGroup(const WorkerGroup&) = delete;
    WorkerGroup& operator=(const WorkerGroup&) = delete;
    /// Kills whatever still runs.
    ~WorkerGroup();

    void on_message(OnMessage function);
    void on_request(OnRequest function);

    /// Settles when every worker has said hello. The first that cannot be launched or ends as
    /// `failed` before it did, fails it, and the group stops. Once.
    Deferred<void> start();
    /// Asks each to stop, then SIGTERM, then SIGKILL, stop_grace apart. Settles when all are
    /// reaped.
    Deferred<void> stop();

    /// To one worker. not_found: it does not run now.
    base::Result<void> send(std::size_t index, ipc::Message message);
    Deferred<ipc::Message> request(std::size_t index, ipc::Message message,
                                   std::optional<base::Duration> timeout = {});
    /// To the running worker with the fewest requests under way. not_found: none runs.
    Deferred<ipc::Message> request_any(ipc::Message message,
                                       std::optional<base::Duration> timeout = {});

    WorkerState state(std::size_t index) const noexcept;
    std::uint64_t restarts(std::size_t index) const noexcept;
    std::int64_t pid(std::size_t index) const noexcept;  ///< 0 while it does not run.
    std::size_t running() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Launches `spec` with a channel at descriptor 3 (kWorkerFd); the other descriptors of the spec,
/// by default ours for 0 to 2, stay.
WorkerGroup::Launch launch_program(World& world, ProcessSpawner& spawner, ProcessSpec spec,
                                   ipc::ChannelOptions options = {});

inline constexpr int kWorkerFd = 3;

/// The other side, in the worker: says hello, answers heartbeats, is told to stop.
class WorkerSide {
public:
    explicit WorkerSide(World& world, std::unique_ptr<ipc::Channel> channel);
    WorkerSide(const WorkerSide&) = delete;
    WorkerSide& operator=(const WorkerSide&) = delete;
    ~WorkerSide();

    /// On the channel that `launch_program` left. not_found: this is no worker.
    static base::Result<std::unique_ptr<WorkerSide>> inherited(World& world);

    void on_message(ipc::Channel::OnMessage function);
    void on_request(ipc::Channel::OnRequest function);
    /// From here on the parent counts the worker as running.
    base::Result<void> hello();
    base::Result<void> send(ipc::Message message);
    Deferred<ipc::Message> request(ipc::Message message,
                                   std::optional<base::Duration> timeout = {});
    /// Settles when the parent asks to stop or is gone: end now.
    Deferred<void> when_stopped();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace reactor
