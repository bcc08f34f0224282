// A connection that takes every byte and never has one: the far end of what is measured.
#pragma once

#include "reactor/stream.h"

#include <algorithm>
#include <cstdint>

namespace bench {

class NullStream final : public reactor::ByteStream {
public:
    /// Takes at most so many bytes at once.
    explicit NullStream(std::size_t take_max = SIZE_MAX) : take_max_(take_max) {}

    reactor::IoResult try_read(std::span<std::byte>) override {
        return {.status = reactor::IoStatus::would_block};
    }
    reactor::IoResult try_writev(std::span<const reactor::ConstBuffer> buffers) override {
        std::size_t offered = 0;
        for (const reactor::ConstBuffer& buffer : buffers)
            offered += buffer.size();
        const std::size_t taken = std::min(offered, take_max_);
        written_ += taken;
        return {.bytes = taken};
    }
    void set_observer(reactor::StreamObserver*) override {}
    void arm(reactor::Interest) override {}
    void disarm(reactor::Interest) override {}
    void shutdown_write() override {}
    void close() override {}
    void abort() override {}
    reactor::Endpoint peer() const override { return {}; }
    reactor::Endpoint local() const override { return {}; }
    void detach() override {}
    void attach(reactor::World&) override {}

    std::uint64_t written() const noexcept { return written_; }

private:
    std::size_t take_max_;
    std::uint64_t written_ = 0;
};

}  // namespace bench
