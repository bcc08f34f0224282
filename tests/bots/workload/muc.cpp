// muc: people talk in rooms (XEP-0045). Everything that is said goes to everybody in the room, who
// said it included; each of these deliveries counts as a message.
#include "reactor/reactor.h"
#include "tests/bots/run/crew.h"
#include "tests/bots/run/message_text.h"
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/common_keys.h"
#include "tests/bots/workload/muc_doors.h"
#include "tests/bots/workload/muc_seats.h"
#include "tests/bots/workload/pacer.h"
#include "tests/bots/workload/while.h"

#include <memory>
#include <unordered_map>
#include <vector>

namespace bots {
namespace {

constexpr server::IntegerKey kUsers{
    "users", 100, 2, keys::kUsersMax,
    "How many users; each has one session and is in one room. So many for each room, that is."};
constexpr server::IntegerKey kRooms{"rooms", 1, 1, 100'000,
                                    "How many rooms the users are dealt to, two by two."};
constexpr server::IntegerKey kRate{
    "rate", 20, 1, keys::kRateMax,
    "What is said per second, in all rooms together, in an open loop; everybody has their turn."};
constexpr server::IntegerKey kWindow{
    "window", 4, 1, 10'000,
    "What is on its way per room in a closed loop: when something has reached everybody, the next "
    "one speaks."};
constexpr server::IntegerKey kJoinsAtOnce{"joins_at_once", 20, 1, keys::kUsersMax,
                                          "How many enter their rooms at a time."};
constexpr server::IntegerKey kReentries{
    "reentries", 10, 0, 10'000,
    "How many leave and enter again, one after the other, when all rooms are full: shows how long "
    "entering a room of that size takes."};

class Muc final : public Workload {
public:
    Muc(Crew& crew, const Settings& settings)
        : crew_(crew),
          seats_(crew.plan().users, static_cast<std::uint32_t>(settings.get(kRooms))),
          doors_(crew, seats_),
          closed_(settings.get(keys::kLoop) == keys::Loop::closed),
          rate_(static_cast<std::uint64_t>(settings.get(kRate))),
          window_(static_cast<std::uint32_t>(settings.get(kWindow))),
          joins_at_once_(static_cast<std::size_t>(settings.get(kJoinsAtOnce))),
          reentries_(static_cast<std::uint32_t>(settings.get(kReentries))),
          body_(message_text(settings.get(keys::kBodyBytes))) {}

    std::uint32_t preparation_steps() const override { return 4; }
    reactor::Deferred<void> prepare(std::uint32_t step) override {
        if (step == 0) return doors_.find_service();
        if (step == 1) return doors_.make_rooms();
        if (step == 2) return doors_.enter_all(joins_at_once_);
        return reenter_some();
    }

    reactor::Deferred<void> run(RunTimes times) override {
        end_ = times.end;
        return closed_ ? run_closed(times) : run_open(times);
    }

    void on_presence(BotNumber bot, const xmpp::Stanza& presence) override {
        doors_.on_presence(bot, presence);
    }

    void on_refused(const MessageStamp& stamp) override {
        if (!crew_.is_here(stamp.sender)) return;
        seats_.each_occupant(seats_.room_of(stamp.sender), [&](BotNumber occupant) {
            crew_.ledger().refused(stamp.sender, occupant, stamp.sequence);
        });
        note_end_of(stamp);
    }

    void on_arrival(const MessageStamp& stamp, Ledger::Arrival verdict) override {
        if (!answering_ || verdict == Ledger::Arrival::duplicate) return;
        const auto found = under_way_.find(key_of(stamp));
        if (found == under_way_.end() || --found->second > 0) return;
        note_end_of(stamp);
    }

private:
    /// This shard's part of a room.
    struct Part {
        std::vector<BotNumber> occupants;
        std::size_t next = 0;
    };

    // A bot has its number of messages in order, whoever gets them.
    static std::uint64_t key_of(const MessageStamp& stamp) {
        return (std::uint64_t{stamp.sender} << 32) | (stamp.sequence & 0xFFFFFFFFU);
    }

    reactor::Deferred<void> reenter_some() {
        const std::vector<BotNumber> bots = crew_.bots();
        // One after the other on all shards.
        for (std::uint32_t i = 0; i < reentries_ && crew_.shard() == 0; ++i) {
            auto entering = doors_.reenter(bots[bots.size() - 1 - i % bots.size()]);
            const auto entered = co_await std::move(entering);
            if (!entered) co_return entered;
        }
        co_return {};
    }

    MessageStamp stamp_for_all(BotNumber from, base::MonotonicTime due) {
        MessageStamp stamp;
        seats_.each_occupant(seats_.room_of(from), [&](BotNumber occupant) {
            stamp = crew_.ledger().stamp(from, occupant, due);
        });
        stamp.receiver = from;  // For an error; else it is everybody's.
        return stamp;
    }

