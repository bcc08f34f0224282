#include "reactor/sync/event.h"

namespace reactor {

namespace {
struct WaiterLink : detail::Link {};
}  // namespace

class Event::Waiter final : public detail::ValueNode<void>,
                            public WaiterLink,
                            public detail::FrameAllocated {
public:
    explicit Waiter(Event& event) noexcept : event_(event) {
        insert_before(event_.waiters_);
        ++event_.waiting_;
    }
    static Waiter& at(detail::Link& link) noexcept {
        return static_cast<Waiter&>(static_cast<WaiterLink&>(link));
    }
    void finish(const base::Result<void>& result) noexcept {
        leave();
        settle(result);
    }
    void cancel() noexcept override {
        if (!settled()) finish(base::fail(base::Errc::cancelled));
    }
    void drop() noexcept override {
        if (linked()) leave();
        delete this;
    }
    detail::Hop hop() const noexcept override { return {"event", {}, nullptr}; }

private:
    void leave() noexcept {
        unlink();
        --event_.waiting_;
    }
    Event& event_;
};

Event::~Event() {
    settle_all(base::fail(base::Errc::closed));
}

// Settling only queues, so nobody can join the list meanwhile.
void Event::settle_all(const base::Result<void>& result) noexcept {
    while (waiters_.next != &waiters_)
        Waiter::at(*waiters_.next).finish(result);
}

void Event::set() noexcept {
    set_ = true;
    settle_all({});
}

void Event::pulse() noexcept {
    settle_all({});
}

void Event::pulse_one() noexcept {
    if (waiters_.next != &waiters_) Waiter::at(*waiters_.next).finish({});
}

Deferred<void> Event::wait() {
    if (set_) return ready();
    return Deferred<void>(*new Waiter(*this));
}

}  // namespace reactor
