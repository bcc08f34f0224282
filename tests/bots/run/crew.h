// Crew: the bots of one shard, and what they count. It gives a workload sessions, stamped messages
// and answers to requests, and keeps the books: a workload says what happens, never how it is
// measured.
#pragma once

#include "reactor/shards.h"
#include "reactor/sync/lock.h"
#include "reactor/task_set.h"
#include "tests/bots/client/client.h"
#include "tests/bots/client/client_shared.h"
#include "tests/bots/run/plan.h"
#include "tests/bots/run/tallies.h"
#include "tests/bots/workload/workload.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bots {

class Crew {
public:
    /// Of one bot, past which it sends nothing until the network has taken some.
    static constexpr std::size_t kUnsentBytesMax = 256UL * 1024;
    /// Different errors that are told apart; later ones count as "other".
    static constexpr std::size_t kErrorsMax = 100;

    /// On the shard of `world`, where it lives and dies. `plan` outlives it.
    Crew(reactor::World& world, const Plan& plan);
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;
    /// Cuts every connection.
    ~Crew();

    // --- for workloads: who is here

    const Plan& plan() const noexcept { return plan_; }
    reactor::World& world() noexcept { return world_; }
    base::MonotonicTime now() const { return world_.clock.monotonic(); }
    std::uint32_t shard() const noexcept { return shard_; }
    std::uint32_t shards() const noexcept { return shards_; }
    /// This shard's bots, ascending.
    std::vector<BotNumber> bots() const;
    bool is_here(BotNumber bot) const;
    bool online(BotNumber bot) const;
    /// Of the session that is there; while offline, of the last one.
    base::MonotonicTime online_since(BotNumber bot) const;
    /// Reproducible chance: the same seed gives each bot the same numbers.
    std::uint64_t draw(BotNumber bot);

    // --- sessions. Numbers of other shards' bots are a bug (CHECKed).

    /// One attempt, when fewer than logins_at_once are under way. Counted, timed, and its failure
    /// booked among the errors.
    reactor::Deferred<void> log_in(BotNumber bot);
    /// All of them, at most `at_once` at a time on all shards together and, unless 0, at
    /// `per_second` on all shards; what may work later is tried three times. Settles when all are
    /// done; fails only when nobody gets in for the same reason.
    reactor::Deferred<void> log_in_all(std::vector<BotNumber> bots, BotNumber at_once,
                                       BotNumber per_second);
    /// Politely; settles when the server has closed its side.
    reactor::Deferred<void> log_out(BotNumber bot);
    reactor::Deferred<void> log_out_all();
    /// The connection goes without a word; the session can be resumed where the server offers it.
    void cut(BotNumber bot);
    /// The next end of this session is no surprise, whoever ends it.
    void expect_end(BotNumber bot);
    /// The bot sends presence as soon as it is online (the default). Without it no message to its
    /// account reaches it.
    void announce(bool wanted) noexcept { announces_ = wanted; }
    /// The client, made with the first login.
    Client& client(BotNumber bot);

    // --- messages and requests

    /// Can take more to send: online and not too much waiting.
    bool can_send(BotNumber bot) const;
    /// A chat message from one bot to another, stamped and booked. `intended`: when it was due.
    /// False, and booked as refused, when the sender is not online.
    bool send_message(BotNumber from, BotNumber to, base::MonotonicTime intended);
    /// That message will not be sent any more, although it was due: booked as refused, its latency
    /// as what it was until now.
    void give_up(BotNumber from, BotNumber to, base::MonotonicTime intended);
    /// Anything else; no stamp, no booking.
    bool send(BotNumber from, const xmpp::Stanza& stanza);
    bool send_xml(BotNumber from, std::string_view stanza);
    /// A request whose answer is booked like a message from the bot to itself; the workload is
    /// told by on_answer.
    void ask(BotNumber from, xmpp::Stanza request, base::MonotonicTime intended);
    /// A request that is not booked: its latency is nobody's concern.
    reactor::Deferred<xmpp::Stanza> request(BotNumber from, xmpp::Stanza request);
    Ledger& ledger() noexcept { return ledger_; }
    const Ledger& ledger() const noexcept { return ledger_; }
    /// An arrival that is no message (presence): into the books and the latency.
    Ledger::Arrival book_arrival(const MessageStamp& stamp, BotNumber receiver);

