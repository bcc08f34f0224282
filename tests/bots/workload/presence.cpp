// presence: everybody has contacts and changes status. The subscriptions are made first, once: they
// stay in the rosters for the next run.
#include "reactor/combine.h"
#include "reactor/reactor.h"
#include "tests/bots/run/crew.h"
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/common_keys.h"
#include "tests/bots/workload/pacer.h"
#include "tests/bots/workload/ring.h"
#include "xmpp/core/namespaces.h"

#include <fmt/format.h>
#include <algorithm>
#include <vector>

namespace bots {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kLook = 20ms;
/// Without progress for so long, the subscriptions will not come about.
constexpr base::Duration kPatience = 30s;
constexpr std::size_t kRostersAtOnce = 50;

constexpr server::IntegerKey kContacts{
    "contacts", 20, 2, 2000,
    "Contacts of each user, an even number; everybody sees their status and they see everybody's."};
constexpr server::IntegerKey kRate{
    "rate", 50, 1, keys::kRateMax,
    "Changes of status per second, all users together; each goes to all contacts."};

class Statuses final : public Workload {
public:
    Statuses(Crew& crew, const Settings& settings)
        : crew_(crew),
          ring_(crew.plan().users, static_cast<std::uint32_t>(settings.get(kContacts))),
          rate_(static_cast<std::uint64_t>(settings.get(kRate))),
          own_(crew.bots()),
          mutual_(own_.size() * ring_.contacts(), false),
          missing_(mutual_.size()) {
        crew.announce(false);
    }

    /// Rosters and presence before subscriptions: who has not asked for the roster is told nothing
    /// about it (RFC 6121 §2.1.6).
    std::uint32_t preparation_steps() const override { return 2; }
    reactor::Deferred<void> prepare(std::uint32_t step) override {
        return step == 0 ? fetch_rosters() : subscribe();
    }

    reactor::Deferred<void> run(RunTimes times) override {
        const BotNumber users = crew_.plan().users;
        pacer_ = std::make_unique<Pacer>(
            Pacer::Parts{crew_.world(), crew_.plan().make_alarm, rate_,
                         Turns((users + 1) / 2, crew_.shard(), crew_.shards()), crew_.plan().drain},
            [this, users](const Turns::Turn& turn, base::MonotonicTime due) {
                const BotNumber bot = 2 * turn.lane + static_cast<BotNumber>(turn.round % 2);
                change_status(bot < users ? bot : bot - 1, turn.round, due);
                return Pacer::Sent::yes;
            },
            [](const Turns::Turn&, base::MonotonicTime) {});
        return pacer_->run(times);
    }

    void on_presence(BotNumber bot, const xmpp::Stanza& presence) override {
        if (presence.presence_type() == xmpp::PresenceType::subscribe && presence.from()) {
            xmpp::Stanza yes = xmpp::Stanza::presence(xmpp::PresenceType::subscribed);
            crew_.send(bot, yes.set_to(presence.from()->bare()));
            return;
        }
        auto stamp = MessageStamp::parse(presence.id());
        const bool status = presence.presence_type() == xmpp::PresenceType::available;
        if (!stamp || !status || stamp->sender == bot) return;  // One's own comes back as well.
        stamp->receiver = bot;  // One stanza for all contacts: it names none.
        crew_.book_arrival(*stamp, bot);
    }

    std::optional<xmpp::Stanza> on_request(BotNumber bot, const xmpp::Stanza& iq) override {
        const xmpp::Element* query = iq.child("query", xmpp::ns::roster);
        if (iq.iq_type() != xmpp::IqType::set || !query) return std::nullopt;
        note_items(bot, *query);
        return iq.reply_result();
    }

private:
    std::size_t slot(BotNumber bot, std::uint32_t place) const {
        return place_on_shard(bot, crew_.shards()) * ring_.contacts() + place;
    }

    void note_items(BotNumber bot, const xmpp::Element& query) {
        for (const xmpp::Element& item : query.children()) {
            if (item.attribute("subscription") != "both") continue;
            const auto jid = xmpp::Jid::parse(item.attribute("jid"));
            if (!jid) continue;
            const auto other = crew_.plan().names.number_of(*jid, crew_.plan().users);
            const auto place = other ? ring_.place_of(bot, *other) : std::nullopt;
            if (!place || mutual_[slot(bot, *place)]) continue;
            mutual_[slot(bot, *place)] = true;
            --missing_;
        }
    }

