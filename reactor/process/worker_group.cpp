#include "reactor/process/worker_group.h"

#include "reactor/base/check.h"
#include "reactor/combine.h"
#include "reactor/process/worker_frame.h"
#include "reactor/world.h"

#include <signal.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace reactor {

using base::Errc;
using base::fail;
using base::Failure;
using base::Result;
using detail::WorkerFrame;

std::string_view name_of(WorkerState state) noexcept {
    switch (state) {
        case WorkerState::starting:
            return "starting";
        case WorkerState::running:
            return "running";
        case WorkerState::waiting:
            return "waiting";
        case WorkerState::stopping:
            return "stopping";
        case WorkerState::stopped:
            return "stopped";
        case WorkerState::failed:
            return "failed";
    }
    return "unknown";
}

namespace {

struct Worker {
    explicit Worker(std::size_t its_index) : index(its_index) {}

    std::size_t index;
    WorkerState state = WorkerState::stopped;
    std::uint64_t restarts = 0;
    std::deque<base::MonotonicTime> deaths;  // Within the window.
    std::size_t requests = 0;                // Of ours, under way.
    std::unique_ptr<Process> process;
    std::unique_ptr<ipc::Channel> channel;
    Promise<void>* said_hello = nullptr;  // In the frame of `run_once`.
};

}  // namespace

struct WorkerGroup::Impl {
    Impl(World& its_world, Launch its_launch, WorkerGroupOptions its_options)
        : world(its_world), launch(std::move(its_launch)), options(its_options) {
        for (std::size_t i = 0; i < options.count; ++i)
            workers.push_back(std::make_unique<Worker>(i));
    }

    Deferred<void> supervise(Worker& worker);
    Deferred<ExitStatus> run_once(Worker& worker);
    Deferred<void> watch(Worker& worker);
    Deferred<void> heartbeat(Worker& worker);
    Result<void> launch_one(Worker& worker);
    void received(Worker& worker, ipc::Message message);
    Deferred<ipc::Message> asked(Worker& worker, ipc::Message message);
    Deferred<void> end_worker(Worker& worker);
    Deferred<void> stop_all();
    bool may_restart(Worker& worker, const Result<ExitStatus>& status);
    void announce(Worker& worker);
    Worker* running(std::size_t index) noexcept;
    Deferred<ipc::Message> ask(Worker& worker, ipc::Message message,
                               std::optional<base::Duration> timeout);

    World& world;
    Launch launch;
    WorkerGroupOptions options;
    OnMessage on_message;
    OnRequest on_request;
    std::vector<std::unique_ptr<Worker>> workers;
    bool started = false;
    bool stopping = false;
    std::optional<Failure> start_failure;
    std::vector<Promise<void>> starters;
    std::vector<Promise<void>> stoppers;
    std::vector<Deferred<void>> supervisors;
    std::optional<Deferred<void>> stop_work;
};

// --- One life of a worker ---

Result<void> WorkerGroup::Impl::launch_one(Worker& worker) {
    LaunchedWorker launched = TRY(launch(worker.index));
    CHECK(launched.process && launched.channel);
    worker.process = std::move(launched.process);
    worker.channel = std::move(launched.channel);
    worker.channel->on_message(
        [this, &worker](ipc::Message message) { received(worker, std::move(message)); });
    worker.channel->on_request(
        [this, &worker](ipc::Message message) { return asked(worker, std::move(message)); });
    return {};
}

void WorkerGroup::Impl::received(Worker& worker, ipc::Message message) {
    switch (detail::take_frame(message)) {
        case WorkerFrame::hello:
            if (worker.said_hello != nullptr) worker.said_hello->try_resolve({});
            return;
        case WorkerFrame::application:
            if (on_message) on_message(worker.index, std::move(message));
            return;
        default:
            world.log.warn("worker.unexpected", {{"worker", worker.index}});
    }
}

