// login: everybody logs in as fast as the server lets them, loses the connection, and all come back
// at once, as after an outage of the network.
#include "reactor/reactor.h"
#include "tests/bots/run/crew.h"
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/common_keys.h"

#include <utility>

namespace bots {
namespace {

using namespace std::chrono_literals;

constexpr server::IntegerKey kUsers{"users", 1000, 1, keys::kUsersMax, keys::kUsers.help};
constexpr server::DurationKey kDuration{
    "duration", 5min, 1s, keys::kDurationMax,
    "The longest that it may take; it ends when everybody is back."};
constexpr server::IntegerKey kBackAtOnce{
    "back_at_once", 0, 0, keys::kUsersMax,
    "Logins under way at a time when everybody comes back. 0: all of them."};
constexpr server::DurationKey kPause{"pause", 2s, 0s, 1h,
                                     "How long everybody stays online before the outage."};

class LoginStorm final : public Workload {
public:
    LoginStorm(Crew& crew, const Settings& settings)
        : crew_(crew),
          back_at_once_(static_cast<BotNumber>(settings.get(kBackAtOnce))),
          pause_(settings.get(kPause)) {
        if (back_at_once_ == 0) back_at_once_ = crew.plan().users;
    }

    bool in_ramp(BotNumber) const override { return false; }

    reactor::Deferred<void> run(RunTimes times) override {
        const Plan& plan = crew_.plan();
        auto storm = all_in("storm", plan.logins_at_once, plan.logins_per_s);
        const auto stormed = co_await std::move(storm);
        if (!stormed) co_return stormed;
        co_await reactor::sleep(crew_.world().reactor, pause_);
        if (crew_.now() >= times.end) co_return {};
        for (const BotNumber bot : crew_.bots())
            crew_.cut(bot);
        auto back = all_in("reconnect", back_at_once_, 0);
        const auto came = co_await std::move(back);
        co_return came;
    }

    void on_online(BotNumber, bool) override {
        const base::MonotonicTime now = crew_.now();
        crew_.extras().stretches[round_].note(now);
        crew_.extras().latencies[round_].record(now - began_);
    }

private:
    reactor::Deferred<void> all_in(std::string round, BotNumber at_once, BotNumber per_second) {
        round_ = std::move(round);
        began_ = crew_.now();
        crew_.extras().stretches[round_].note(began_, 0);
        return crew_.log_in_all(crew_.bots(), at_once, per_second);
    }

    Crew& crew_;
    BotNumber back_at_once_;
    base::Duration pause_;
    std::string round_;
    base::MonotonicTime began_;
};

}  // namespace

WorkloadSpec describe_login() {
    return {
        .name = "login",
        .summary = "a storm of logins, then everybody reconnects at once",
        .help =
            "Everybody logs in as fast as logins_at_once and the server let them (the "
            "storm). Then all connections break, and everybody comes back at once (the "
            "reconnect). The figures storm_* and reconnect_* count from the moment at which "
            "each began.",
        .keys = {&kUsers, &keys::kLoginsAtOnce, &keys::kRamp, &kPause, &kBackAtOnce, &kDuration},
        .create = [](Crew& crew, const Settings& settings) -> std::unique_ptr<Workload> {
            return std::make_unique<LoginStorm>(crew, settings);
        }};
}

}  // namespace bots
