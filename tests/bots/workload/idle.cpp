// idle: sessions that do nothing, to see what one costs.
#include "reactor/reactor.h"
#include "tests/bots/run/crew.h"
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/common_keys.h"

namespace bots {
namespace {

using namespace std::chrono_literals;

constexpr server::IntegerKey kUsers{"users", 1000, 1, keys::kUsersMax, keys::kUsers.help};
constexpr server::DurationKey kDuration{"duration", 10s, 1ms, keys::kDurationMax,
                                        "How long everybody stays online and silent."};

class Idle final : public Workload {
public:
    explicit Idle(Crew& crew) : crew_(crew) {}

    reactor::Deferred<void> run(RunTimes times) override {
        return reactor::sleep(crew_.world().reactor, times.end - crew_.now());
    }

private:
    Crew& crew_;
};

}  // namespace

WorkloadSpec describe_idle() {
    return {.name = "idle",
            .summary = "hold sessions that do nothing",
            .help =
                "Everybody logs in, says that they are there, and is silent. Shows what an "
                "online user costs the server in memory (give its --pid), how fast it takes "
                "logins, and that it keeps the sessions.",
            .keys = {&kUsers, &kDuration, &keys::kLoginsAtOnce, &keys::kRamp},
            .create = [](Crew& crew, const Settings&) -> std::unique_ptr<Workload> {
                return std::make_unique<Idle>(crew);
            }};
}

}  // namespace bots