    reactor::Deferred<void> fetch_rosters() {
        std::vector<reactor::Deferred<void>> parts;
        std::size_t next = 0;
        for (std::size_t worker = 0; worker < std::min(kRostersAtOnce, own_.size()); ++worker)
            parts.push_back(fetch_some(next));
        auto all = reactor::when_all(std::move(parts));
        const auto done = co_await std::move(all);
        co_return done;
    }

    reactor::Deferred<void> fetch_some(std::size_t& next) {
        while (next < own_.size()) {
            const BotNumber bot = own_[next++];
            if (!crew_.online(bot)) continue;
            xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::get, "");
            iq.edit().add_child("query", xmpp::ns::roster);
            auto asking = crew_.request(bot, std::move(iq));
            const auto roster = co_await std::move(asking);
            if (!roster) co_return roster.error().with("the roster cannot be fetched");
            if (const auto* query = roster->child("query", xmpp::ns::roster))
                note_items(bot, *query);
            crew_.send_xml(bot, "<presence/>");
        }
        co_return {};
    }

    /// Each side asks for itself and grants what it is asked.
    reactor::Deferred<void> subscribe() {
        for (const BotNumber bot : own_)
            for (std::uint32_t place = 0; place < ring_.contacts(); ++place) {
                if (mutual_[slot(bot, place)]) continue;
                while (crew_.online(bot) && !crew_.can_send(bot))
                    co_await reactor::sleep(crew_.world().reactor, kLook);
                xmpp::Stanza ask = xmpp::Stanza::presence(xmpp::PresenceType::subscribe);
                const BotNumber contact = ring_.contact(bot, place);
                crew_.send(bot, ask.set_to(crew_.plan().names.bare(contact)));
            }
        std::size_t seen = missing_;
        base::MonotonicTime progress = crew_.now();
        while (missing_ > 0) {
            if (missing_ != seen) progress = crew_.now();
            seen = missing_;
            if (crew_.now() - progress > kPatience)
                co_return base::Failure(base::Errc::timed_out,
                                        fmt::format("{} of {} subscriptions did not come about",
                                                    missing_, mutual_.size()));
            co_await reactor::sleep(crew_.world().reactor, kLook);
        }
        co_return {};
    }

    void change_status(BotNumber bot, std::uint64_t round, base::MonotonicTime due) {
        Ledger& ledger = crew_.ledger();
        MessageStamp stamp;
        for (std::uint32_t place = 0; place < ring_.contacts(); ++place)
            stamp = ledger.stamp(bot, ring_.contact(bot, place), due);
        text_ = "<presence id='";
        stamp.append_to(text_);
        text_ +=
            round % 4 < 2 ? "'><show>away</show><status>Back in a while (" : "'><status>Here (";
        text_ += fmt::format("{})</status></presence>", round);
        if (crew_.send_xml(bot, text_)) return;
        crew_.count_error("status not sent: its sender was offline");
        for (std::uint32_t place = 0; place < ring_.contacts(); ++place)
            ledger.refused(bot, ring_.contact(bot, place), stamp.sequence);
    }

    Crew& crew_;
    Ring ring_;
    std::uint64_t rate_;
    std::vector<BotNumber> own_;
    std::vector<bool> mutual_;  // By own bot and place: the subscription is there, both ways.
    std::size_t missing_;
    std::string text_;
    std::unique_ptr<Pacer> pacer_;
};

}  // namespace

WorkloadSpec describe_presence() {
    return {.name = "presence",
            .summary = "everybody has contacts and changes status",
            .help =
                "Everybody logs in with a roster of the same size, made first if it is not "
                "there, and changes status now and then. Each change goes to all contacts; "
                "each that arrives counts as a message.",
            .keys = {&keys::kUsers, &kContacts, &kRate, &keys::kDuration, &keys::kWarmup,
                     &keys::kLoginsAtOnce, &keys::kRamp, &keys::kDrain},
            .create = [](Crew& crew, const Settings& settings) -> std::unique_ptr<Workload> {
                return std::make_unique<Statuses>(crew, settings);
            }};
}

}  // namespace bots
