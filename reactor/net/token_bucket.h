// TokenBucket: how many bytes (or calls) per second, with a burst; and ThrottledStream, which
// applies buckets to a connection as pauses, so that TCP holds the peer back and nothing is
// buffered. Buckets may be per connection, per address and for all: a stream obeys every one.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/net/forwarding_stream.h"
#include "reactor/timers.h"

#include <cstdint>
#include <vector>

namespace reactor {

/// Filled lazily: no timer, no work while nobody asks. Starts full.
class TokenBucket {
public:
    /// Preconditions: both positive.
    TokenBucket(double tokens_per_second, double burst) noexcept;

    /// Whole tokens there now.
    std::uint64_t available(base::MonotonicTime now) noexcept;
    /// Takes `count`, also more than there are: the debt is paid off before more is available.
    void take(base::MonotonicTime now, std::uint64_t count) noexcept;
    /// Takes `count` if they are there.
    bool try_take(base::MonotonicTime now, std::uint64_t count) noexcept;
    /// How long until `count` (at most the burst) are there; zero when they are.
    base::Duration wait_for(base::MonotonicTime now, std::uint64_t count) noexcept;

private:
    void refill(base::MonotonicTime now) noexcept;

    double per_second_;
    double burst_;
    double tokens_;
    base::MonotonicTime filled_{};
    bool started_ = false;
};

/// References must outlive the stream; a bucket may be shared by streams of one shard.
struct Throttles {
    std::vector<TokenBucket*> reading;
    std::vector<TokenBucket*> writing;
};

class ThrottledStream final : public ForwardingStream, private StreamObserver {
public:
    ThrottledStream(World& world, std::unique_ptr<ByteStream> lower, Throttles throttles);

    IoResult try_read(std::span<std::byte> into) override;
    IoResult try_writev(std::span<const ConstBuffer> buffers) override;
    void set_observer(StreamObserver* observer) override { observer_ = observer; }
    void arm(Interest interest) override;
    void disarm(Interest interest) override;
    void close() override;
    void abort() override;
    void detach() override;
    void attach(World& world) override;

private:
    /// One direction: its buckets, and the wait for tokens.
    struct Way final : Timer {
        Way(ThrottledStream& its_owner, Interest its_interest,
            std::vector<TokenBucket*> its_buckets)
            : owner(its_owner), interest(its_interest), buckets(std::move(its_buckets)) {}
        void on_expired() override;
        std::uint64_t available(base::MonotonicTime now) const noexcept;
        void take(base::MonotonicTime now, std::uint64_t count) const noexcept;
        base::Duration wait(base::MonotonicTime now) const noexcept;

        ThrottledStream& owner;
        Interest interest;
        std::vector<TokenBucket*> buckets;
    };
    void on_ready(Interest interest) override;
    Way& way(Interest interest) noexcept {
        return interest == Interest::readable ? reading_ : writing_;
    }
    base::MonotonicTime now() const noexcept;

    World* world_;
    StreamObserver* observer_ = nullptr;
    Way reading_;
    Way writing_;
};

}  // namespace reactor
