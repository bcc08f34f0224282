// See sim_stream.h. Bytes under way lie with the receiver, each segment with its time of arrival; a
// timer in the receiver's world takes them in. Order is kept, as TCP does.
#include "reactor/sim/sim_stream.h"

#include "reactor/base/check.h"
#include "reactor/reactor.h"
#include "reactor/sim/trace_hash.h"
#include "reactor/world.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace reactor {
namespace {

constexpr IoResult kWouldBlock{.status = IoStatus::would_block, .maybe_more = false};
constexpr std::uint64_t kShortWriteOneIn = 8;

IoResult failed_with(base::Errc error) {
    return {.status = IoStatus::failed, .error = error, .maybe_more = false};
}

}  // namespace

std::uint64_t SimInternet::Impl::draw_below(std::uint64_t limit) {
    return numbers.below(limit);
}

base::Duration SimInternet::Impl::draw_latency() {
    const auto spread = (options.latency_max - options.latency_min).count();
    const auto extra =
        draw_below(static_cast<std::uint64_t>(std::max<std::int64_t>(spread, 0)) + 1);
    return options.latency_min + base::Duration(static_cast<std::int64_t>(extra));
}

bool SimInternet::Impl::is_black(std::string_view one, std::string_view other) const {
    if (black_holes.contains(one) || black_holes.contains(other)) return true;
    return !parted.empty() && parted.contains(pair_of(one, other));
}

// A machine's line carries one byte after the other, whichever connection they belong to.
base::MonotonicTime SimInternet::Impl::departure(const std::string& node, std::size_t bytes,
                                                 base::MonotonicTime now) {
    if (options.bytes_per_second == 0) return now;
    constexpr double kNanoseconds = 1e9;
    base::MonotonicTime& free = line_free[node];
    free = std::max(free, now) +
           base::Duration(static_cast<std::int64_t>(static_cast<double>(bytes) * kNanoseconds /
                                                    static_cast<double>(options.bytes_per_second)));
    return free;
}

bool SimInternet::Impl::has_socket(const std::string& node) const {
    const auto found = sockets.find(node);
    return found == sockets.end() || found->second < options.sockets_max;
}

void SimInternet::Impl::retransmit(std::string_view address) {
    for (const auto& [id, stream] : streams)
        if (stream->touches(address)) stream->retransmit();
}

std::pair<std::string, std::string> pair_of(std::string_view one, std::string_view other) {
    return {std::string(std::min(one, other)), std::string(std::max(one, other))};
}

SimStream::SimStream(SimInternet::Impl& internet, World& world, std::string node,
                     std::string peer_node, Endpoint local, Endpoint peer)
    : internet_(internet),
      world_(&world),
      id_(internet.next_stream_id++),
      node_(std::move(node)),
      peer_node_(std::move(peer_node)),
      local_(std::move(local)),
      peer_(std::move(peer)) {
    internet_.streams.emplace(id_, this);
    ++internet_.sockets[node_];
}

SimStream::~SimStream() {
    close();
    internet_.streams.erase(id_);
    --internet_.sockets[node_];
}

void SimStream::join(SimStream& a, SimStream& b) {
    a.other_ = &b;
    b.other_ = &a;
}

bool SimStream::touches(std::string_view address) const {
    return address == node_ || address == peer_node_;
}

bool SimStream::is_ready(Interest interest) const {
    if (closed_ || reset_) return true;
    if (interest == Interest::readable) return unread() > 0 || input_ended_;
    if (write_shut_ || other_ == nullptr) return true;
    return other_->unread() + other_->arriving_bytes_ < internet_.options.window;
}

void SimStream::owe(Interest interest) {
    if (world_ != nullptr) signal_.owe(interest, world_->reactor.ready_queue());
}

void SimStream::arm(Interest interest) {
    signal_.arm(interest);
    if (is_ready(interest)) owe(interest);
}

IoResult SimStream::try_read(std::span<std::byte> into) {
    if (closed_) return failed_with(base::Errc::closed);
    if (reset_) return failed_with(base::Errc::connection_lost);
    if (unread() == 0) {
        if (!input_ended_) return kWouldBlock;
        return {.status = IoStatus::end_of_stream, .maybe_more = false};
    }
    const std::size_t count = std::min(into.size(), unread());
    std::memcpy(into.data(), inbox_.data() + read_, count);
    const bool was_full = unread() + arriving_bytes_ >= internet_.options.window;
    read_ += count;
    if (unread() == 0) {
        inbox_ = {};
        read_ = 0;
    } else if (read_ >= internet_.options.window) {
        inbox_.erase(0, read_);
        read_ = 0;
    }
    if (was_full && other_ != nullptr && !internet_.is_black(node_, peer_node_))
        other_->owe(Interest::writable);
    return {.bytes = count, .maybe_more = unread() > 0 || input_ended_};
}

