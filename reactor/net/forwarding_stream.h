// ForwardingStream: a ByteStream that passes everything on to another one; the base of policies
// that wrap a connection (throttling, taps).
#pragma once

#include "reactor/stream.h"

#include <memory>
#include <utility>

namespace reactor {

class ForwardingStream : public ByteStream {
public:
    explicit ForwardingStream(std::unique_ptr<ByteStream> lower) : lower_(std::move(lower)) {}

    IoResult try_read(std::span<std::byte> into) override { return lower_->try_read(into); }
    IoResult try_writev(std::span<const ConstBuffer> buffers) override {
        return lower_->try_writev(buffers);
    }
    void set_observer(StreamObserver* observer) override { lower_->set_observer(observer); }
    void arm(Interest interest) override { lower_->arm(interest); }
    void disarm(Interest interest) override { lower_->disarm(interest); }
    void shutdown_write() override { lower_->shutdown_write(); }
    void close() override { lower_->close(); }
    void abort() override { lower_->abort(); }
    Endpoint peer() const override { return lower_->peer(); }
    Endpoint local() const override { return lower_->local(); }
    void detach() override { lower_->detach(); }
    void attach(World& world) override { lower_->attach(world); }

protected:
    ByteStream& lower() noexcept { return *lower_; }
    void replace_lower(std::unique_ptr<ByteStream> lower) noexcept { lower_ = std::move(lower); }

private:
    std::unique_ptr<ByteStream> lower_;
};

}  // namespace reactor