    MessageStamp say(BotNumber from, base::MonotonicTime due) {
        const MessageStamp stamp = stamp_for_all(from, due);
        text_ = "<message to='";
        text_ += doors_.room_of(from);
        text_ += "' type='groupchat' id='";
        stamp.append_to(text_);
        text_ += "'><body>";
        text_ += body_;
        text_ += "</body></message>";
        if (!crew_.send_xml(from, text_)) {
            crew_.count_error("message not sent: its sender was offline");
            on_refused(stamp);
        }
        return stamp;
    }

    reactor::Deferred<void> run_open(RunTimes times) {
        const BotNumber users = crew_.plan().users;
        const auto sender_of = [users](const Turns::Turn& turn) {
            const BotNumber bot = 2 * turn.lane + static_cast<BotNumber>(turn.round % 2);
            return bot < users ? bot : bot - 1;
        };
        pacer_ = std::make_unique<Pacer>(
            Pacer::Parts{crew_.world(), crew_.plan().make_alarm, rate_,
                         Turns(seats_.pairs(), crew_.shard(), crew_.shards()), crew_.plan().drain},
            [this, sender_of](const Turns::Turn& turn, base::MonotonicTime due) {
                const BotNumber from = sender_of(turn);
                if (crew_.online(from) && !crew_.can_send(from)) return Pacer::Sent::later;
                say(from, due);
                return Pacer::Sent::yes;
            },
            [this, sender_of](const Turns::Turn& turn, base::MonotonicTime due) {
                on_refused(stamp_for_all(sender_of(turn), due));
                crew_.count_error("message not sent: the server did not take it in time");
            });
        return pacer_->run(times);
    }

    /// The shard of a room's founder has its occupants there speak: the window is the room's.
    reactor::Deferred<void> run_closed(RunTimes times) {
        const base::Duration wait = times.start - crew_.now();
        if (wait > base::Duration::zero()) co_await reactor::sleep(crew_.world().reactor, wait);
        const While answering(answering_);
        for (std::uint32_t room = 0; room < seats_.rooms(); ++room) {
            if (!crew_.is_here(seats_.founder_of(room))) continue;
            Part& part = parts_[room];
            part.occupants = seats_.occupants_on(room, crew_.shard(), crew_.shards());
            for (std::uint32_t place = 0; place < window_; ++place)
                say_next(part);
        }
        co_await reactor::sleep(crew_.world().reactor, times.end - crew_.now());
        co_return {};
    }

    void say_next(Part& part) {
        const BotNumber from = part.occupants[part.next++ % part.occupants.size()];
        const MessageStamp stamp = say(from, crew_.now());
        if (crew_.online(from)) under_way_[key_of(stamp)] = part.occupants.size();
    }

    // It has reached everybody here, or nobody.
    void note_end_of(const MessageStamp& stamp) {
        if (under_way_.erase(key_of(stamp)) == 0 || !answering_ || crew_.now() >= end_) return;
        const auto part = parts_.find(seats_.room_of(stamp.sender));
        if (part != parts_.end()) say_next(part->second);
    }

    Crew& crew_;
    MucSeats seats_;
    MucDoors doors_;
    bool closed_;
    std::uint64_t rate_;
    std::uint32_t window_;
    std::size_t joins_at_once_;
    std::uint32_t reentries_;
    std::string body_;
    std::string text_;
    std::unique_ptr<Pacer> pacer_;
    std::unordered_map<std::uint32_t, Part> parts_;
    std::unordered_map<std::uint64_t, std::size_t> under_way_;
    base::MonotonicTime end_;
    bool answering_ = false;
};

}  // namespace

WorkloadSpec describe_muc() {
    return {.name = "muc",
            .summary = "everybody is in a room and talks there",
            .help =
                "Everybody logs in and enters one of the rooms, which are made for this run; then "
                "they talk in turns. What one says goes to everybody in the room, and each of "
                "these deliveries counts as a message: server CPU per message is that of one "
                "delivery, 4 µs are 0.4 s for 100,000. In an open loop the rate is fixed: it shows "
                "the latency at a load. In a closed loop the server sets the pace: it shows how "
                "much it can take. Entering is measured as well: join while all of them come in, "
                "reentry when the rooms are full. Servers limit the occupants of a room.",
            .keys = {&kUsers, &kRooms, &keys::kLoop, &kRate, &kWindow, &kJoinsAtOnce, &kReentries,
                     &keys::kDuration, &keys::kWarmup, &keys::kBodyBytes, &keys::kLoginsAtOnce,
                     &keys::kRamp, &keys::kDrain},
            .create = [](Crew& crew, const Settings& settings) -> std::unique_ptr<Workload> {
                return std::make_unique<Muc>(crew, settings);
            }};
}

}  // namespace bots
