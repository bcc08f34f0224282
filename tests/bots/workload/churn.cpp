// churn: sessions come and go while others chat.
#include "reactor/combine.h"
#include "reactor/reactor.h"
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/chat_pairs.h"

#include <algorithm>
#include <vector>

namespace bots {
namespace {

using namespace std::chrono_literals;

constexpr server::IntegerKey kUsers{"users", 200, 4, keys::kUsersMax, keys::kUsers.help};
constexpr server::IntegerKey kShare{"churn_percent", 50, 1, 99,
                                    "How many of the users come and go; the others chat."};
constexpr server::DurationKey kStay{"stay", 5s, 10ms, 1h, "How long one stays online, on average."};
constexpr server::DurationKey kAway{"away", 2s, 0s, 1h, "How long one is away, on average."};
constexpr server::IntegerKey kRate{"rate", 500, 1, keys::kRateMax,
                                   "Messages per second of those who chat, together."};

class Churn final : public Workload {
public:
    Churn(Crew& crew, const Settings& settings)
        : crew_(crew),
          stay_(settings.get(kStay)),
          away_(settings.get(kAway)),
          talkers_(talkers_of(crew.plan().users, settings.get(kShare))),
          pairs_(crew, {.pairs = talkers_ / 2,
                        .loop = keys::Loop::open,
                        .rate = static_cast<std::uint64_t>(settings.get(kRate)),
                        .window = 0}) {}

    reactor::Deferred<void> run(RunTimes times) override {
        std::vector<reactor::Deferred<void>> parts;
        parts.push_back(pairs_.run(times));
        for (const BotNumber bot : crew_.bots())
            if (bot >= talkers_) parts.push_back(come_and_go(bot, times.end));
        return reactor::when_all(std::move(parts));
    }

    /// Everybody is there at the end, as at the beginning.
    reactor::Deferred<void> come_back() override {
        std::vector<BotNumber> away = crew_.bots();
        std::erase_if(away, [this](BotNumber bot) { return crew_.online(bot); });
        return crew_.log_in_all(std::move(away), crew_.plan().logins_at_once, 0);
    }

    void on_arrival(const MessageStamp& stamp, Ledger::Arrival verdict) override {
        pairs_.on_arrival(stamp, verdict);
    }

private:
    static BotNumber talkers_of(BotNumber users, std::int64_t churn_percent) {
        const auto churn = static_cast<BotNumber>(users * churn_percent / 100);
        return std::max<BotNumber>((users - churn) / 2 * 2, 2);
    }

    /// Half to one and a half times as long.
    base::Duration around(BotNumber bot, base::Duration average) {
        const auto permille = static_cast<std::int64_t>(500 + crew_.draw(bot) % 1001);
        return average * permille / 1000;
    }

    reactor::Deferred<void> come_and_go(BotNumber bot, base::MonotonicTime end) {
        reactor::Reactor& reactor = crew_.world().reactor;
        for (;;) {
            const base::Duration stay = around(bot, stay_);
            if (crew_.now() + stay >= end) co_return {};
            co_await reactor::sleep(reactor, stay);
            auto leaving = crew_.log_out(bot);
            co_await std::move(leaving);
            const base::Duration left = std::max(end - crew_.now(), base::Duration(0));
            co_await reactor::sleep(reactor, std::min(around(bot, away_), left));
            if (crew_.now() >= end) co_return {};
            auto coming = crew_.log_in(bot);
            const auto came = co_await std::move(coming);
            if (came) crew_.extras().stretches["logins"].note(crew_.now());
        }
    }

    Crew& crew_;
    base::Duration stay_;
    base::Duration away_;
    BotNumber talkers_;
    ChatPairs pairs_;
};

}  // namespace

WorkloadSpec describe_churn() {
    return {.name = "churn",
            .summary = "sessions come and go while others chat",
            .help =
                "Everybody logs in. Some chat in pairs at a fixed rate; the others log out and "
                "in again all the time. Shows what logins do to the latency of messages.",
            .keys = {&kUsers, &kShare, &kStay, &kAway, &kRate, &keys::kDuration, &keys::kWarmup,
                     &keys::kBodyBytes, &keys::kAddress, &keys::kLoginsAtOnce, &keys::kRamp,
                     &keys::kDrain},
            .create = [](Crew& crew, const Settings& settings) -> std::unique_ptr<Workload> {
                return std::make_unique<Churn>(crew, settings);
            }};
}

}  // namespace bots
