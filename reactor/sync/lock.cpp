#include "reactor/sync/lock.h"

#include <string>

namespace reactor {

namespace {
// A type of its own beside the node's other bases.
struct LineLink : detail::Link {};
}  // namespace

/// A place in the line; also the node behind the Deferred.
class Semaphore::Waiter final : public detail::ValueNode<Permit>,
                                public LineLink,
                                public detail::FrameAllocated {
public:
    Waiter(Semaphore& semaphore, std::size_t count, LockOwner* owner, Lock* lock) noexcept
        : semaphore_(semaphore), count_(count), owner_(owner) {
        insert_before(semaphore_.line_);
        ++semaphore_.waiting_;
        if (owner_) owner_->waits_for_ = lock;
    }

    static Waiter& at(detail::Link& link) noexcept {
        return static_cast<Waiter&>(static_cast<LineLink&>(link));
    }
    std::size_t count() const noexcept { return count_; }
    void grant() noexcept {
        leave_line();
        semaphore_.holder_ = owner_;
        settle(Permit(semaphore_, count_));
    }
    void fail(base::Errc code) noexcept {
        leave_line();
        settle(base::fail(code));
    }

    void cancel() noexcept override {
        if (settled()) return;
        Semaphore& semaphore = semaphore_;
        fail(base::Errc::cancelled);
        semaphore.serve();
    }
    void drop() noexcept override {
        Semaphore* semaphore = nullptr;
        if (linked()) {
            leave_line();
            semaphore = &semaphore_;
        }
        delete this;
        if (semaphore) semaphore->serve();
    }
    detail::Hop hop() const noexcept override {
        return {owner_ && owner_->waits_for_ ? owner_->waits_for_->name() : "semaphore", {}, {}};
    }

private:
    void leave_line() noexcept {
        unlink();
        --semaphore_.waiting_;
        if (owner_) owner_->waits_for_ = nullptr;
    }

    Semaphore& semaphore_;
    std::size_t count_;
    LockOwner* owner_;
};

void Permit::release() noexcept {
    if (Semaphore* semaphore = std::exchange(semaphore_, nullptr)) semaphore->give_back(count_);
}

Semaphore::Semaphore(std::size_t permits, std::size_t waiters_max)
    : permits_(permits), available_(permits), waiters_max_(waiters_max) {
    CHECK(permits > 0);
    line_.next = line_.previous = &line_;
}

Semaphore::~Semaphore() {
    while (line_.next != &line_)
        Waiter::at(*line_.next).fail(base::Errc::closed);
    CHECK(available_ == permits_);
}

Deferred<Permit> Semaphore::acquire(std::size_t count) {
    return acquire_for(count, nullptr, nullptr);
}

Deferred<Permit> Semaphore::acquire_for(std::size_t count, LockOwner* owner, Lock* lock) {
    if (count > permits_)
        return base::Failure(base::Errc::invalid_argument,
                             std::to_string(count) + " permits of " + std::to_string(permits_));
    if (waiting_ == 0 && count <= available_) {
        available_ -= count;
        holder_ = owner;
        return base::Result<Permit>(Permit(*this, count));
    }
    if (waiting_ >= waiters_max_)
        return base::Failure(base::Errc::queue_full, "too many wait for the same permits");
    return Deferred<Permit>(*new Waiter(*this, count, owner, lock));
}

Permit Semaphore::try_acquire(std::size_t count) noexcept {
    if (waiting_ > 0 || count > available_) return {};
    available_ -= count;
    holder_ = nullptr;
    return {*this, count};
}

void Semaphore::give_back(std::size_t count) noexcept {
    available_ += count;
    CHECK(available_ <= permits_);
    holder_ = nullptr;
    serve();
}

void Semaphore::serve() noexcept {
    while (line_.next != &line_) {
        Waiter& first = Waiter::at(*line_.next);
        if (first.count() > available_) return;
        available_ -= first.count();
        first.grant();
    }
}

Deferred<Permit> Lock::acquire(LockOwner& owner) {
    CHECK(!owner.waits_for_);
    std::string way(owner.name());
    // Each owner waits for one Lock, so the way is a line; it ends or comes back to `owner`.
    for (Lock* at = this; at; at = at->semaphore_.holder_->waits_for_) {
        const LockOwner* holder = at->semaphore_.holder_;
        if (!holder) break;
        way.append(" waits for ").append(at->name_).append(", held by ").append(holder->name());
        if (holder == &owner) return base::Failure(base::Errc::would_deadlock, std::move(way));
    }
    return semaphore_.acquire_for(1, &owner, this);
}

}  // namespace reactor