Deferred<ipc::Message> WorkerGroup::Impl::asked(Worker& worker, ipc::Message message) {
    if (detail::take_frame(message) != WorkerFrame::application || !on_request)
        return Failure(Errc::unsupported, "nobody answers requests of workers");
    return on_request(worker.index, std::move(message));
}

Deferred<void> WorkerGroup::Impl::heartbeat(Worker& worker) {
    std::uint32_t missed = 0;
    while (missed < options.heartbeats_missed_max) {
        co_await sleep(world.reactor, options.heartbeat_interval);
        Deferred<ipc::Message> ping = worker.channel->request(detail::framed(WorkerFrame::ping, {}),
                                                              options.heartbeat_interval);
        const Result<ipc::Message> answered = co_await std::move(ping);
        missed = answered ? 0 : missed + 1;
    }
    world.log.error("worker.unresponsive", {{"worker", worker.index}, {"missed", missed}});
    co_return {};
}

// From the launch until it has to go: no hello, no heartbeat, or the channel ended.
Deferred<void> WorkerGroup::Impl::watch(Worker& worker) {
    Promise<void> hello;
    worker.said_hello = &hello;
    struct Forget {
        Worker& worker;
        ~Forget() { worker.said_hello = nullptr; }
    } const forget{worker};
    Deferred<void> greeting = with_timeout(world.reactor, hello.deferred(), options.hello_timeout);
    const Result<void> greeted = co_await std::move(greeting);
    if (!greeted) {
        world.log.error("worker.unresponsive", {{"worker", worker.index}, {"missed", "hello"}});
        co_return {};
    }
    worker.state = WorkerState::running;
    world.log.info("worker.started", {{"worker", worker.index}, {"pid", worker.process->pid()}});
    announce(worker);
    Deferred<void> beating = heartbeat(worker);
    co_return co_await std::move(beating);
}

Deferred<ExitStatus> WorkerGroup::Impl::run_once(Worker& worker) {
    worker.state = WorkerState::starting;
    if (auto launched = launch_one(worker); !launched) co_return launched.error();
    Deferred<void> watching = watch(worker);
    Deferred<void> killing = std::move(watching).then([&worker] {
        if (!worker.process->signal_group(SIGKILL)) (void)worker.process->signal(SIGKILL);
    });
    Deferred<ExitStatus> exiting = worker.process->exited();
    Result<ExitStatus> status = co_await std::move(exiting).as_result();
    if (!status && status.error().is(Errc::cancelled)) {
        // `stop`: the worker lives on until it has been asked, and the rest.
        killing = ready();
        Deferred<void> ending = end_worker(worker);
        (void)co_await std::move(ending).as_result();
        status = worker.process->status() ? Result<ExitStatus>(*worker.process->status())
                                          : std::unexpected(Failure(Errc::cancelled));
    }
    worker.channel.reset();
    worker.process.reset();
    co_return status;
}

// Asks, then insists. Each step ends early when the worker does.
Deferred<void> WorkerGroup::Impl::end_worker(Worker& worker) {
    worker.state = WorkerState::stopping;
    (void)worker.channel->send(detail::framed(WorkerFrame::stop, {}));
    for (const int signal : {0, SIGTERM, SIGKILL}) {
        if (signal == SIGKILL) {
            (void)worker.process->signal_group(SIGKILL);
        }
        if (signal != 0) (void)worker.process->signal(signal);
        Deferred<ExitStatus> exiting =
            with_timeout(world.reactor, worker.process->exited(), options.stop_grace);
        const Result<ExitStatus> exited = co_await std::move(exiting).as_result();
        if (exited || !exited.error().is(Errc::timed_out)) co_return {};
    }
    co_return {};
}

// --- The loop around it ---

