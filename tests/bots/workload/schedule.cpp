#include "tests/bots/workload/schedule.h"

#include "reactor/base/check.h"

namespace bots {
namespace {
constexpr std::uint64_t kSecond = 1'000'000'000;
}

base::MonotonicTime OpenLoop::due(std::uint64_t index) const {
    // Whole seconds and the rest apart: index * 10^9 would overflow in a long, fast run.
    const std::uint64_t seconds = index / per_second_;
    const std::uint64_t rest = index % per_second_;
    const std::uint64_t nanoseconds = seconds * kSecond + rest * kSecond / per_second_;
    return start_ + base::Duration(static_cast<std::int64_t>(nanoseconds));
}

std::uint64_t OpenLoop::due_by(base::MonotonicTime now) const {
    if (now < start_) return 0;
    const auto elapsed = static_cast<std::uint64_t>((now - start_).count());
    // The guess is right or one short, because `due` rounds down.
    std::uint64_t count =
        elapsed / kSecond * per_second_ + elapsed % kSecond * per_second_ / kSecond + 1;
    while (due(count) <= now)
        ++count;
    return count;
}

Turns::Turns(std::uint32_t lanes, std::uint32_t shard, std::uint32_t shards)
    : lanes_(lanes),
      shard_(shard),
      shards_(shards),
      own_(lanes > shard ? (lanes - shard - 1) / shards + 1 : 0) {
    CHECK(shard < shards);
}

Turns::Turn Turns::turn(std::uint64_t k) const {
    CHECK(own_ > 0);
    const std::uint64_t round = k / own_;
    const auto lane = static_cast<std::uint32_t>(shard_ + k % own_ * shards_);
    return {lane, round, round * lanes_ + lane};
}

}  // namespace bots
