#include "tests/bots/run/alarm.h"

#include "reactor/fd_watch.h"
#include "reactor/reactor.h"

#include <sys/timerfd.h>
#include <unistd.h>
#include <ctime>

namespace bots {
namespace {

class WheelAlarm final : public Alarm {
public:
    WheelAlarm(reactor::World& world, AlarmFunction function)
        : world_(world), timer_(std::move(function)) {}
    void set(base::MonotonicTime when) override { timer_.arm(world_.reactor.wheel(), when); }
    void cancel() override { timer_.cancel(); }

private:
    reactor::World& world_;
    reactor::CallbackTimer timer_;
};

class ExactAlarm final : public Alarm, private reactor::FdObserver {
public:
    ExactAlarm(reactor::World& world, int fd, AlarmFunction function)
        : function_(std::move(function)), fd_(fd), watch_(world.reactor, fd, *this) {}
    ~ExactAlarm() override { ::close(fd_); }

    void set(base::MonotonicTime when) override {
        // The kernel takes 0 for "off"; a time that has passed fires at once.
        const std::int64_t at = when.nanoseconds > 0 ? when.nanoseconds : 1;
        settime(at);
        set_ = true;
    }
    void cancel() override {
        if (set_) settime(0);
        set_ = false;
    }
    bool usable() const { return watch_.error() == 0; }

private:
    void settime(std::int64_t nanoseconds) {
        itimerspec spec{};
        spec.it_value.tv_sec = static_cast<std::time_t>(nanoseconds / 1'000'000'000);
        spec.it_value.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
        ::timerfd_settime(fd_, TFD_TIMER_ABSTIME, &spec, nullptr);
    }
    void on_fd_events(bool readable, bool, bool) override {
        std::uint64_t expirations = 0;
        // Set again since it fired: nothing to read, and it will be told again.
        if (!readable || ::read(fd_, &expirations, sizeof expirations) < 0 || !set_) return;
        set_ = false;
        function_();
    }

    AlarmFunction function_;
    int fd_;
    bool set_ = false;
    reactor::FdWatch watch_;
};

}  // namespace

std::unique_ptr<Alarm> make_wheel_alarm(reactor::World& world, AlarmFunction function) {
    return std::make_unique<WheelAlarm>(world, std::move(function));
}

std::unique_ptr<Alarm> make_exact_alarm(reactor::World& world, AlarmFunction function) {
    const int fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0) return make_wheel_alarm(world, std::move(function));
    return std::make_unique<ExactAlarm>(world, fd, std::move(function));
}

}  // namespace bots