bool WorkerGroup::Impl::may_restart(Worker& worker, const Result<ExitStatus>& status) {
    if (options.restart == RestartPolicy::never ||
        (options.restart == RestartPolicy::on_failure && status && status->success())) {
        worker.state = WorkerState::stopped;
        return false;
    }
    const base::MonotonicTime now = world.reactor.now();
    worker.deaths.push_back(now);
    while (worker.deaths.front() + options.restart_window < now)
        worker.deaths.pop_front();
    if (worker.deaths.size() > options.restarts_max) {
        world.log.error("worker.failed",
                        {{"worker", worker.index}, {"deaths", worker.deaths.size()}});
        worker.state = WorkerState::failed;
        return false;
    }
    return true;
}

Deferred<void> WorkerGroup::Impl::supervise(Worker& worker) {
    for (;;) {
        Deferred<ExitStatus> life = run_once(worker);
        const Result<ExitStatus> status = co_await std::move(life).as_result();
        world.log.info("worker.exited",
                       {{"worker", worker.index},
                        {"how", status ? status->to_string() : status.error().message()}});
        if (stopping) break;
        if (!may_restart(worker, status)) {
            if (!status && !start_failure) start_failure = status.error();
            announce(worker);
            co_return {};
        }
        worker.state = WorkerState::waiting;
        const auto attempt = static_cast<std::uint32_t>(worker.deaths.size());
        Deferred<void> waiting =
            sleep(world.reactor, options.backoff.wait_after(attempt, world.entropy));
        const Result<void> waited = co_await std::move(waiting).as_result();
        if (!waited || stopping) break;
        ++worker.restarts;
    }
    worker.state = WorkerState::stopped;
    co_return {};
}

// A worker runs, or never will: `start` may be settled.
void WorkerGroup::Impl::announce(Worker& worker) {
    if (starters.empty()) return;
    if (worker.state == WorkerState::failed || worker.state == WorkerState::stopped) {
        const Failure failure =
            Failure(start_failure ? start_failure->code() : Errc::io_error,
                    "worker " + std::to_string(worker.index) + " does not start" +
                        (start_failure ? ": " + start_failure->message() : ""));
        for (Promise<void>& starter : std::exchange(starters, {}))
            starter.fail(failure);
        if (!stop_work) stop_work.emplace(stop_all());
        return;
    }
    const bool all = std::ranges::all_of(
        workers, [](const auto& each) { return each->state == WorkerState::running; });
    if (!all) return;
    for (Promise<void>& starter : std::exchange(starters, {}))
        starter.try_resolve({});
}

Deferred<void> WorkerGroup::Impl::stop_all() {
    stopping = true;
    // Asked from a supervisor, perhaps: not inside its own turn.
    co_await yield();
    for (Deferred<void>& supervisor : supervisors)
        if (supervisor.valid()) supervisor.cancel();
    for (Deferred<void>& supervisor : supervisors)
        (void)co_await std::move(supervisor).as_result();
    for (Promise<void>& stopper : std::exchange(stoppers, {}))
        stopper.try_resolve({});
    co_return {};
}

Worker* WorkerGroup::Impl::running(std::size_t index) noexcept {
    if (index >= workers.size() || workers[index]->state != WorkerState::running) return nullptr;
    return workers[index].get();
}

Deferred<ipc::Message> WorkerGroup::Impl::ask(Worker& worker, ipc::Message message,
                                              std::optional<base::Duration> timeout) {
    struct Counted {
        explicit Counted(std::size_t& its_count) : count(its_count) { ++count; }
        ~Counted() { --count; }
        std::size_t& count;
    } const counted(worker.requests);
    Deferred<ipc::Message> asking = worker.channel->request(
        detail::framed(WorkerFrame::application, std::move(message)), timeout);
    co_return co_await std::move(asking);
}

// --- The face ---

WorkerGroup::WorkerGroup(World& world, Launch launch, WorkerGroupOptions options)
    : impl_(std::make_unique<Impl>(world, std::move(launch), options)) {}

WorkerGroup::~WorkerGroup() {
    impl_->stop_work.reset();
    impl_->supervisors.clear();
}

