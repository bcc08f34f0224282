// Mailboxes between the shards of a process: one single-producer single-consumer ring per ordered
// pair for calls, and one for answers, whose places are reserved beforehand. Internal to
// RealShards.
#pragma once

#include "reactor/base/unique_function.h"
#include "reactor/reactor.h"
#include "reactor/shards.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace reactor {

/// Bounded to Shards::kMailboxMax calls. `push` on one thread, `pop` on one thread.
class MailRing {
public:
    MailRing() : slots_(Shards::kMailboxMax) {}

    /// False when full; `call` is then untouched.
    bool push(base::UniqueFunction<void()>& call) noexcept {
        const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_seen_ == Shards::kMailboxMax) {
            head_seen_ = head_.load(std::memory_order_acquire);
            if (tail - head_seen_ == Shards::kMailboxMax) return false;
        }
        slots_[tail % Shards::kMailboxMax] = std::move(call);
        tail_.store(tail + 1, std::memory_order_seq_cst);  // See Reactor::ring.
        return true;
    }
    /// Calls waiting. On the consumer's thread, or where neither runs.
    std::uint32_t size() const noexcept {
        return tail_.load(std::memory_order_seq_cst) - head_.load(std::memory_order_relaxed);
    }
    /// Precondition: size() > 0.
    base::UniqueFunction<void()> pop() noexcept {
        const std::uint32_t head = head_.load(std::memory_order_relaxed);
        auto call = std::exchange(slots_[head % Shards::kMailboxMax], {});
        head_.store(head + 1, std::memory_order_release);
        return call;
    }

private:
    // Power of two, so that the free-running counters may wrap.
    static_assert((Shards::kMailboxMax & (Shards::kMailboxMax - 1)) == 0);
    static constexpr std::size_t kCacheLine = 64;

    alignas(kCacheLine) std::atomic<std::uint32_t> tail_ = 0;
    std::uint32_t head_seen_ = 0;  // The producer's.
    alignas(kCacheLine) std::atomic<std::uint32_t> head_ = 0;
    std::vector<base::UniqueFunction<void()>> slots_;
};

class Mailboxes {
public:
    explicit Mailboxes(ShardId count);
    Mailboxes(const Mailboxes&) = delete;
    Mailboxes& operator=(const Mailboxes&) = delete;
    ~Mailboxes();

    MailRing& calls(ShardId from, ShardId to) noexcept { return pair(from, to).calls; }
    MailRing& answers(ShardId from, ShardId to) noexcept { return pair(from, to).answers; }
    /// Answers that `from` waits for from `to`; on shard `from` only.
    std::uint32_t& outstanding(ShardId from, ShardId to) noexcept {
        return pair(from, to).outstanding;
    }
    /// What a shard's Reactor drains.
    Inbox& inbox(ShardId shard) noexcept;

private:
    struct Pair {
        MailRing calls;
        MailRing answers;
        std::uint32_t outstanding = 0;
    };
    class ShardInbox;

    Pair& pair(ShardId from, ShardId to) noexcept { return *pairs_[from * count_ + to]; }

    ShardId count_;
    std::vector<std::unique_ptr<Pair>> pairs_;
    std::vector<std::unique_ptr<ShardInbox>> inboxes_;
};

}  // namespace reactor
