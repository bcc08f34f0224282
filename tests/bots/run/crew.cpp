#include "tests/bots/run/crew.h"

#include "reactor/base/check.h"
#include "reactor/combine.h"
#include "reactor/reactor.h"
#include "tests/bots/run/crew_bot.h"
#include "tests/bots/run/message_text.h"
#include "tests/bots/workload/common_keys.h"
#include "xmpp/payloads/mam.h"

#include <algorithm>
#include <utility>

namespace bots {
namespace {

/// This shard's part of something that is so many on all of them; at least one.
std::size_t share_of(BotNumber all, std::uint32_t shard, std::uint32_t shards) {
    const std::size_t share = all / shards + (all % shards > shard ? 1 : 0);
    return std::max<std::size_t>(share, 1);
}

}  // namespace

Crew::Crew(reactor::World& world, const Plan& plan)
    : world_(world),
      plan_(plan),
      shard_(world.shards.current()),
      shards_(world.shards.count()),
      shared_({.world = world, .resolver = nullptr, .tls = plan.tls}),
      ledger_(plan.run_id),
      logins_at_once_(share_of(plan.logins_at_once, shard_, shards_), plan.users),
      asking_(world.reactor) {
    const Settings& settings = plan.settings;
    if (settings.has(keys::kBodyBytes.name)) body_ = message_text(settings.get(keys::kBodyBytes));
    if (settings.has(keys::kAddress.name))
        full_addresses_ = settings.get(keys::kAddress) == keys::Address::full;
    for (BotNumber pair = shard_; 2 * pair < plan.users; pair += shards_)
        for (const BotNumber bot : {2 * pair, 2 * pair + 1})
            if (bot < plan.users) bots_.emplace_back(*this, bot);
}

Crew::~Crew() {
    closing_ = true;
    asking_.cancel_all();
    // Its coroutines use the clients.
    workload_.reset();
}

std::vector<BotNumber> Crew::bots() const {
    std::vector<BotNumber> numbers;
    numbers.reserve(bots_.size());
    for (const Bot& bot : bots_)
        numbers.push_back(bot.number);
    return numbers;
}

bool Crew::is_here(BotNumber bot) const {
    return bot < plan_.users && shard_of(bot, shards_) == shard_;
}

Crew::Bot& Crew::at(BotNumber bot) {
    CHECK(is_here(bot));
    return bots_[place_on_shard(bot, shards_)];
}

const Crew::Bot& Crew::at(BotNumber bot) const {
    CHECK(is_here(bot));
    return bots_[place_on_shard(bot, shards_)];
}

bool Crew::online(BotNumber bot) const {
    return at(bot).online;
}

base::MonotonicTime Crew::online_since(BotNumber bot) const {
    return at(bot).online_since;
}

std::uint64_t Crew::draw(BotNumber bot) {
    return at(bot).chance.next();
}

Client& Crew::client(BotNumber bot) {
    Bot& here = at(bot);
    if (!here.client) here.client = std::make_unique<Client>(shared_, options_for(bot), here);
    return *here.client;
}

bool Crew::can_send(BotNumber bot) const {
    const Bot& here = at(bot);
    return here.online && here.client->unsent_bytes() < kUnsentBytesMax;
}

bool Crew::send_message(BotNumber from, BotNumber to, base::MonotonicTime intended) {
    const MessageStamp stamp = ledger_.stamp(from, to, intended);
    std::string& text = scratch_;
    text = "<message to='";
    if (full_addresses_)
        plan_.names.append_full(text, to);
    else
        plan_.names.append_bare(text, to);
    text += "' type='chat' id='";
    stamp.append_to(text);
    text += "'><body>";
    text += body_;
    text += "</body></message>";
    if (send_xml(from, text)) return true;
    ledger_.refused(from, to, stamp.sequence);
    count_error("message not sent: its sender was offline");
    return false;
}

void Crew::give_up(BotNumber from, BotNumber to, base::MonotonicTime intended) {
    const MessageStamp stamp = ledger_.stamp(from, to, intended);
    ledger_.refused(from, to, stamp.sequence);
    book_latency(stamp, now());
    count_error("message not sent: the server did not take it in time");
}

bool Crew::send(BotNumber from, const xmpp::Stanza& stanza) {
    Bot& here = at(from);
    if (!here.client || !here.client->send(stanza)) return false;
    ++tallies_.stanzas_sent;
    return true;
}

bool Crew::send_xml(BotNumber from, std::string_view stanza) {
    Bot& here = at(from);
    if (!here.client || !here.client->send_xml(stanza)) return false;
    ++tallies_.stanzas_sent;
    return true;
}

void Crew::ask(BotNumber from, xmpp::Stanza request, base::MonotonicTime intended) {
    const MessageStamp stamp = ledger_.stamp(from, from, intended);
    if (!online(from)) {
        ledger_.refused(from, from, stamp.sequence);
        count_error("request not sent: its sender was offline");
        return;
    }
    asking_.add("request", wait_for_answer(from, std::move(request), stamp));
}

reactor::Deferred<void> Crew::wait_for_answer(BotNumber from, xmpp::Stanza request_stanza,
                                              MessageStamp stamp) {
    auto asking = request(from, std::move(request_stanza));
    const auto answer = co_await std::move(asking);
    if (answer) {
        book_arrival(stamp, from);
    } else {
        count_error("request: " + answer.error().message());
        // What the server refused is no loss; what nobody answered is.
        const bool unanswered = answer.error().is(base::Errc::timed_out) ||
                                answer.error().is(base::Errc::connection_lost);
        if (!unanswered) ledger_.refused(from, from, stamp.sequence);
    }
    workload_->on_answer(from, answer.has_value());
    co_return {};
}

reactor::Deferred<xmpp::Stanza> Crew::request(BotNumber from, xmpp::Stanza request) {
    ++tallies_.stanzas_sent;
    auto asking = client(from).request(std::move(request));
    auto answer = co_await std::move(asking);
    if (answer) ++tallies_.stanzas_received;
    co_return answer;
}

Ledger::Arrival Crew::book_arrival(const MessageStamp& stamp, BotNumber receiver) {
    const Ledger::Arrival verdict = ledger_.received(stamp, receiver);
    if (verdict != Ledger::Arrival::fresh && verdict != Ledger::Arrival::reordered) return verdict;
    const base::MonotonicTime time = now();
    if (measured(time)) ++tallies_.arrivals_measured;
    // What waited for its receiver to come online says nothing about the server's speed.
    if (records_latency_ && stamp.intended >= at(receiver).online_since) book_latency(stamp, time);
    return verdict;
}

void Crew::book_latency(const MessageStamp& stamp, base::MonotonicTime time) {
    if (measured(stamp.intended)) latency_.record(time - stamp.intended);
}

void Crew::count_error(std::string_view what) {
    auto found = tallies_.errors.find(what);
    if (found == tallies_.errors.end()) {
        const bool room = tallies_.errors.size() < kErrorsMax;
        found = tallies_.errors.try_emplace(room ? std::string(what) : "other").first;
    }
    ++found->second;
}

// --- what the clients tell

void Crew::bot_online(Bot& bot, bool resumed) {
    if (!bot.online) ++tallies_.online;
    bot.online = true;
    bot.leaving = false;
    bot.online_since = now();
    if (announces_ && !resumed) {
        ++tallies_.stanzas_sent;
        bot.client->send_presence();
    }
    workload_->on_online(bot.number, resumed);
}

void Crew::bot_offline(Bot& bot, const base::Failure& why) {
    if (!std::exchange(bot.online, false)) return;
    --tallies_.online;
    if (bot.leaving || closing_) return;
    ++tallies_.sessions_lost;
    count_error("session lost: " + why.message());
}

void Crew::bot_message(Bot& bot, const xmpp::Stanza& message) {
    ++tallies_.stanzas_received;
    auto stamp = MessageStamp::parse(message.id());
    if (!stamp)
        if (const auto archived = xmpp::parse_mam_result(message))
            stamp = MessageStamp::parse(archived->stanza.id());
    if (!stamp) return;
    if (message.is_error()) {
        if (stamp->run == ledger_.run() && stamp->sender == bot.number) {
            ledger_.refused(stamp->sender, stamp->receiver, stamp->sequence);
            workload_->on_refused(*stamp);
        }
        const auto error = message.error();
        count_error(std::string("message refused: ") +
                    std::string(error ? name_of(error->condition()) : "no reason given"));
        return;
    }
    // One stanza for all in a room: it names none of them.
    if (message.message_type() == xmpp::MessageType::groupchat) stamp->receiver = bot.number;
    const Ledger::Arrival verdict = book_arrival(*stamp, bot.number);
    if (verdict == Ledger::Arrival::foreign || verdict == Ledger::Arrival::stray) return;
    workload_->on_arrival(*stamp, verdict);
}

void Crew::bot_presence(Bot& bot, const xmpp::Stanza& presence) {
    ++tallies_.stanzas_received;
    workload_->on_presence(bot.number, presence);
}

std::optional<xmpp::Stanza> Crew::bot_request(Bot& bot, const xmpp::Stanza& iq) {
    ++tallies_.stanzas_received;
    if (auto answer = workload_->on_request(bot.number, iq)) return answer;
    return bot.default_answer(iq);
}

// --- phases

reactor::Deferred<void> Crew::phase(reactor::Deferred<void> work) {
    phase_ = &work;
    const auto result = co_await std::move(work).as_result();
    phase_ = nullptr;
    if (!result && result.error().is(base::Errc::cancelled)) co_return {};
    co_return result;
}

reactor::Deferred<void> Crew::ramp() {
    std::vector<BotNumber> all = bots();
    std::erase_if(all, [this](BotNumber bot) { return online(bot) || !workload_->in_ramp(bot); });
    return phase(log_in_all(std::move(all), plan_.logins_at_once, plan_.logins_per_s));
}

reactor::Deferred<void> Crew::prepare(std::uint32_t step) {
    return phase(workload_->prepare(step));
}

reactor::Deferred<void> Crew::run(RunTimes times) {
    measure_from_ = times.measure_from;
    measure_until_ = times.end;
    return phase(workload_->run(times));
}

reactor::Deferred<void> Crew::come_back() {
    return phase(workload_->come_back());
}

reactor::Deferred<void> Crew::leave() {
    closing_ = true;
    return phase(log_out_all());
}

void Crew::interrupt() noexcept {
    if (phase_) phase_->cancel();
}

void Crew::end_measuring() {
    measure_until_ = std::min(measure_until_, now());
}

}  // namespace bots
