// iq: everybody asks the server small questions.
#include "reactor/reactor.h"
#include "tests/bots/run/crew.h"
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/common_keys.h"
#include "tests/bots/workload/pacer.h"
#include "xmpp/core/namespaces.h"

namespace bots {
namespace {

enum class Question : std::uint8_t { mixed, ping, disco, roster };

constexpr server::ChoiceKey<Question> kQuestion{
    "question",
    Question::mixed,
    {"mixed", "ping", "disco", "roster"},
    "What is asked: whether the server is there (XEP-0199), what it can do (XEP-0030), one's own "
    "roster, or these in turns."};
constexpr server::IntegerKey kRate{"rate", 500, 1, keys::kRateMax,
                                   "Questions per second, all users together, in an open loop."};
constexpr server::IntegerKey kWindow{"window", 1, 1, 1000,
                                     "Questions under way per user in a closed loop."};

xmpp::Stanza question(Question kind, const std::string& domain) {
    xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::get, "");
    if (kind == Question::roster) {
        iq.edit().add_child("query", xmpp::ns::roster);
        return iq;
    }
    iq.set_to(xmpp::Jid::make("", domain).value_or(xmpp::Jid()));
    if (kind == Question::ping)
        iq.edit().add_child("ping", xmpp::ns::ping);
    else
        iq.edit().add_child("query", xmpp::ns::disco_info);
    return iq;
}

class Questions final : public Workload {
public:
    Questions(Crew& crew, const Settings& settings)
        : crew_(crew),
          kind_(settings.get(kQuestion)),
          loop_(settings.get(keys::kLoop)),
          rate_(static_cast<std::uint64_t>(settings.get(kRate))),
          window_(settings.get(kWindow)) {}

    reactor::Deferred<void> run(RunTimes times) override {
        if (loop_ == keys::Loop::open) return run_open(times);
        return run_closed(times);
    }

    void on_answer(BotNumber bot, bool) override {
        const base::MonotonicTime now = crew_.now();
        if (loop_ == keys::Loop::closed && now < end_) ask(bot, now);
    }

private:
    reactor::Deferred<void> run_open(RunTimes times) {
        const BotNumber users = crew_.plan().users;
        pacer_ = std::make_unique<Pacer>(
            Pacer::Parts{crew_.world(), crew_.plan().make_alarm, rate_,
                         Turns((users + 1) / 2, crew_.shard(), crew_.shards()),
                         base::Duration::zero()},
            [this, users](const Turns::Turn& turn, base::MonotonicTime due) {
                const BotNumber bot = 2 * turn.lane + static_cast<BotNumber>(turn.round % 2);
                ask(bot < users ? bot : bot - 1, due);
                return Pacer::Sent::yes;
            },
            [](const Turns::Turn&, base::MonotonicTime) {});
        return pacer_->run(times);
    }

    reactor::Deferred<void> run_closed(RunTimes times) {
        co_await reactor::sleep(crew_.world().reactor, times.start - crew_.now());
        end_ = times.end;
        const Stop stop(end_);
        for (const BotNumber bot : crew_.bots())
            for (std::int64_t place = 0; place < window_; ++place)
                if (crew_.online(bot)) ask(bot, crew_.now());
        co_await reactor::sleep(crew_.world().reactor, times.end - crew_.now());
        co_return {};
    }

    /// Ends the loop also when the run is cancelled.
    struct Stop {
        explicit Stop(base::MonotonicTime& the_end) : end(the_end) {}
        Stop(const Stop&) = delete;
        Stop& operator=(const Stop&) = delete;
        ~Stop() { end = {}; }
        base::MonotonicTime& end;
    };

    void ask(BotNumber bot, base::MonotonicTime due) {
        Question kind = kind_;
        if (kind == Question::mixed) kind = static_cast<Question>(1 + asked_++ % 3);
        crew_.ask(bot, question(kind, crew_.plan().names.domain()), due);
    }

    Crew& crew_;
    Question kind_;
    keys::Loop loop_;
    std::uint64_t rate_;
    std::int64_t window_;
    std::uint64_t asked_ = 0;
    base::MonotonicTime end_;
    std::unique_ptr<Pacer> pacer_;
};

}  // namespace

WorkloadSpec describe_iq() {
    return {.name = "iq",
            .summary = "everybody asks the server small questions",
            .help =
                "Everybody logs in and asks the server: pings, what it can do, their roster. "
                "An answer counts as a message; a question that is not answered is lost.",
            .keys = {&keys::kUsers, &kQuestion, &keys::kLoop, &kRate, &kWindow, &keys::kDuration,
                     &keys::kWarmup, &keys::kLoginsAtOnce, &keys::kRamp, &keys::kDrain},
            .create = [](Crew& crew, const Settings& settings) -> std::unique_ptr<Workload> {
                return std::make_unique<Questions>(crew, settings);
            }};
}

}  // namespace bots
