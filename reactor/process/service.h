// Services: the parts of a program that start and stop, in order. A ServiceTree starts what others
// depend on first, undoes everything when one cannot start, and stops in reverse, each awaited, so
// that nothing is used by a service that has not stopped yet. (Twisted's MultiService stops all at
// once.)
#pragma once

#include "reactor/base/result.h"
#include "reactor/deferred.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reactor {

struct World;

class Service {
public:
    virtual ~Service() = default;
    /// Unique among its siblings.
    virtual std::string name() const = 0;
    /// Names of siblings that must run before and stop after.
    virtual std::vector<std::string> depends_on() const { return {}; }
    /// Of every service before any `start`: what needs privileges that are given up then (low
    /// ports, key files).
    virtual base::Result<void> privileged_start() { return {}; }
    /// Settles when it can be used. May be cancelled.
    virtual Deferred<void> start() = 0;
    /// Settles when it uses nothing of others any more. Only after a successful `start` (or
    /// `privileged_start`); must cope with a start that was cancelled.
    virtual Deferred<void> stop() = 0;
    /// For readiness checks: false while it runs but cannot serve.
    virtual bool healthy() const { return true; }
};

enum class ServiceState : std::uint8_t { idle, starting, running, stopping };

struct ServiceTreeOptions {
    /// For each `start`, and each `stop`; then it is dropped.
    base::Duration start_timeout = std::chrono::seconds(60);
    base::Duration stop_timeout = std::chrono::seconds(30);
};

/// A service made of services; trees nest.
class ServiceTree final : public Service {
public:
    /// Logs "service.started", "service.stopped", "service.start_failed", "service.stop_failed".
    ServiceTree(World& world, std::string name, ServiceTreeOptions options = {});
    ServiceTree(const ServiceTree&) = delete;
    ServiceTree& operator=(const ServiceTree&) = delete;
    /// Not while starting or stopping Deferreds are awaited. Running children are destroyed in
    /// reverse order without a stop.
    ~ServiceTree() override;

    /// already_exists: a sibling has the name. In a running tree it is started at once (what it
    /// depends on runs); the Deferred settles then, and when it fails the child is gone. busy: the
    /// tree is starting or stopping.
    Deferred<void> add(std::unique_ptr<Service> child);
    /// Stops and destroys it. not_found; busy (as above); invalid_argument: others depend on it.
    Deferred<void> remove(std::string child);
    Service* find(std::string_view child) noexcept;

    std::string name() const override { return name_; }
    base::Result<void> privileged_start() override;
    /// In the order of dependencies, then of adding. invalid_argument: a dependency that does not
    /// exist, or a cycle (the text names it), or it runs already. When one fails, those before it
    /// are stopped in reverse and its failure, with its name, is the result. Cancelling, or `stop`,
    /// does the same and gives `cancelled`.
    Deferred<void> start() override;
    /// In reverse, one after the other, whatever fails; the first failure is the result. While it
    /// starts: ends the start first. Idle: settles at once. Several callers may wait.
    Deferred<void> stop() override;
    /// Running, and every child healthy.
    bool healthy() const override;
    ServiceState state() const noexcept { return state_; }
    /// Names of the children in the order they run; for tests and status pages.
    std::vector<std::string> running() const;

private:
    struct Child;
    class Change;
    base::Result<std::vector<Child*>> order();
    base::Result<void> visit(Child& child, std::vector<Child*>& path, std::vector<Child*>& order);
    Deferred<void> start_all(std::vector<Child*> order);
    Deferred<void> start_child(Child& child);
    Deferred<void> stop_running();
    Deferred<void> go_on();
    Deferred<void> undo();
    void settle_stops(const base::Result<void>& result);

    World& world_;
    std::string name_;
    ServiceTreeOptions options_;
    ServiceState state_ = ServiceState::idle;
    bool privileged_ = false;
    std::vector<std::unique_ptr<Child>> children_;
    std::vector<Child*> running_;  // In the order of their starts.
    Deferred<void>* starting_ = nullptr;
    std::vector<Promise<void>> stops_;
    std::optional<Deferred<void>> stopping_;  // The work of the last `stop`.
};

}  // namespace reactor
