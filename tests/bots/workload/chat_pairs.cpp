#include "tests/bots/workload/chat_pairs.h"

#include "reactor/reactor.h"
#include "tests/bots/workload/while.h"

namespace bots {
ChatPairs::ChatPairs(Crew& crew, Options options)
    : crew_(crew), options_(options), turns_(options.pairs, crew.shard(), crew.shards()) {}

reactor::Deferred<void> ChatPairs::run(RunTimes times) {
    end_ = times.end;
    if (options_.loop == keys::Loop::closed) {
        const base::Duration wait = times.start - crew_.now();
        if (wait > base::Duration::zero()) co_await reactor::sleep(crew_.world().reactor, wait);
        const While answering(answering_);
        open_windows();
        co_await reactor::sleep(crew_.world().reactor, times.end - crew_.now());
        co_return {};
    }
    // Both ends of a pair take turns.
    const auto sender_of = [](const Turns::Turn& turn) {
        return 2 * turn.lane + static_cast<BotNumber>(turn.round % 2);
    };
    pacer_ = std::make_unique<Pacer>(
        Pacer::Parts{crew_.world(), crew_.plan().make_alarm, options_.rate, turns_,
                     crew_.plan().drain},
        [this, sender_of](const Turns::Turn& turn, base::MonotonicTime due) {
            const BotNumber from = sender_of(turn);
            if (crew_.online(from) && !crew_.can_send(from)) return Pacer::Sent::later;
            crew_.send_message(from, partner_of(from), due);
            return Pacer::Sent::yes;
        },
        [this, sender_of](const Turns::Turn& turn, base::MonotonicTime due) {
            const BotNumber from = sender_of(turn);
            crew_.give_up(from, partner_of(from), due);
        });
    auto pacing = pacer_->run(times);
    const auto paced = co_await std::move(pacing);
    co_return paced;
}

void ChatPairs::open_windows() {
    for (std::uint32_t own = 0; own < turns_.own_lanes(); ++own) {
        const std::uint32_t lane = turns_.turn(own).lane;
        for (std::uint32_t place = 0; place < options_.window; ++place) {
            const BotNumber from = 2 * lane + place % 2;
            crew_.send_message(from, partner_of(from), crew_.now());
        }
    }
}

void ChatPairs::on_arrival(const MessageStamp& stamp, Ledger::Arrival verdict) {
    if (!answering_ || stamp.receiver / 2 >= options_.pairs) return;
    if (verdict == Ledger::Arrival::duplicate) return;
    const base::MonotonicTime now = crew_.now();
    if (now < end_) crew_.send_message(stamp.receiver, stamp.sender, now);
}

}  // namespace bots
