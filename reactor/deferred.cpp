#include "reactor/deferred.h"

#include "reactor/base/failure_error.h"
#include "reactor/reactor.h"

namespace reactor {

void capture_tracebacks(bool on) noexcept {
    detail::tracebacks_captured = on;
}

namespace detail {

void CoroutineCore::trace_failure(base::Failure& failure, std::source_location at) {
    failure = failure.passed(at.file_name(), at.line());
}

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
    } catch (const base::FailureError& error) {
        return error.failure();
    } catch (const std::bad_alloc&) {
        return base::Errc::resource_exhausted;
    } catch (const std::exception& error) {
        return {base::Errc::internal, error.what()};
    } catch (...) {
        return base::Errc::internal;
    }
}

void report_unhandled(const base::Failure& failure, std::string_view why) noexcept {
    const base::Log& log = ReadyQueue::current().log();
    if (failure.trace().empty()) {
        log.error("deferred.unhandled", {{"why", why}, {"failure", failure.message()}});
    } else {
        log.error("deferred.unhandled",
                  {{"why", why}, {"failure", failure.message()}, {"trace", failure.trace()}});
    }
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
    Hop hop() const noexcept override { return {"sleep", {}, nullptr}; }

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
    Hop hop() const noexcept override { return {"yield", {}, nullptr}; }

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