void WorkerGroup::on_message(OnMessage function) {
    impl_->on_message = std::move(function);
}
void WorkerGroup::on_request(OnRequest function) {
    impl_->on_request = std::move(function);
}

Deferred<void> WorkerGroup::start() {
    Impl& impl = *impl_;
    if (impl.started) return Failure(Errc::invalid_argument, "a worker group is started once");
    impl.started = true;
    if (impl.workers.empty()) return ready();
    Deferred<void> started = impl.starters.emplace_back().deferred();
    for (auto& worker : impl.workers)
        worker->state = WorkerState::starting;
    impl.supervisors.reserve(impl.workers.size());
    for (auto& worker : impl.workers)
        impl.supervisors.push_back(impl.supervise(*worker));
    return started;
}

Deferred<void> WorkerGroup::stop() {
    Impl& impl = *impl_;
    for (Promise<void>& starter : std::exchange(impl.starters, {}))
        starter.fail(Errc::cancelled);
    if (impl.stop_work && impl.stop_work->settled()) return ready();
    Deferred<void> stopped = impl.stoppers.emplace_back().deferred();
    if (!impl.stop_work) impl.stop_work.emplace(impl.stop_all());
    return stopped;
}

Result<void> WorkerGroup::send(std::size_t index, ipc::Message message) {
    Worker* worker = impl_->running(index);
    if (worker == nullptr)
        return fail(Errc::not_found, "worker " + std::to_string(index) + " does not run");
    return worker->channel->send(detail::framed(WorkerFrame::application, std::move(message)));
}

Deferred<ipc::Message> WorkerGroup::request(std::size_t index, ipc::Message message,
                                            std::optional<base::Duration> timeout) {
    Worker* worker = impl_->running(index);
    if (worker == nullptr)
        return Failure(Errc::not_found, "worker " + std::to_string(index) + " does not run");
    return impl_->ask(*worker, std::move(message), timeout);
}

Deferred<ipc::Message> WorkerGroup::request_any(ipc::Message message,
                                                std::optional<base::Duration> timeout) {
    Worker* idlest = nullptr;
    for (auto& worker : impl_->workers)
        if (worker->state == WorkerState::running &&
            (idlest == nullptr || worker->requests < idlest->requests))
            idlest = worker.get();
    if (idlest == nullptr) return Failure(Errc::not_found, "no worker runs");
    return impl_->ask(*idlest, std::move(message), timeout);
}

WorkerState WorkerGroup::state(std::size_t index) const noexcept {
    return impl_->workers.at(index)->state;
}
std::uint64_t WorkerGroup::restarts(std::size_t index) const noexcept {
    return impl_->workers.at(index)->restarts;
}
std::int64_t WorkerGroup::pid(std::size_t index) const noexcept {
    const Worker& worker = *impl_->workers.at(index);
    return worker.process ? worker.process->pid() : 0;
}
std::size_t WorkerGroup::running() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(
        impl_->workers, [](const auto& each) { return each->state == WorkerState::running; }));
}

WorkerGroup::Launch launch_program(World& world, ProcessSpawner& spawner, ProcessSpec spec,
                                   ipc::ChannelOptions options) {
    using Kind = ChildFd::Kind;
    if (!spec.descriptors)
        spec.descriptors =
            std::vector<ChildFd>{{0, Kind::null, -1}, {1, Kind::inherit, 1}, {2, Kind::inherit, 2}};
    return [&world, &spawner, spec, options](std::size_t) -> Result<LaunchedWorker> {
        auto ends = TRY(unix_pair());
        ProcessSpec its_spec = spec;
        its_spec.descriptors->push_back({kWorkerFd, Kind::inherit, ends.second.get()});
        auto stream = TRY(unix_stream(world, std::move(ends.first)));
        LaunchedWorker launched;
        launched.process = TRY(spawner.spawn(std::move(its_spec)));
        launched.channel = std::make_unique<ipc::Channel>(world, std::move(stream), options);
        return launched;
    };
}

}  // namespace reactor
