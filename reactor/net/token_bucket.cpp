#include "reactor/net/token_bucket.h"

#include "reactor/base/check.h"
#include "reactor/reactor.h"
#include "reactor/world.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace reactor {

TokenBucket::TokenBucket(double tokens_per_second, double burst) noexcept
    : per_second_(tokens_per_second), burst_(burst), tokens_(burst) {
    CHECK(tokens_per_second > 0 && burst > 0);
}

void TokenBucket::refill(base::MonotonicTime now) noexcept {
    if (started_ && now > filled_) {
        const double seconds = static_cast<double>((now - filled_).count()) / 1e9;
        tokens_ = std::min(burst_, tokens_ + seconds * per_second_);
    }
    started_ = true;
    filled_ = std::max(filled_, now);
}

std::uint64_t TokenBucket::available(base::MonotonicTime now) noexcept {
    refill(now);
    // A billionth forgives what sums of fractions lose.
    return tokens_ <= 0 ? 0 : static_cast<std::uint64_t>(tokens_ + 1e-9 * burst_);
}

void TokenBucket::take(base::MonotonicTime now, std::uint64_t count) noexcept {
    refill(now);
    tokens_ -= static_cast<double>(count);
}

bool TokenBucket::try_take(base::MonotonicTime now, std::uint64_t count) noexcept {
    if (available(now) < count) return false;
    take(now, count);
    return true;
}

base::Duration TokenBucket::wait_for(base::MonotonicTime now, std::uint64_t count) noexcept {
    refill(now);
    const double missing = std::min(static_cast<double>(count), burst_) - tokens_;
    if (missing <= 1e-9 * burst_) return base::Duration::zero();
    return base::Duration(static_cast<std::int64_t>(std::ceil(missing / per_second_ * 1e9)));
}

// --- ThrottledStream ---

ThrottledStream::ThrottledStream(World& world, std::unique_ptr<ByteStream> lower,
                                 Throttles throttles)
    : ForwardingStream(std::move(lower)),
      world_(&world),
      reading_(*this, Interest::readable, std::move(throttles.reading)),
      writing_(*this, Interest::writable, std::move(throttles.writing)) {
    this->lower().set_observer(this);
}

base::MonotonicTime ThrottledStream::now() const noexcept {
    return world_->reactor.now();
}

std::uint64_t ThrottledStream::Way::available(base::MonotonicTime now) const noexcept {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (TokenBucket* bucket : buckets)
        least = std::min(least, bucket->available(now));
    return least;
}

void ThrottledStream::Way::take(base::MonotonicTime now, std::uint64_t count) const noexcept {
    for (TokenBucket* bucket : buckets)
        bucket->take(now, count);
}

base::Duration ThrottledStream::Way::wait(base::MonotonicTime now) const noexcept {
    base::Duration longest{};
    for (TokenBucket* bucket : buckets)
        longest = std::max(longest, bucket->wait_for(now, 1));
    return longest;
}

void ThrottledStream::Way::on_expired() {
    owner.arm(interest);  // Somebody else may have taken the tokens of a shared bucket meanwhile.
}

IoResult ThrottledStream::try_read(std::span<std::byte> into) {
    const std::uint64_t allowed = reading_.available(now());
    if (allowed == 0 && !into.empty())
        return {.status = IoStatus::would_block, .maybe_more = false};
    const IoResult result =
        lower().try_read(into.first(std::min<std::uint64_t>(into.size(), allowed)));
    if (result.bytes > 0) reading_.take(now(), result.bytes);
    return result;
}

IoResult ThrottledStream::try_writev(std::span<const ConstBuffer> buffers) {
    std::uint64_t allowed = writing_.available(now());
    std::size_t offered = 0;
    for (const ConstBuffer& buffer : buffers)
        offered += buffer.size();
    if (allowed == 0 && offered > 0) return {.status = IoStatus::would_block, .maybe_more = false};
    if (offered <= allowed) {
        const IoResult result = lower().try_writev(buffers);
        if (result.bytes > 0) writing_.take(now(), result.bytes);
        return result;
    }
    constexpr std::size_t kBuffersMax = 16;
    std::array<ConstBuffer, kBuffersMax> part;
    std::size_t count = 0;
    for (const ConstBuffer& buffer : buffers) {
        if (allowed == 0 || count == part.size()) break;
        part[count] = buffer.first(std::min<std::uint64_t>(buffer.size(), allowed));
        allowed -= part[count++].size();
    }
    IoResult result = lower().try_writev(std::span(part).first(count));
    if (result.bytes > 0) writing_.take(now(), result.bytes);
    result.maybe_more = false;
    return result;
}

void ThrottledStream::arm(Interest interest) {
    Way& its_way = way(interest);
    const base::Duration wait = its_way.wait(now());
    if (wait == base::Duration::zero()) {
        its_way.cancel();
        lower().arm(interest);
    } else {
        world_->reactor.arm(its_way, wait);
    }
}

void ThrottledStream::disarm(Interest interest) {
    way(interest).cancel();
    lower().disarm(interest);
}

// May destroy this stream.
void ThrottledStream::on_ready(Interest interest) {
    if (observer_ != nullptr) observer_->on_ready(interest);
}

void ThrottledStream::close() {
    reading_.cancel();
    writing_.cancel();
    lower().close();
}

void ThrottledStream::abort() {
    reading_.cancel();
    writing_.cancel();
    lower().abort();
}

void ThrottledStream::detach() {
    reading_.cancel();
    writing_.cancel();
    observer_ = nullptr;
    lower().detach();
    world_ = nullptr;
}

void ThrottledStream::attach(World& world) {
    world_ = &world;
    lower().attach(world);
    lower().set_observer(this);
}

}  // namespace reactor
