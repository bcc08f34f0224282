// WorkerSide (worker_group.h): the child's half of the conversation.
#include "reactor/process/worker_frame.h"
#include "reactor/process/worker_group.h"
#include "reactor/world.h"

#include <utility>

namespace reactor {

using base::Errc;
using base::Failure;
using base::Result;
using detail::WorkerFrame;

struct WorkerSide::Impl {
    Impl(World& its_world, std::unique_ptr<ipc::Channel> its_channel)
        : world(its_world), channel(std::move(its_channel)) {}

    void received(ipc::Message message);
    Deferred<ipc::Message> asked(ipc::Message message);
    void stop();

    World& world;
    ipc::Channel::OnMessage on_message;
    ipc::Channel::OnRequest on_request;
    bool stopped = false;
    std::vector<Promise<void>> stoppers;
    std::unique_ptr<ipc::Channel> channel;
    Deferred<void> parent_gone = ready();
};

void WorkerSide::Impl::received(ipc::Message message) {
    switch (detail::take_frame(message)) {
        case WorkerFrame::stop:
            return stop();
        case WorkerFrame::application:
            if (on_message) on_message(std::move(message));
            return;
        default:
            world.log.warn("worker.unexpected", {{"worker", "parent"}});
    }
}

Deferred<ipc::Message> WorkerSide::Impl::asked(ipc::Message message) {
    switch (detail::take_frame(message)) {
        case WorkerFrame::ping:
            return ready(ipc::Message());
        case WorkerFrame::application:
            if (on_request) return on_request(std::move(message));
            break;
        default:
            break;
    }
    return Failure(Errc::unsupported, "this worker answers no such request");
}

void WorkerSide::Impl::stop() {
    stopped = true;
    for (Promise<void>& promise : std::exchange(stoppers, {}))
        promise.try_resolve({});
}

WorkerSide::WorkerSide(World& world, std::unique_ptr<ipc::Channel> channel)
    : impl_(std::make_unique<Impl>(world, std::move(channel))) {
    Impl& impl = *impl_;
    impl.channel->on_message([&impl](ipc::Message message) { impl.received(std::move(message)); });
    impl.channel->on_request(
        [&impl](ipc::Message message) { return impl.asked(std::move(message)); });
    impl.parent_gone = impl.channel->when_ended().then([&impl](const Failure&) { impl.stop(); });
}

WorkerSide::~WorkerSide() = default;

Result<std::unique_ptr<WorkerSide>> WorkerSide::inherited(World& world) {
    auto stream = unix_stream(world, OwnedFd(kWorkerFd));
    if (!stream)
        return base::fail(Errc::not_found, "not started by a worker group: no channel is here");
    return std::make_unique<WorkerSide>(world,
                                        std::make_unique<ipc::Channel>(world, *std::move(stream)));
}

void WorkerSide::on_message(ipc::Channel::OnMessage function) {
    impl_->on_message = std::move(function);
}
void WorkerSide::on_request(ipc::Channel::OnRequest function) {
    impl_->on_request = std::move(function);
}

Result<void> WorkerSide::hello() {
    return impl_->channel->send(detail::framed(WorkerFrame::hello, {}));
}
Result<void> WorkerSide::send(ipc::Message message) {
    return impl_->channel->send(detail::framed(WorkerFrame::application, std::move(message)));
}
Deferred<ipc::Message> WorkerSide::request(ipc::Message message,
                                           std::optional<base::Duration> timeout) {
    return impl_->channel->request(detail::framed(WorkerFrame::application, std::move(message)),
                                   timeout);
}

Deferred<void> WorkerSide::when_stopped() {
    if (impl_->stopped) return ready();
    return impl_->stoppers.emplace_back().deferred();
}

}  // namespace reactor
