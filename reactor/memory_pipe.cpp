// See memory_pipe.h. Each end owns the bytes on their way to it and points at the other end until
// one of the two is gone.
#include "reactor/memory_pipe.h"

#include "reactor/base/check.h"
#include "reactor/reactor.h"
#include "reactor/ready_signal.h"
#include "reactor/world.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace reactor {
namespace {

class PipeEnd final : public ByteStream {
public:
    PipeEnd(World& world, const MemoryPipeOptions& options) : world_(&world), options_(options) {}
    ~PipeEnd() override { close(); }

    static void join(PipeEnd& a, PipeEnd& b) {
        a.other_ = &b;
        b.other_ = &a;
    }

    IoResult try_read(std::span<std::byte> into) override;
    IoResult try_writev(std::span<const ConstBuffer> buffers) override;
    void set_observer(StreamObserver* observer) override { signal_.set_observer(observer); }
    void arm(Interest interest) override {
        signal_.arm(interest);
        if (is_ready(interest)) owe(interest);
    }
    void disarm(Interest interest) override { signal_.disarm(interest); }
    void shutdown_write() override;
    void close() override;
    void abort() override;
    Endpoint peer() const override { return {"127.0.0.1", 0}; }
    Endpoint local() const override { return {"127.0.0.1", 0}; }
    void detach() override {
        signal_.reset();
        world_ = nullptr;
    }
    void attach(World& world) override {
        CHECK(world_ == nullptr);
        world_ = &world;
    }

private:
    std::size_t waiting() const { return inbox_.size() - read_; }
    std::size_t limited(std::size_t bytes) const {
        return options_.transfer_max == 0 ? bytes : std::min(bytes, options_.transfer_max);
    }
    bool write_fails() const { return closed_ || reset_ || write_shut_ || other_ == nullptr; }
    bool is_ready(Interest interest) const {
        if (interest == Interest::readable)
            return waiting() > 0 || input_ended_ || reset_ || closed_;
        return write_fails() || other_->waiting() < options_.capacity;
    }
    /// Something changed for this end, which hears of it in its own world.
    void owe(Interest interest) {
        if (world_ != nullptr) signal_.owe(interest, world_->reactor.ready_queue());
    }
    void part(bool broken);

    World* world_;
    MemoryPipeOptions options_;
    PipeEnd* other_ = nullptr;
    ReadySignal signal_;
    std::string inbox_;
    std::size_t read_ = 0;      // Bytes of inbox_ that were read.
    bool input_ended_ = false;  // Nothing comes after inbox_.
    bool reset_ = false;        // The other end aborted.
    bool write_shut_ = false;
    bool closed_ = false;
};

IoResult PipeEnd::try_read(std::span<std::byte> into) {
    if (reset_) return {.status = IoStatus::failed, .error = base::Errc::connection_lost};
    if (closed_) return {.status = IoStatus::failed, .error = base::Errc::closed};
    const std::size_t count = limited(std::min(into.size(), waiting()));
    if (waiting() == 0) {
        return {.status = input_ended_ ? IoStatus::end_of_stream : IoStatus::would_block,
                .maybe_more = false};
    }
    std::memcpy(into.data(), inbox_.data() + read_, count);
    const bool was_full = waiting() >= options_.capacity;
    read_ += count;
    if (waiting() == 0) {
        inbox_ = {};
        read_ = 0;
    } else if (read_ >= options_.capacity) {
        inbox_.erase(0, read_);
        read_ = 0;
    }
    if (was_full && count > 0 && other_ != nullptr) other_->owe(Interest::writable);
    return {.bytes = count, .maybe_more = waiting() > 0 || input_ended_};
}

IoResult PipeEnd::try_writev(std::span<const ConstBuffer> buffers) {
    if (closed_ || write_shut_) return {.status = IoStatus::failed, .error = base::Errc::closed};
    if (reset_ || other_ == nullptr)
        return {.status = IoStatus::failed, .error = base::Errc::connection_lost};
    std::size_t space = limited(options_.capacity - std::min(options_.capacity, other_->waiting()));
    std::size_t offered = 0;
    std::size_t taken = 0;
    for (const ConstBuffer& buffer : buffers) {
        offered += buffer.size();
        const std::size_t count = std::min(space, buffer.size());
        other_->inbox_.append(reinterpret_cast<const char*>(buffer.data()), count);
        space -= count;
        taken += count;
    }
    if (taken > 0) other_->owe(Interest::readable);
    if (taken == 0 && offered > 0) return {.status = IoStatus::would_block, .maybe_more = false};
    return {.bytes = taken, .maybe_more = taken == offered};
}

void PipeEnd::shutdown_write() {
    if (write_fails()) return;
    write_shut_ = true;
    other_->input_ended_ = true;
    other_->owe(Interest::readable);
}

void PipeEnd::part(bool broken) {
    if (closed_) return;
    closed_ = true;
    if (other_ == nullptr) return;
    PipeEnd& other = *std::exchange(other_, nullptr);
    other.other_ = nullptr;
    other.input_ended_ = true;
    if (broken) {
        other.reset_ = true;
        other.inbox_ = {};
        other.read_ = 0;
    }
    other.owe(Interest::readable);
    other.owe(Interest::writable);
}

void PipeEnd::close() {
    part(false);
}
void PipeEnd::abort() {
    part(true);
}

}  // namespace

std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>> memory_pipe(
    World& a, World& b, MemoryPipeOptions options) {
    CHECK(options.capacity > 0);
    auto first = std::make_unique<PipeEnd>(a, options);
    auto second = std::make_unique<PipeEnd>(b, options);
    PipeEnd::join(*first, *second);
    return {std::move(first), std::move(second)};
}

}  // namespace reactor
