// Workload: what the bots of a run do. One object per shard, for the bots that live there; its Crew
// (tests/bots/run/crew.h) gives it sessions, stamped messages and measurements. A new workload is
// one class behind this interface and one line in the catalog: tests/bots/README.md.
#pragma once

#include "reactor/deferred.h"
#include "tests/bots/measure/ledger.h"
#include "tests/bots/workload/settings.h"
#include "xmpp/core/stanza.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bots {

class Crew;

/// The number of a bot, 0 to users - 1, over all shards.
using BotNumber = std::uint32_t;

/// When the phase that counts begins and ends. The same on all shards.
struct RunTimes {
    base::MonotonicTime start;         ///< Warm-up begins.
    base::MonotonicTime measure_from;  ///< What was due before is not measured.
    base::MonotonicTime end;           ///< Nothing new is started from here on.
};

class Workload {
public:
    virtual ~Workload() = default;

    /// Whether this bot logs in before the phase that counts. Asked once per bot.
    virtual bool in_ramp(BotNumber bot) const;
    /// After the ramp: makes what the phase needs (subscriptions), in steps; a step begins when the
    /// one before has settled on all shards. A failure ends the run.
    virtual std::uint32_t preparation_steps() const;
    virtual reactor::Deferred<void> prepare(std::uint32_t step);
    /// Warm-up and measured phase. Settles when nothing is left to be started: at `end`, or before,
    /// when the work is done. Cancelled by Ctrl-C. A failure ends the run.
    virtual reactor::Deferred<void> run(RunTimes times) = 0;
    /// After `run`, beside waiting for messages under way: brings back who has to be there to take
    /// them (sessions that are away). Settles when that is done.
    virtual reactor::Deferred<void> come_back();

    // Told by the crew, from the loop.

    /// A session is there, or is there again.
    virtual void on_online(BotNumber bot, bool resumed);
    /// A stamped message of this run arrived (any verdict but foreign and stray).
    virtual void on_arrival(const MessageStamp& stamp, Ledger::Arrival verdict);
    /// A stamped message of this run came back as an error; it is booked as refused.
    virtual void on_refused(const MessageStamp& stamp);
    /// A booked request was answered (or refused, or not at all: not `good`).
    virtual void on_answer(BotNumber bot, bool good);
    virtual void on_presence(BotNumber bot, const xmpp::Stanza& presence);
    /// A request by somebody. Nothing: the crew answers (pings; pushes of rosters; the rest is
    /// refused).
    virtual std::optional<xmpp::Stanza> on_request(BotNumber bot, const xmpp::Stanza& iq);
};

struct WorkloadSpec {
    std::string_view name;     ///< "chat"
    std::string_view summary;  ///< One line for the list, without a full stop.
    std::string_view help;     ///< What happens, in a few sentences, for the file.
    /// In the order of the file. Constants of static storage.
    std::vector<const server::KeySpec*> keys;
    /// `crew` and `settings` outlive the workload.
    std::unique_ptr<Workload> (*create)(Crew& crew, const Settings& settings);
};

}  // namespace bots
