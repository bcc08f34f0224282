// TimerService: a LoopingCall as a Service, so that it starts and stops with the rest of a program.
// Twisted's stays dead after a failure; here the policy says what comes.
#pragma once

#include "reactor/looping_call.h"
#include "reactor/process/service.h"
#include "reactor/world.h"

#include <optional>
#include <string>
#include <utility>

namespace reactor {

struct TimerServiceOptions {
    enum class OnFailure : std::uint8_t {
        end,       ///< Logged as "timer_service.failed"; no more calls, not healthy.
        go_on,     ///< Logged; the next slot is called.
        back_off,  ///< Logged; called again after growing waits, ended after too many in a row.
    };
    OnFailure on_failure = OnFailure::go_on;
    Backoff backoff = {};
};

class TimerService final : public Service {
public:
    /// `function` as for LoopingCall; `interval` is more than 0.
    TimerService(World& world, std::string name, base::Duration interval,
                 base::UniqueFunction<Deferred<void>()> function, TimerServiceOptions options = {})
        : world_(world),
          name_(std::move(name)),
          interval_(interval),
          options_(options),
          loop_(world.reactor, std::move(function)) {
        if (options_.on_failure == TimerServiceOptions::OnFailure::go_on)
            loop_.log_and_continue_on_error();
        if (options_.on_failure == TimerServiceOptions::OnFailure::back_off)
            loop_.back_off_on_error(options_.backoff, world_.entropy);
    }

    std::string name() const override { return name_; }
    /// The first call is made at once, inside. May be started again after a stop.
    Deferred<void> start() override {
        if (loop_.running()) return base::Failure(base::Errc::already_running, name_);
        ended_.emplace(loop_.start(interval_).rescue([this](base::Failure failure) {
            healthy_ = false;
            world_.log.error("timer_service.failed",
                             {{"service", name_}, {"failure", failure.message()}});
            return ready();
        }));
        healthy_ = loop_.running();
        return ready();
    }
    /// Settles when a call under way has ended.
    Deferred<void> stop() override {
        loop_.stop();
        if (!ended_) return ready();
        return *std::exchange(ended_, std::nullopt);
    }
    /// False once a failure has ended the calls.
    bool healthy() const override { return healthy_; }

private:
    World& world_;
    std::string name_;
    base::Duration interval_;
    TimerServiceOptions options_;
    LoopingCall loop_;
    std::optional<Deferred<void>> ended_;
    bool healthy_ = true;
};

}  // namespace reactor
