// resume: everybody loses the connection, and all come back at once to resume their sessions
// (XEP-0198), as after an outage of the network or a restart of the server.
#include "reactor/reactor.h"
#include "reactor/task_set.h"
#include "tests/bots/run/crew.h"
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/common_keys.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstddef>
#include <utility>

namespace bots {
namespace {

using namespace std::chrono_literals;

enum class Outage : std::uint8_t { cut, restart };

constexpr server::IntegerKey kUsers{"users", 1000, 1, keys::kUsersMax, keys::kUsers.help};
constexpr server::IntegerKey kBackAtOnce{"logins_at_once", 500, 1, keys::kUsersMax,
                                         keys::kLoginsAtOnce.help};
constexpr server::DurationKey kDuration{
    "duration", 5min, 1s, keys::kDurationMax,
    "The longest that it may take; it ends when everybody is back."};
constexpr server::ChoiceKey<Outage> kOutage{
    "outage",
    Outage::cut,
    {"cut", "restart"},
    "cut: the bots break their connections. restart: they wait until somebody restarts the server, "
    "which must be done by hand (without --pid, as the server gets another one)."};

constexpr base::Duration kLookInterval = 5ms;
constexpr base::Duration kRetryAfter = 20ms;

class Resume final : public Workload {
public:
    Resume(Crew& crew, const Settings& settings)
        : crew_(crew), outage_(settings.get(kOutage)), coming_back_(crew.world().reactor) {}

    reactor::Deferred<void> run(RunTimes times) override {
        for (const BotNumber bot : crew_.bots())
            crew_.expect_end(bot);
        if (outage_ == Outage::cut)
            for (const BotNumber bot : crew_.bots())
                crew_.cut(bot);
        std::vector<BotNumber> there = crew_.bots();
        const std::size_t all = there.size();
        std::vector<BotNumber> away;
        while (back_ < all && crew_.now() < times.end) {
            const auto gone =
                std::ranges::partition(there, [this](BotNumber bot) { return crew_.online(bot); });
            if (!began_ && !gone.empty()) begin();
            away.insert(away.end(), gone.begin(), gone.end());
            there.erase(gone.begin(), gone.end());
            send_back(away, times.end);
            co_await reactor::sleep(crew_.world().reactor, kLookInterval);
        }
        if (fresh_ > 0)
            co_return base::fail(base::Errc::connection_lost,
                                 fmt::format("{} of {} sessions were not resumed", fresh_, all));
        co_return {};
    }

    void on_online(BotNumber, bool resumed) override {
        if (!began_) return;
        ++back_;
        if (!resumed) ++fresh_;
        const base::MonotonicTime now = crew_.now();
        crew_.extras().stretches["resume"].note(now);
        crew_.extras().stretches["return"].note(now);
        crew_.extras().latencies["resume"].record(now - *began_);
    }

private:
    void begin() {
        began_ = crew_.now();
        crew_.extras().stretches["resume"].note(*began_, 0);
    }

    // While the server is away one alone looks for it: ten thousand who knock keep it from
    // starting.
    void send_back(std::vector<BotNumber>& away, base::MonotonicTime end) {
        const bool is_there = outage_ == Outage::cut || back_ > 0;
        if (!is_there && std::exchange(looking_, looking_ || !away.empty())) return;
        const auto begin =
            is_there ? away.begin() : away.end() - std::min<std::ptrdiff_t>(1, std::ssize(away));
        for (auto bot = begin; bot != away.end(); ++bot)
            coming_back_.add("coming back", come_back_one(*bot, end));
        away.erase(begin, away.end());
    }

    reactor::Deferred<void> come_back_one(BotNumber bot, base::MonotonicTime end) {
        while (crew_.now() < end) {
            auto coming = crew_.log_in(bot);
            const auto came = co_await std::move(coming);
            if (came) co_return {};
            co_await reactor::sleep(crew_.world().reactor, kRetryAfter);
        }
        co_return {};
    }

    Crew& crew_;
    Outage outage_;
    std::optional<base::MonotonicTime> began_;
    bool looking_ = false;
    std::size_t back_ = 0;
    std::size_t fresh_ = 0;
    reactor::TaskSet coming_back_;
};

}  // namespace

WorkloadSpec describe_resume() {
    return {.name = "resume",
            .summary = "everybody loses the connection and resumes the session",
            .help =
                "Everybody logs in. Then all connections break, or the server is restarted, and "
                "everybody comes back at once; a session that cannot be resumed fails the run. "
                "The figures resume_* count from the first broken connection, return_* from the "
                "first resumption.",
            .keys = {&kUsers, &kBackAtOnce, &keys::kRamp, &kOutage, &kDuration},
            .create = [](Crew& crew, const Settings& settings) -> std::unique_ptr<Workload> {
                return std::make_unique<Resume>(crew, settings);
            }};
}

}  // namespace bots
