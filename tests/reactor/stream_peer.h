// For the tests of streams: one end of a connection that reads all it gets and writes all it is
// given, as far as the stream lets it.
#pragma once

#include "reactor/base/bytes.h"
#include "reactor/outbound_buffer.h"
#include "reactor/stream.h"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace reactor::test {

class StreamPeer final : public StreamObserver {
public:
    explicit StreamPeer(std::unique_ptr<ByteStream> stream, std::size_t read_max = 4096)
        : stream_(std::move(stream)), read_max_(read_max) {
        watch();
    }
    StreamPeer(const StreamPeer&) = delete;
    StreamPeer& operator=(const StreamPeer&) = delete;

    void send(std::string_view text) {
        queue_.append(text);
        flush();
    }
    /// Stops and restarts reading, as a slow application does.
    void pause() {
        paused_ = true;
        stream_->disarm(Interest::readable);
    }
    void resume() {
        paused_ = false;
        stream_->arm(Interest::readable);
    }
    /// Takes the stream's events again, after it has moved to another shard.
    void watch() {
        stream_->set_observer(this);
        stream_->arm(Interest::readable);
        if (!queue_.empty()) stream_->arm(Interest::writable);
    }
    ByteStream& stream() { return *stream_; }
    std::unique_ptr<ByteStream> release() {
        stream_->set_observer(nullptr);
        return std::move(stream_);
    }
    void destroy() { stream_.reset(); }

    const std::string& received() const { return received_; }
    std::string take() { return std::exchange(received_, {}); }
    bool ended() const { return ended_; }
    const std::optional<base::Errc>& failed() const { return failed_; }
    std::size_t unsent() const { return queue_.size_bytes(); }

private:
    void on_ready(Interest interest) override {
        if (interest == Interest::writable) return flush();
        std::array<std::byte, 4096> bytes;
        while (!paused_) {
            const IoResult result =
                stream_->try_read(std::span(bytes).first(std::min(read_max_, bytes.size())));
            if (result.status == IoStatus::ok) {
                received_ += base::as_text(std::span(bytes).first(result.bytes));
                if (result.maybe_more) continue;
                return stream_->arm(Interest::readable);
            }
            if (result.status == IoStatus::would_block) return stream_->arm(Interest::readable);
            if (result.status == IoStatus::end_of_stream) ended_ = true;
            if (result.status == IoStatus::failed) failed_ = result.error;
            return;
        }
    }
    void flush() {
        const IoResult result = queue_.flush(*stream_);
        if (result.status == IoStatus::would_block) stream_->arm(Interest::writable);
        if (result.status == IoStatus::failed) failed_ = result.error;
    }

    std::unique_ptr<ByteStream> stream_;
    std::size_t read_max_;
    OutboundQueue queue_;
    std::string received_;
    std::optional<base::Errc> failed_;
    bool ended_ = false;
    bool paused_ = false;
};

}  // namespace reactor::test
