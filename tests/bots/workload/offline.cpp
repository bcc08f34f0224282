// offline: messages to users who are not there, who then log in and collect them: as they come, or
// from the archive (XEP-0313) in one round trip.
#include "reactor/combine.h"
#include "reactor/reactor.h"
#include "tests/bots/run/crew.h"
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/common_keys.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/mam.h"

#include <fmt/format.h>
#include <vector>

namespace bots {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kLook = 5ms;

constexpr server::IntegerKey kUsers{
    "users", 100, 2, keys::kUsersMax,
    "How many users: one of two writes, the other is absent at first."};
constexpr server::IntegerKey kMessages{
    "messages", 50, 1, 100'000,
    "How many messages wait for each absent user. Servers have limits (100 is a common one)."};
constexpr server::DurationKey kDuration{
    "duration", 5min, 1s, keys::kDurationMax,
    "The longest that it may take; it ends when everybody has collected."};

enum class Collect : std::uint8_t { offline, archive };
constexpr server::ChoiceKey<Collect> kCollect{
    "collect",
    Collect::offline,
    {"offline", "archive"},
    "How the absent get their messages: offline: the server sends them when they log in. archive: "
    "they ask the archive for all of them in one page, before they say that they are there."};

class Offline final : public Workload {
public:
    Offline(Crew& crew, const Settings& settings)
        : crew_(crew), messages_(settings.get(kMessages)), collect_(settings.get(kCollect)) {
        crew.measure_latency_itself();
    }

    bool in_ramp(BotNumber bot) const override { return bot % 2 == 0; }

    reactor::Deferred<void> run(RunTimes times) override {
        co_await reactor::sleep(crew_.world().reactor, times.start - crew_.now());
        crew_.extras().stretches["stored"].note(crew_.now(), 0);
        std::vector<reactor::Deferred<void>> writers;
        std::vector<BotNumber> absent;
        for (const BotNumber bot : crew_.bots()) {
            if (bot % 2 == 1) absent.push_back(bot);
            if (bot % 2 == 0 && partner_of(bot) < crew_.plan().users)
                writers.push_back(write_all(bot));
        }
        auto writing = reactor::when_all(std::move(writers));
        const auto written = co_await std::move(writing);
        if (!written) co_return written;

        crew_.extras().stretches["collected"].note(crew_.now(), 0);
        crew_.announce(collect_ == Collect::offline);
        const Plan& plan = crew_.plan();
        auto arriving = crew_.log_in_all(absent, plan.logins_at_once, plan.logins_per_s);
        const auto arrived = co_await std::move(arriving);
        if (!arrived) co_return arrived;
        if (collect_ == Collect::archive) {
            for (const BotNumber bot : absent) {
                auto reading = read_archive(bot);
                const auto read = co_await std::move(reading);
                if (!read) co_return read;
            }
        }
        Ledger& ledger = crew_.ledger();
        while (ledger.received_count() < ledger.sent() && crew_.now() < times.end)
            co_await reactor::sleep(crew_.world().reactor, kLook);
        co_return {};
    }

    void on_arrival(const MessageStamp& stamp, Ledger::Arrival) override {
        const base::MonotonicTime now = crew_.now();
        crew_.extras().stretches["collected"].note(now);
        crew_.record_latency(now - crew_.online_since(stamp.receiver));
    }

private:
    /// Settles when the server has taken all of it: an answer says that it has seen what was sent
    /// before the question (RFC 6120 §10.1).
    reactor::Deferred<void> write_all(BotNumber bot) {
        for (std::int64_t sent = 0; sent < messages_;) {
            if (crew_.online(bot) && !crew_.can_send(bot)) {
                co_await reactor::sleep(crew_.world().reactor, kLook);
                continue;
            }
            crew_.send_message(bot, partner_of(bot), crew_.now());
            ++sent;
        }
        xmpp::Stanza ping = xmpp::Stanza::iq(xmpp::IqType::get, "");
        ping.set_to(crew_.plan().names.bare(bot).domain_jid());
        ping.edit().add_child("ping", xmpp::ns::ping);
        auto asking = crew_.request(bot, std::move(ping));
        const auto answer = co_await std::move(asking);
        // A server without pings answers with an error, which is as good an answer.
        if (!answer && answer.error().is(base::Errc::timed_out))
            crew_.count_error("the server did not take the messages in time");
        crew_.extras().stretches["stored"].note(crew_.now(), static_cast<std::uint64_t>(messages_));
        co_return {};
    }

    /// One at a time: what is measured is how long one client waits.
    reactor::Deferred<void> read_archive(BotNumber bot) {
        xmpp::MamQuery query;
        query.page.before = "";  // The newest.
        query.page.max = static_cast<std::uint32_t>(messages_);
        xmpp::Stanza request = xmpp::Stanza::iq(xmpp::IqType::set, "");
        request.edit().add(query.to_element());
        const base::MonotonicTime asked = crew_.now();
        const std::uint64_t before = crew_.ledger().received_count();
        auto asking = crew_.request(bot, std::move(request));
        const auto answer = co_await std::move(asking);
        if (!answer) co_return answer.error();
        crew_.extras().latencies["catch_up"].record(crew_.now() - asked);
        const std::uint64_t got = crew_.ledger().received_count() - before;
        if (got < static_cast<std::uint64_t>(messages_))
            co_return base::fail(base::Errc::resource_exhausted,
                                 fmt::format("one page has {} of {} messages", got, messages_));
        crew_.client(bot).send_presence();
        co_return {};
    }

    Crew& crew_;
    std::int64_t messages_;
    Collect collect_;
};

}  // namespace

WorkloadSpec describe_offline() {
    return {.name = "offline",
            .summary = "messages to absent users, who then log in and collect",
            .help =
                "One of two users logs in and writes to the other, who is not there. When the "
                "server has taken everything (stored_per_s), the absent ones log in and "
                "collect (collected_per_s). Latency counts from the collector's login; catch_up_* "
                "is what one of them waits for its archive.",
            .keys = {&kUsers, &kMessages, &kCollect, &keys::kBodyBytes, &keys::kLoginsAtOnce,
                     &keys::kRamp, &kDuration, &keys::kDrain},
            .create = [](Crew& crew, const Settings& settings) -> std::unique_ptr<Workload> {
                return std::make_unique<Offline>(crew, settings);
            }};
}

}  // namespace bots
