#include "reactor/mailboxes.h"

namespace reactor {

class Mailboxes::ShardInbox final : public Inbox {
public:
    ShardInbox(Mailboxes& mailboxes, ShardId shard) : mailboxes_(mailboxes), shard_(shard) {}

    // Each ring up to what it held at the start, so that a busy sender cannot keep the turn going.
    void drain() override {
        for (ShardId from = 0; from < mailboxes_.count_; ++from) {
            drain_ring(mailboxes_.answers(from, shard_));
            drain_ring(mailboxes_.calls(from, shard_));
        }
    }
    bool empty() const noexcept override {
        for (ShardId from = 0; from < mailboxes_.count_; ++from) {
            if (mailboxes_.answers(from, shard_).size() > 0) return false;
            if (mailboxes_.calls(from, shard_).size() > 0) return false;
        }
        return true;
    }

private:
    static void drain_ring(MailRing& ring) {
        for (std::uint32_t left = ring.size(); left > 0; --left)
            ring.pop()();
    }

    Mailboxes& mailboxes_;
    ShardId shard_;
};

Mailboxes::Mailboxes(ShardId count) : count_(count) {
    for (ShardId i = 0; i < count * count; ++i)
        pairs_.push_back(std::make_unique<Pair>());
    for (ShardId i = 0; i < count; ++i)
        inboxes_.push_back(std::make_unique<ShardInbox>(*this, i));
}

Mailboxes::~Mailboxes() = default;

Inbox& Mailboxes::inbox(ShardId shard) noexcept {
    return *inboxes_[shard];
}

}  // namespace reactor
