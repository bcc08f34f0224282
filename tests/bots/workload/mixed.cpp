// mixed: the day of people with phones, compressed into the length of the run.
#include "reactor/combine.h"
#include "reactor/reactor.h"
#include "reactor/task_set.h"
#include "tests/bots/run/crew.h"
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/common_keys.h"
#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <array>
#include <vector>

namespace bots {
namespace {

using namespace std::chrono_literals;

constexpr server::DurationKey kDuration{"duration", 1min, 1s, keys::kDurationMax,
                                        "How long the day takes."};
constexpr server::IntegerKey kMessages{"messages", 60, 1, 100'000,
                                       "Messages that each user writes in the day."};
constexpr server::IntegerKey kGlances{
    "glances", 12, 0, 10'000,
    "How often the phone comes out of the pocket or goes back: a change of presence."};
constexpr server::IntegerKey kRequests{"requests", 6, 0, 10'000,
                                       "Questions to the server: roster, features, pings."};
constexpr server::IntegerKey kLosses{
    "losses", 4, 0, 10'000,
    "How often the network is lost for a while (a hundredth of the day). With stream management "
    "(XEP-0198) the connection just breaks and the session is resumed. Without, nobody could tell "
    "what was lost with it, so the phone logs out and in again."};
constexpr server::IntegerKey kNights{"offline", 1, 0, 10'000,
                                     "How often the phone is off, for a twentieth of the day."};

class Day final : public Workload {
public:
    Day(Crew& crew, const Settings& settings)
        : crew_(crew), background_(crew.bots().size() + 1, false), tasks_(crew.world().reactor) {
        weights_ = {settings.get(kMessages), settings.get(kGlances), settings.get(kRequests),
                    settings.get(kLosses), settings.get(kNights)};
        for (const std::int64_t weight : weights_)
            events_ += weight;
    }

    reactor::Deferred<void> run(RunTimes times) override {
        day_ = times.end - times.start;
        std::vector<reactor::Deferred<void>> lives;
        for (const BotNumber bot : crew_.bots())
            lives.push_back(live(bot, times));
        return reactor::when_all(std::move(lives));
    }

    /// The phones that are off are switched on, so that what waits for them is not taken for lost.
    reactor::Deferred<void> come_back() override {
        std::vector<BotNumber> away = crew_.bots();
        std::erase_if(away, [this](BotNumber bot) { return crew_.online(bot); });
        return crew_.log_in_all(std::move(away), crew_.plan().logins_at_once, 0);
    }

    void on_online(BotNumber bot, bool resumed) override {
        if (!resumed) tasks_.add("roster", fetch_roster(bot));
    }

private:
    enum Event : std::size_t { message, glance, question, loss, night, kEvents };

    Event draw_event(BotNumber bot) {
        auto left =
            static_cast<std::int64_t>(crew_.draw(bot) % static_cast<std::uint64_t>(events_));
        for (std::size_t event = 0; event < kEvents; ++event) {
            if (left < weights_[event]) return static_cast<Event>(event);
            left -= weights_[event];
        }
        return message;
    }

    /// 0 to twice as long.
    base::Duration about(BotNumber bot, base::Duration average) {
        return average * static_cast<std::int64_t>(crew_.draw(bot) % 2001) / 1000;
    }

    /// About that part of the day, and not into the next one.
    base::Duration break_of(BotNumber bot, int part, base::MonotonicTime end) {
        return std::min(about(bot, day_ / part), std::max(end - crew_.now(), base::Duration(0)));
    }

    reactor::Deferred<void> live(BotNumber bot, RunTimes times) {
        reactor::Reactor& reactor = crew_.world().reactor;
        co_await reactor::sleep(reactor, times.start - crew_.now());
        for (;;) {
            const base::Duration pause = about(bot, day_ / events_);
            if (crew_.now() + pause >= times.end) co_return {};
            co_await reactor::sleep(reactor, pause);
            if (!crew_.online(bot)) {
                auto coming = crew_.log_in(bot);
                co_await std::move(coming);
                continue;
            }
            switch (draw_event(bot)) {
                case glance:
                    look(bot);
                    break;
                case question:
                    ask(bot);
                    break;
                case loss: {
                    auto losing = be_away(bot, break_of(bot, 100, times.end), true);
                    co_await std::move(losing);
                    break;
                }
                case night: {
                    auto sleeping = be_away(bot, break_of(bot, 20, times.end), false);
                    co_await std::move(sleeping);
                    break;
                }
                default:
                    write(bot);
            }
        }
    }

    void write(BotNumber bot) {
        if (partner_of(bot) < crew_.plan().users && crew_.can_send(bot))
            crew_.send_message(bot, partner_of(bot), crew_.now());
    }

    void look(BotNumber bot) {
        std::vector<bool>::reference in_pocket = background_[place_on_shard(bot, crew_.shards())];
        in_pocket = !in_pocket;
        crew_.send_xml(bot, in_pocket ? "<presence><show>away</show></presence>" : "<presence/>");
    }

    void ask(BotNumber bot) {
        xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::get, "");
        iq.set_to(crew_.plan().names.bare(bot).domain_jid());
        if (crew_.draw(bot) % 2 == 0)
            iq.edit().add_child("ping", xmpp::ns::ping);
        else
            iq.edit().add_child("query", xmpp::ns::disco_info);
        tasks_.add("question", wait_for(bot, std::move(iq)));
    }

    reactor::Deferred<void> fetch_roster(BotNumber bot) {
        xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::get, "");
        iq.edit().add_child("query", xmpp::ns::roster);
        return wait_for(bot, std::move(iq));
    }

    reactor::Deferred<void> wait_for(BotNumber bot, xmpp::Stanza iq) {
        auto asking = crew_.request(bot, std::move(iq));
        const auto answer = co_await std::move(asking);
        // A phone that goes away does not get its answer.
        const bool fault = !answer && !answer.error().is(base::Errc::connection_lost) &&
                           !answer.error().is(base::Errc::connection_done) && crew_.online(bot);
        if (fault) crew_.count_error("request: " + answer.error().message());
        co_return {};
    }

    reactor::Deferred<void> be_away(BotNumber bot, base::Duration how_long, bool suddenly) {
        if (suddenly && crew_.client(bot).stream_management()) {
            crew_.cut(bot);
        } else {
            auto leaving = crew_.log_out(bot);
            co_await std::move(leaving);
        }
        co_await reactor::sleep(crew_.world().reactor, how_long);
        auto coming = crew_.log_in(bot);
        co_await std::move(coming);  // Its failure is booked; the next event tries again.
        co_return {};
    }

    Crew& crew_;
    std::array<std::int64_t, kEvents> weights_{};
    std::int64_t events_ = 0;
    base::Duration day_{};
    std::vector<bool> background_;  // By own bot: in the pocket.
    reactor::TaskSet tasks_;
};

}  // namespace

WorkloadSpec describe_mixed() {
    return {
        .name = "mixed",
        .summary = "the day of people with phones, compressed",
        .help =
            "Everybody logs in, fetches the roster and lives through a day: writes to a "
            "partner, puts the phone away and takes it out, asks the server this and that, "
            "loses the network and comes back, switches off and collects what waited.",
        .keys = {&keys::kUsers, &kDuration, &kMessages, &kGlances, &kRequests, &kLosses, &kNights,
                 &keys::kBodyBytes, &keys::kLoginsAtOnce, &keys::kRamp, &keys::kDrain},
        .create = [](Crew& crew, const Settings& settings) -> std::unique_ptr<Workload> {
            return std::make_unique<Day>(crew, settings);
        }};
}

}  // namespace bots
