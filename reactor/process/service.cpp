#include "reactor/process/service.h"

#include "reactor/combine.h"
#include "reactor/world.h"

#include <algorithm>
#include <utility>

namespace reactor {

using base::Errc;
using base::fail;
using base::Failure;
using base::Result;

namespace {

constexpr base::Duration kCleanUpMax = std::chrono::seconds(1);

/// `work`, cancelled after `limit`; if it has not cleaned up by kCleanUpMax later, it is dropped.
/// A cancellation from outside is passed on in the same way.
Deferred<void> bounded(Reactor& reactor, Deferred<void> work, base::Duration limit) {
    Promise<void> first;
    Promise<void> second;
    Deferred<void> in_time = first.deferred();
    Deferred<void> late = second.deferred();
    Result<void> result = fail(Errc::timed_out);
    Deferred<void> told = std::move(work).both([&](Result<void> settled) {
        result = std::move(settled);
        first.try_resolve({});
        second.try_resolve({});
    });
    Deferred<void> waiting = with_timeout(reactor, std::move(in_time), limit);
    const Result<void> waited = co_await std::move(waiting).as_result();
    if (waited) co_return result;
    told.cancel();
    Deferred<void> cleaning = with_timeout(reactor, std::move(late), kCleanUpMax);
    (void)co_await std::move(cleaning).as_result();
    if (waited.error().is(Errc::cancelled)) co_return Errc::cancelled;
    co_return result&& told.settled() ? result : fail(Errc::timed_out);
}

}  // namespace

struct ServiceTree::Child {
    std::unique_ptr<Service> service;
    std::string name;
    enum class Mark : std::uint8_t { none, on_path, done } mark = Mark::none;
};

ServiceTree::ServiceTree(World& world, std::string name, ServiceTreeOptions options)
    : world_(world), name_(std::move(name)), options_(options) {}

ServiceTree::~ServiceTree() {
    // Those that depend on others go first.
    for (auto last = running_.rbegin(); last != running_.rend(); ++last)
        (*last)->service.reset();
    for (Promise<void>& promise : std::exchange(stops_, {}))
        promise.fail(Failure(Errc::closed, "the service tree was destroyed"));
}

// --- Order ---

Result<void> ServiceTree::visit(Child& child, std::vector<Child*>& path,
                                std::vector<Child*>& order) {
    if (child.mark == Child::Mark::done) return {};
    path.push_back(&child);
    if (child.mark == Child::Mark::on_path) {
        std::string circle;
        for (auto at = std::ranges::find(path, &child); at != path.end(); ++at)
            circle += (circle.empty() ? "" : " -> ") + (*at)->name;
        return fail(Errc::invalid_argument, name_ + ": services depend in a circle: " + circle);
    }
    child.mark = Child::Mark::on_path;
    for (const std::string& needed : child.service->depends_on()) {
        const auto found =
            std::ranges::find(children_, needed, [](const auto& each) { return each->name; });
        if (found == children_.end())
            return fail(Errc::invalid_argument,
                        child.name + " depends on " + needed + ", which does not exist");
        if (auto visited = visit(**found, path, order); !visited) return visited;
    }
    child.mark = Child::Mark::done;
    path.pop_back();
    order.push_back(&child);
    return {};
}

Result<std::vector<ServiceTree::Child*>> ServiceTree::order() {
    for (auto& child : children_)
        child->mark = Child::Mark::none;
    std::vector<Child*> order;
    for (auto& child : children_) {
        std::vector<Child*> path;
        if (auto visited = visit(*child, path, order); !visited)
            return std::unexpected(visited.error());
    }
    return order;
}

// --- Children ---

Service* ServiceTree::find(std::string_view child) noexcept {
    for (auto& each : children_)
        if (each->name == child) return each->service.get();
    return nullptr;
}

/// A change under way; if its Deferred is dropped, what runs still runs.
class ServiceTree::Change {
public:
    Change(ServiceTree& tree, ServiceState state) noexcept : tree_(tree) { tree.state_ = state; }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change() {
        tree_.starting_ = nullptr;
        if (!done_)
            tree_.state_ = tree_.running_.empty() ? ServiceState::idle : ServiceState::running;
    }
    void done() noexcept { done_ = true; }

private:
    ServiceTree& tree_;
    bool done_ = false;
};

Deferred<void> ServiceTree::add(std::unique_ptr<Service> child) {
    const std::string name = child->name();
    if (find(name) != nullptr)
        co_return Failure(Errc::already_exists, name_ + " has a service " + name + " already");
    if (state_ == ServiceState::starting || state_ == ServiceState::stopping)
        co_return Failure(Errc::busy, name_ + " is starting or stopping");
    auto owned = std::make_unique<Child>();
    Child& added = *owned;
    added.service = std::move(child);
    added.name = name;
    children_.push_back(std::move(owned));
    if (state_ == ServiceState::idle) co_return {};
    Change change(*this, ServiceState::starting);
    Result<void> result;
    if (auto ordered = order(); !ordered) {
        result = std::unexpected(ordered.error());
    } else if (result = added.service->privileged_start(); result) {
        Deferred<void> starting = start_child(added);
        starting_ = &starting;
        result = co_await std::move(starting).as_result();
        starting_ = nullptr;
    }
    if (!result) std::erase_if(children_, [&](const auto& each) { return each->name == name; });
    Deferred<void> going_on = go_on();
    const Result<void> went_on = co_await std::move(going_on).as_result();
    change.done();
    co_return result ? went_on : result;
}

Deferred<void> ServiceTree::remove(std::string child) {
    if (state_ == ServiceState::starting || state_ == ServiceState::stopping)
        co_return Failure(Errc::busy, name_ + " is starting or stopping");
    if (find(child) == nullptr)
        co_return Failure(Errc::not_found, name_ + " has no service " + child);
    for (auto& each : children_) {
        const std::vector<std::string> needed = each->service->depends_on();
        if (std::ranges::find(needed, child) != needed.end())
            co_return Failure(Errc::invalid_argument, each->name + " depends on " + child);
    }
    const auto at = std::ranges::find(running_, child, [](Child* each) { return each->name; });
    Result<void> result;
    if (at != running_.end()) {
        Change change(*this, ServiceState::stopping);
        Child& leaving = **at;
        running_.erase(at);
        Deferred<void> stopped =
            bounded(world_.reactor, leaving.service->stop(), options_.stop_timeout);
        result = co_await std::move(stopped).as_result();
        std::erase_if(children_, [&](const auto& each) { return each->name == child; });
        Deferred<void> going_on = go_on();
        (void)co_await std::move(going_on).as_result();
        change.done();
        co_return result;
    }
    std::erase_if(children_, [&](const auto& each) { return each->name == child; });
    co_return {};
}

// After a change: running, unless somebody asked to stop meanwhile.
Deferred<void> ServiceTree::go_on() {
    if (stops_.empty()) {
        state_ = ServiceState::running;
        co_return {};
    }
    Deferred<void> undoing = undo();
    (void)co_await std::move(undoing).as_result();
    co_return Errc::cancelled;
}

// --- Start and stop ---

Result<void> ServiceTree::privileged_start() {
    const std::vector<Child*> ordered = TRY(order());
    for (Child* child : ordered) {
        auto started = child->service->privileged_start();
        if (!started) return std::unexpected(started.error().with(child->name));
    }
    privileged_ = true;
    return {};
}

Deferred<void> ServiceTree::start_child(Child& child) {
    const std::string name = child.name;
    Deferred<void> starting =
        bounded(world_.reactor, child.service->start(), options_.start_timeout);
    const Result<void> started = co_await std::move(starting).as_result();
    if (!started) {
        world_.log.warn("service.start_failed",
                        {{"service", name}, {"why", started.error().message()}});
        co_return started.error().with(name);
    }
    world_.log.info("service.started", {{"service", name}});
    running_.push_back(&child);
    co_return {};
}

Deferred<void> ServiceTree::start_all(std::vector<Child*> order) {
    for (Child* child : order) {
        Deferred<void> starting = start_child(*child);
        const Result<void> started = co_await std::move(starting).as_result();
        if (!started) co_return started;
    }
    co_return {};
}

Deferred<void> ServiceTree::start() {
    if (state_ != ServiceState::idle)
        co_return Failure(Errc::invalid_argument, name_ + " is not idle: it cannot be started");
    auto ordered = order();
    if (!ordered) co_return ordered.error();
    if (!privileged_) {
        if (auto started = privileged_start(); !started) co_return started.error();
    }
    privileged_ = false;
    Change change(*this, ServiceState::starting);
    Deferred<void> work = start_all(*std::move(ordered));
    starting_ = &work;
    const Result<void> started = co_await std::move(work).as_result();
    starting_ = nullptr;
    Deferred<void> going_on = started ? go_on() : undo();
    const Result<void> went_on = co_await std::move(going_on).as_result();
    change.done();
    co_return started ? went_on : started;
}

Deferred<void> ServiceTree::undo() {
    state_ = ServiceState::stopping;
    Deferred<void> undoing = stop_running();
    const Result<void> undone = co_await std::move(undoing).as_result();
    state_ = ServiceState::idle;
    settle_stops(undone);
    co_return {};
}

Deferred<void> ServiceTree::stop_running() {
    Result<void> first;
    while (!running_.empty()) {
        Child& child = *running_.back();
        running_.pop_back();
        const std::string name = child.name;
        Deferred<void> stopping =
            bounded(world_.reactor, child.service->stop(), options_.stop_timeout);
        const Result<void> stopped = co_await std::move(stopping).as_result();
        if (stopped) {
            world_.log.info("service.stopped", {{"service", name}});
        } else {
            world_.log.error("service.stop_failed",
                             {{"service", name}, {"why", stopped.error().message()}});
            if (first) first = std::unexpected(stopped.error().with(name));
        }
    }
    co_return first;
}

void ServiceTree::settle_stops(const Result<void>& result) {
    for (Promise<void>& promise : std::exchange(stops_, {}))
        promise.try_resolve(result);
}

Deferred<void> ServiceTree::stop() {
    if (state_ == ServiceState::idle) return ready();
    Deferred<void> stopped = stops_.emplace_back().deferred();
    if (state_ == ServiceState::starting && starting_ != nullptr) starting_->cancel();
    if (state_ == ServiceState::running) {
        stopping_.emplace(undo());
    }
    return stopped;
}

bool ServiceTree::healthy() const {
    return state_ == ServiceState::running && std::ranges::all_of(children_, [](const auto& each) {
               return each->service->healthy();
           });
}

std::vector<std::string> ServiceTree::running() const {
    std::vector<std::string> names;
    for (const Child* child : running_)
        names.push_back(child->name);
    return names;
}

}  // namespace reactor
