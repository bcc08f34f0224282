// Ledger: the bookkeeping that makes a run trustworthy. Every message carries who sent it, to whom,
// and its number in that conversation; the receiver's side tells lost, duplicated and reordered
// ones apart. One per shard; a sender's and its receiver's shards may differ: tallies are joined at
// the end. Ids that come back from a server are a stranger's text: none makes a ledger grow without
// bound.
#pragma once

#include "reactor/base/clock.h"
#include "tests/bots/measure/sequence_set.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace bots {

/// What a message carries, in its id: "b1-<run>-<sender>-<receiver>-<sequence>-<intended time>",
/// numbers in hexadecimal. The id survives every server, unlike unknown payloads.
struct MessageStamp {
    /// Tells this run's messages from those that an earlier one left in an offline store.
    std::uint32_t run = 0;
    std::uint32_t sender = 0;  ///< Number of the bot.
    std::uint32_t receiver = 0;
    std::uint64_t sequence = 0;    ///< 1, 2, … per (sender, receiver).
    base::MonotonicTime intended;  ///< When it was due to be sent, not when it was; from 0.

    void append_to(std::string& out) const;
    /// Nothing when `id` is no stamp, to the letter.
    static std::optional<MessageStamp> parse(std::string_view id);

    friend bool operator==(const MessageStamp&, const MessageStamp&) = default;
};

/// sent = received + lost.
struct Tally {
    std::uint64_t sent = 0;      ///< Without the refused ones.
    std::uint64_t received = 0;  ///< Different ones.
    std::uint64_t lost = 0;      ///< Sent, not refused by an error, and never received.
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;  ///< Came after one that was sent later by the same sender.
    std::uint64_t refused = 0;    ///< Came back as an error, or could not be sent.
    std::uint64_t stray = 0;      ///< Came to a bot it was not for, or was never sent.
    std::uint64_t foreign = 0;    ///< Of another run (left in an offline store); no fault.

    bool clean() const { return lost == 0 && duplicated == 0 && reordered == 0 && stray == 0; }
    friend bool operator==(const Tally&, const Tally&) = default;
};

struct LedgerLimits {
    /// Conversations that arrivals may open on this shard; past it they count as stray.
    std::size_t conversations_max = 4'000'000;
    /// Gaps under observation in all conversations; past it arrivals beyond a new gap count as
    /// stray. A run with that many gaps has failed anyway.
    std::size_t gaps_max = 1'000'000;
};

class Ledger {
public:
    /// All ledgers of a run have the same `run`, picked at random.
    explicit Ledger(std::uint32_t run, LedgerLimits limits = {});
    Ledger(Ledger&&) noexcept = default;
    ~Ledger();

    std::uint32_t run() const noexcept { return run_; }

    /// The number for the next message of this pair. A sender keeps to one shard.
    std::uint64_t next(std::uint32_t sender, std::uint32_t receiver);
    /// The stamp for the next message of this pair: `next` and the rest.
    MessageStamp stamp(std::uint32_t sender, std::uint32_t receiver, base::MonotonicTime intended);
    /// That one came back as an error: it counts neither as sent nor as lost. Saying it twice is
    /// saying it once; a message that arrived as well counts as received. On the sender's shard.
    void refused(std::uint32_t sender, std::uint32_t receiver, std::uint64_t sequence);

    enum class Arrival : std::uint8_t {
        fresh,
        duplicate,
        reordered,  ///< New, but after one that was sent later: its latency counts all the same.
        stray,      ///< Not for this receiver, or numbers that make no sense.
        foreign,    ///< Another run's.
    };
    /// A message with this stamp came to the bot `receiver`.
    Arrival received(const MessageStamp& stamp, std::uint32_t receiver);

    /// Joins the books of all shards and strikes the balance. The ledgers are of one run.
    static Tally balance(std::span<const Ledger* const> ledgers);
    /// So far, for progress: cheap, nothing is compared. `sent` is without the refused ones.
    std::uint64_t sent() const noexcept { return sent_; }
    std::uint64_t received_count() const noexcept { return received_; }
    std::uint64_t duplicated() const noexcept { return duplicated_; }
    std::uint64_t reordered() const noexcept { return reordered_; }
    std::uint64_t refused_count() const noexcept { return refused_; }
    std::uint64_t stray() const noexcept { return stray_; }

private:
    struct Conversation {
        std::uint64_t issued = 0;
        SequenceSet arrived;
        std::unique_ptr<SequenceSet> refused;
    };

    std::uint32_t run_;
    LedgerLimits limits_;
    std::unordered_map<std::uint64_t, Conversation> conversations_;  // By (sender, receiver).
    std::size_t gaps_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t duplicated_ = 0;
    std::uint64_t reordered_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t stray_ = 0;
    std::uint64_t foreign_ = 0;
};

}  // namespace bots
