#include "reactor/deferred.h"

#include "reactor/reactor.h"

namespace reactor {

namespace detail {

void run_canceller(base::UniqueFunction<void()>& canceller) noexcept {
    try {
        canceller();
    } catch (const std::exception& error) {
        ReadyQueue::current().log().error("deferred.canceller_exception", {{"what", error.what()}});
    } catch (...) {
        ReadyQueue::current().log().error("deferred.canceller_exception");
    }
}

base::Failure failure_of_current_exception() noexcept {
    try {
        throw;
    } catch (const Cancelled&) {
        return base::Errc::cancelled;
    } catch (const std::bad_alloc&) {
        return base::Errc::resource_exhausted;
    } catch (const std::exception& error) {
        return {base::Errc::internal, error.what()};
    } catch (...) {
        return base::Errc::internal;
    }
}

void report_unhandled(const base::Failure& failure, std::string_view why) noexcept {
    ReadyQueue::current().log().error("deferred.unhandled",
                                      {{"why", why}, {"failure", failure.message()}});
}

namespace {

class SleepNode final : public ValueNode<void>, public Timer, public FrameAllocated {
public:
    void cancel() noexcept override {
        if (settled()) return;
        Timer::cancel();
        settle(base::fail(base::Errc::cancelled));
    }
    void drop() noexcept override { delete this; }

private:
    void on_expired() override { settle({}); }
};

class YieldNode final : public ValueNode<void>, public ReadyItem, public FrameAllocated {
public:
    YieldNode() { ReadyQueue::current().push(*this); }
    void cancel() noexcept override {
        if (!settled()) settle(base::fail(base::Errc::cancelled));
    }
    void drop() noexcept override { delete this; }

private:
    void run() override {
        if (!settled()) settle({});
    }
};

}  // namespace
}  // namespace detail

Deferred<void> yield() {
    return Deferred<void>(*new detail::YieldNode);
}

Deferred<void> sleep(Reactor& reactor, base::Duration delay) {
    auto* node = new detail::SleepNode;
    reactor.arm(*node, delay);
    return Deferred<void>(*node);
}

}  // namespace reactor
