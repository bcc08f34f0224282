// MessageMemory: what the message store and the counts of streams (XEP-0198) remember from one
// write to the next: the last id, numbers of owners and peers that were looked up lately, and the
// counts, which are written once a commit however many stanzas they counted. Private to storage/
// tables. All rows of message_ids and sm_session_counts that a write reads or changes go through
// here; nothing survives a roll-back.
#pragma once

#include "storage/tables/messages_rows.h"
#include "storage/writer_memory.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace storage {

class MessageMemory final : public WriterMemory {
public:
    static constexpr std::size_t kConversationsMax = 16'384;
    static constexpr std::size_t kCountsMax = 16'384;

    /// The one of a transaction that writes.
    static MessageMemory& of(Transaction& transaction);
    /// Null: it only reads.
    static MessageMemory* find(Transaction& transaction);

    base::Result<void> write(Transaction& transaction) override;

    /// The row of message_ids.
    struct Ids {
        MessageId last = 0;
        RecentRows recent;
    };
    /// To be changed in place.
    base::Result<Ids*> ids(Transaction& transaction);

    std::optional<Conversation> conversation(std::string_view account, std::string_view peer);
    void keep_conversation(std::string_view account, std::string_view peer, Conversation found);
    /// Some row of message_peers or message_owners is going.
    void forget_conversations() noexcept { conversations_.clear(); }

    /// Whether there is such a session.
    base::Result<bool> has_session(Transaction& transaction, SmSessionKey session);
    /// Its count is `taken` from now on, unless that is behind what it is, as counts modulo 2^32
    /// go. False: there is no such session.
    base::Result<bool> raise_count(Transaction& transaction, SmSessionKey session,
                                   std::uint32_t taken);
    /// The session is gone.
    void remove_count(SmSessionKey session) noexcept { counts_.erase(session); }
    /// Writes the counts, so that the next statement sees them.
    base::Result<void> write_counts(Transaction& transaction);

private:
    struct Count {
        std::uint32_t taken = 0;
        bool changed = false;
    };

    void make_key(std::string_view account, std::string_view peer);
    base::Result<Count*> count(Transaction& transaction, SmSessionKey session);

    std::optional<Ids> ids_;
    bool ids_changed_ = false;
    std::unordered_map<std::string, Conversation> conversations_;
    std::string key_;  // Scratch.
    std::unordered_map<SmSessionKey, Count> counts_;
    std::vector<SmSessionKey> changed_counts_;
};

}  // namespace storage
