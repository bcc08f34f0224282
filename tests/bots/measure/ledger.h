// Ledger: the bookkeeping that makes a run trustworthy. Every message carries who sent it, to whom,
// and its number in that conversation; the receiver's side tells lost, duplicated and reordered
// ones apart. One per shard; a sender's and its receiver's shards may differ: tallies are joined at
// the end.
#pragma once

#include "reactor/base/clock.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace bots {

/// What a message carries, in its id: "b1-<sender>-<receiver>-<sequence>-<intended time>". The id
/// survives every server, unlike unknown payloads.
struct MessageStamp {
    std::uint32_t sender = 0;  ///< Number of the bot.
    std::uint32_t receiver = 0;
    std::uint64_t sequence = 0;    ///< 1, 2, … per (sender, receiver).
    base::MonotonicTime intended;  ///< When it was due to be sent, not when it was.

    void append_to(std::string& out) const;
    /// Nothing when `id` is no stamp.
    static std::optional<MessageStamp> parse(std::string_view id);
};

struct Tally {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;  ///< Different ones.
    std::uint64_t lost = 0;      ///< Sent, not refused by an error, and never received.
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;  ///< Came after one that was sent later by the same sender.
    std::uint64_t refused = 0;    ///< Came back as an error, or could not be sent.

    bool clean() const { return lost == 0 && duplicated == 0 && reordered == 0; }
};

class Ledger {
public:
    /// The number for the next message of this pair.
    std::uint64_t next(std::uint32_t sender, std::uint32_t receiver);
    /// That one came back as an error: it counts neither as sent nor as lost.
    void refused(std::uint32_t sender, std::uint32_t receiver, std::uint64_t sequence);
    enum class Arrival : std::uint8_t { fresh, duplicate, reordered };
    Arrival received(const MessageStamp& stamp);

    /// Joins the books of all shards and strikes the balance.
    static Tally balance(std::vector<const Ledger*> ledgers);
    /// Sent and received so far, for progress: cheap, nothing is compared.
    std::uint64_t sent() const noexcept { return sent_; }
    std::uint64_t received_count() const noexcept { return received_; }

private:
    struct Conversation;
    std::unordered_map<std::uint64_t, Conversation> conversations_;  // By (sender, receiver).
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
};

}  // namespace bots