IoResult SimStream::try_writev(std::span<const ConstBuffer> buffers) {
    if (closed_ || write_shut_) return failed_with(base::Errc::closed);
    if (reset_) return failed_with(base::Errc::connection_lost);
    std::string bytes;
    for (const ConstBuffer& buffer : buffers)
        bytes.append(reinterpret_cast<const char*>(buffer.data()), buffer.size());
    if (bytes.empty()) return {};
    const std::size_t offered = bytes.size();
    const SimInternetOptions& options = internet_.options;
    std::size_t space = options.window;
    if (other_ != nullptr) space -= std::min(space, other_->unread() + other_->arriving_bytes_);
    if (space == 0) return kWouldBlock;
    if (options.segment_max != 0 && internet_.draw_below(kShortWriteOneIn) == 0)
        space = std::min<std::size_t>(space, 1 + internet_.draw_below(offered));
    bytes.resize(std::min(offered, space));
    const std::size_t taken = bytes.size();
    while (options.segment_max != 0 && !bytes.empty()) {
        const std::size_t size =
            std::min<std::size_t>(bytes.size(), 1 + internet_.draw_below(options.segment_max));
        send(Kind::data, bytes.substr(0, size));
        bytes.erase(0, size);
    }
    if (!bytes.empty()) send(Kind::data, std::move(bytes));
    return {.bytes = taken, .maybe_more = taken == offered};
}

void SimStream::send(Kind kind, std::string bytes) {
    const base::MonotonicTime now =
        world_ != nullptr ? world_->clock.monotonic() : Reactor::current().now();
    if (internet_.off.contains(node_)) return;
    const base::MonotonicTime arrives =
        internet_.departure(node_, bytes.size(), now) + internet_.draw_latency();
    if (other_ != nullptr) return other_->receive({kind, arrives, std::move(bytes)});
    // Nobody is there any more: the answer is a reset, one more way back.
    if (kind == Kind::data) receive({Kind::reset, arrives + internet_.draw_latency(), {}});
}

void SimStream::receive(Segment segment) {
    if (!arriving_.empty()) segment.arrives = std::max(segment.arrives, arriving_.back().arrives);
    arriving_bytes_ += segment.bytes.size();
    arriving_.push_back(std::move(segment));
    watch_arrivals();
}

void SimStream::watch_arrivals() {
    if (world_ == nullptr || arriving_.empty() || Timer::armed()) return;
    Timer::arm(world_->reactor.wheel(), arriving_.front().arrives);
}

void SimStream::take_arrivals() {
    // A black hole swallows; `retransmit` starts the timer again.
    if (world_ == nullptr || internet_.is_black(node_, peer_node_)) return;
    const base::MonotonicTime now = world_->clock.monotonic();
    while (!arriving_.empty() && arriving_.front().arrives <= now) {
        Segment segment = std::move(arriving_.front());
        arriving_.pop_front();
        arriving_bytes_ -= segment.bytes.size();
        if (internet_.options.trace != nullptr)
            internet_.options.trace->add(now, id_ << 2U | static_cast<unsigned>(segment.kind),
                                         "arrives", segment.bytes);
        switch (segment.kind) {
            case Kind::data:
                inbox_ += segment.bytes;
                break;
            case Kind::end:
                input_ended_ = true;
                break;
            case Kind::reset:
                return reset();
        }
        owe(Interest::readable);
    }
    watch_arrivals();
}

void SimStream::retransmit() {
    if (world_ == nullptr) return;
    const base::MonotonicTime now = world_->clock.monotonic();
    for (Segment& segment : arriving_)
        segment.arrives = std::max(segment.arrives, now + internet_.draw_latency());
    // Order is kept: no segment overtakes the one before it.
    for (std::size_t i = 1; i < arriving_.size(); ++i)
        arriving_[i].arrives = std::max(arriving_[i].arrives, arriving_[i - 1].arrives);
    cancel();
    watch_arrivals();
    if (is_ready(Interest::writable)) owe(Interest::writable);
}

void SimStream::reset() {
    if (closed_) return;
    reset_ = true;
    cancel();
    arriving_.clear();
    arriving_bytes_ = 0;
    inbox_ = {};
    read_ = 0;
    if (other_ != nullptr) std::exchange(other_, nullptr)->other_ = nullptr;
    owe(Interest::readable);
    owe(Interest::writable);
}

void SimStream::shutdown_write() {
    if (closed_ || reset_ || std::exchange(write_shut_, true)) return;
    send(Kind::end, {});
}

void SimStream::close() {
    if (closed_) return;
    // As with TCP, unread bytes turn an orderly close into a reset (RFC 2525 §2.17).
    if (!reset_) send(unread() > 0 ? Kind::reset : Kind::end, {});
    closed_ = true;
    cancel();
    signal_.reset();
    if (other_ != nullptr) std::exchange(other_, nullptr)->other_ = nullptr;
}

void SimStream::abort() {
    if (closed_) return;
    if (!reset_) send(Kind::reset, {});
    reset_ = true;
    close();
}

void SimStream::detach() {
    signal_.reset();
    cancel();
    world_ = nullptr;
}

void SimStream::attach(World& world) {
    CHECK(world_ == nullptr);
    world_ = &world;
    watch_arrivals();
}

}  // namespace reactor
