// TrafficTap: shows every byte of a connection to somebody, for protocol traces and counters. What
// is shown was really read or taken by the stream below.
#pragma once

#include "reactor/base/unique_function.h"
#include "reactor/net/forwarding_stream.h"

namespace reactor {

enum class Direction : std::uint8_t { in, out };

class TrafficTap final : public ForwardingStream {
public:
    /// `shown` must not touch the stream. The bytes live during the call only.
    using Shown = base::UniqueFunction<void(Direction, std::span<const std::byte>)>;

    TrafficTap(std::unique_ptr<ByteStream> lower, Shown shown)
        : ForwardingStream(std::move(lower)), shown_(std::move(shown)) {}

    IoResult try_read(std::span<std::byte> into) override {
        const IoResult result = lower().try_read(into);
        if (result.bytes > 0) shown_(Direction::in, into.first(result.bytes));
        return result;
    }
    IoResult try_writev(std::span<const ConstBuffer> buffers) override {
        const IoResult result = lower().try_writev(buffers);
        std::size_t left = result.bytes;
        for (const ConstBuffer& buffer : buffers) {
            const std::size_t count = left < buffer.size() ? left : buffer.size();
            if (count > 0) shown_(Direction::out, buffer.first(count));
            left -= count;
        }
        return result;
    }

private:
    Shown shown_;
};

}  // namespace reactor
