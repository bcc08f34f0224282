#include "storage/tables/message_memory.h"

#include "reactor/base/check.h"

#include <algorithm>
#include <utility>

namespace storage {

using base::Errc;
using base::Result;

MessageMemory* MessageMemory::find(Transaction& transaction) {
    std::unique_ptr<WriterMemory>* place = memory_of(transaction);
    if (place == nullptr) return nullptr;
    if (*place == nullptr) *place = std::make_unique<MessageMemory>();
    return static_cast<MessageMemory*>(place->get());
}

MessageMemory& MessageMemory::of(Transaction& transaction) {
    MessageMemory* memory = find(transaction);
    CHECK(memory != nullptr);
    return *memory;
}

Result<void> MessageMemory::write(Transaction& transaction) {
    TRY(write_counts(transaction));
    if (!ids_changed_) return {};
    TRY(
        transaction.execute("UPDATE message_ids SET last_id = $1, recent_rows = $2, "
                            "moved_last = $3 WHERE only_row = 1",
                            {ids_->last, ids_->recent.count, ids_->recent.moved_last}));
    ids_changed_ = false;
    return {};
}

Result<MessageMemory::Ids*> MessageMemory::ids(Transaction& transaction) {
    if (!ids_) {
        ids_ = TRY(transaction.first(
            "SELECT last_id, recent_rows, moved_last FROM message_ids WHERE only_row = 1", {},
            [](const Row& row) {
                return Ids{.last = row.int64(0),
                           .recent = {.count = row.int64(1), .moved_last = row.int64(2)}};
            }));
        if (!ids_) return base::fail(Errc::corrupt, "the database has lost its message ids");
    }
    ids_changed_ = true;
    return &*ids_;
}

// Neither address has a NUL in it.
void MessageMemory::make_key(std::string_view account, std::string_view peer) {
    key_.assign(account);
    key_.push_back('\0');
    key_.append(peer);
}

std::optional<Conversation> MessageMemory::conversation(std::string_view account,
                                                        std::string_view peer) {
    make_key(account, peer);
    const auto found = conversations_.find(key_);
    if (found == conversations_.end()) return std::nullopt;
    return found->second;
}

void MessageMemory::keep_conversation(std::string_view account, std::string_view peer,
                                      Conversation found) {
    if (conversations_.size() >= kConversationsMax) conversations_.clear();
    make_key(account, peer);
    conversations_.insert_or_assign(key_, found);
}

// Null: there is no such session.
Result<MessageMemory::Count*> MessageMemory::count(Transaction& transaction, SmSessionKey session) {
    if (const auto found = counts_.find(session); found != counts_.end()) return &found->second;
    const auto taken =
        TRY(transaction.first("SELECT taken FROM sm_session_counts WHERE session = $1", {session},
                              [](const Row& row) { return row.int64(0); }));
    if (!taken) return nullptr;
    if (counts_.size() >= kCountsMax) {
        TRY(write_counts(transaction));
        counts_.clear();
    }
    const Count known{.taken = static_cast<std::uint32_t>(*taken)};
    return &counts_.emplace(session, known).first->second;
}

Result<bool> MessageMemory::has_session(Transaction& transaction, SmSessionKey session) {
    return TRY(count(transaction, session)) != nullptr;
}

Result<bool> MessageMemory::raise_count(Transaction& transaction, SmSessionKey session,
                                        std::uint32_t taken) {
    Count* known = TRY(count(transaction, session));
    if (known == nullptr) return false;
    if (static_cast<std::int32_t>(taken - known->taken) <= 0) return true;
    known->taken = taken;
    if (!std::exchange(known->changed, true)) changed_counts_.push_back(session);
    return true;
}

Result<void> MessageMemory::write_counts(Transaction& transaction) {
    std::ranges::sort(changed_counts_);  // Neighbours share a page.
    for (const SmSessionKey session : changed_counts_) {
        const auto found = counts_.find(session);
        if (found == counts_.end()) continue;  // Removed since.
        TRY(transaction.execute("UPDATE sm_session_counts SET taken = $2 WHERE session = $1",
                                {session, found->second.taken}));
        found->second.changed = false;
    }
    changed_counts_.clear();
    return {};
}

}  // namespace storage