    // --- measurements

    void count_error(std::string_view what);
    /// Counts what the workload alone measures.
    Extras& extras() noexcept { return extras_; }
    /// For workloads that measure messages from something else than their intended time.
    void measure_latency_itself() noexcept { records_latency_ = false; }
    void record_latency(base::Duration latency) { latency_.record(latency); }
    /// The times of the phase that counts, as `run` was told.
    bool measured(base::MonotonicTime time) const {
        return measure_from_ <= time && time < measure_until_;
    }

    // --- for the conductor

    void use(std::unique_ptr<Workload> workload) { workload_ = std::move(workload); }
    Workload& workload() { return *workload_; }
    reactor::Deferred<void> ramp();
    reactor::Deferred<void> prepare(std::uint32_t step);
    reactor::Deferred<void> run(RunTimes times);
    reactor::Deferred<void> come_back();
    /// Everybody logs out; what ends from now on is no surprise.
    reactor::Deferred<void> leave();
    /// Cancels what `ramp`, `prepare`, `run`, `come_back` or `leave` is doing; that then succeeds.
    void interrupt() noexcept;
    /// Nothing that is due from now on counts.
    void end_measuring();
    const Tallies& tallies() const noexcept { return tallies_; }
    const Histogram& latency() const noexcept { return latency_; }
    const Histogram& login_latency() const noexcept { return login_latency_; }
    const Extras& extras() const noexcept { return extras_; }
    Ledger release_ledger() { return std::move(ledger_); }

private:
    class Bot;
    struct Login;

    Bot& at(BotNumber bot);
    const Bot& at(BotNumber bot) const;
    ClientOptions options_for(BotNumber bot) const;
    reactor::Deferred<void> attempt(BotNumber bot);
    reactor::Deferred<bool> attempt_often(BotNumber bot, Login& login);
    reactor::Deferred<void> log_in_some(Login& login);
    reactor::Deferred<void> log_out_some(std::vector<BotNumber>& bots);
    reactor::Deferred<void> wait_for_answer(BotNumber from, xmpp::Stanza request,
                                            MessageStamp stamp);
    reactor::Deferred<void> phase(reactor::Deferred<void> work);
    void book_latency(const MessageStamp& stamp, base::MonotonicTime now);
    void bot_online(Bot& bot, bool resumed);
    void bot_offline(Bot& bot, const base::Failure& why);
    void bot_message(Bot& bot, const xmpp::Stanza& message);
    void bot_presence(Bot& bot, const xmpp::Stanza& presence);
    std::optional<xmpp::Stanza> bot_request(Bot& bot, const xmpp::Stanza& iq);

    reactor::World& world_;
    const Plan& plan_;
    std::uint32_t shard_;
    std::uint32_t shards_;
    ClientShared shared_;
    Ledger ledger_;
    Histogram latency_;
    Histogram login_latency_;
    Tallies tallies_;
    Extras extras_;
    std::string scratch_;
    std::string body_;
    bool full_addresses_ = false;
    bool announces_ = true;
    bool records_latency_ = true;
    bool closing_ = false;
    base::MonotonicTime measure_from_;
    base::MonotonicTime measure_until_;
    reactor::Semaphore logins_at_once_;
    std::unique_ptr<Workload> workload_;
    std::deque<Bot> bots_;
    reactor::Deferred<void>* phase_ = nullptr;  // Lives in a frame of `phase`.
    reactor::TaskSet asking_;
};

}  // namespace bots
