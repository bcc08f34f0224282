// Connection: a ByteStream with a queue in front of it and awaitable reading, for programs that do
// not want to live on the readiness contract. Writes are gathered and leave at the end of the turn;
// watermarks tell the writer to wait; a hard cap bounds the memory of a slow receiver. Nothing is
// read that nobody asked for, so TCP holds back a peer that is too fast.
#pragma once

#include "reactor/outbound_buffer.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reactor {

/// Writes by itself while the connection takes it: a push producer in Twisted's words. Told from
/// inside `write` and from the loop.
class PushSource {
public:
    virtual void pause() = 0;   ///< The high watermark is reached.
    virtual void resume() = 0;  ///< Down to the low watermark.
    virtual void stop() = 0;    ///< The connection is lost; no more calls.

protected:
    ~PushSource() = default;
};

/// What `write` does beyond write_bytes_max: refuse (the caller sheds), or abort the connection.
enum class Overflow : std::uint8_t { refuse, abort };

struct ConnectionOptions {
    std::size_t write_high_bytes = 65'536;    ///< `drain` waits from here on,
    std::size_t write_low_bytes = 16'384;     ///< until this is left.
    std::size_t write_bytes_max = 1'048'576;  ///< The hard cap.
    Overflow on_overflow = Overflow::abort;
    std::size_t line_bytes_max = 65'536;                     ///< For `read_until`.
    base::Duration close_timeout = std::chrono::seconds(5);  ///< For `close` to flush; then abort.
};

class Connection final : private StreamObserver, private TurnEnd {
public:
    Connection(World& world, std::unique_ptr<ByteStream> stream, ConnectionOptions options = {});
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    /// Closes at once; what was not flushed is lost. Reads and drains under way fail with `closed`.
    ~Connection();

    // Reading: one at a time; `busy` otherwise. Dropping a read keeps its bytes for the next.

    /// Some bytes; empty at the orderly end of input. Fails with what broke the connection.
    Deferred<std::string> read();
    /// Exactly `count` bytes. connection_done: the input ended before the first; connection_lost:
    /// in the middle.
    Deferred<std::string> read_exactly(std::size_t count);
    /// The bytes before `delimiter`, which is taken off. resource_exhausted: line_bytes_max passed
    /// without one (the bytes stay). Ends as `read_exactly` does.
    Deferred<std::string> read_until(std::string delimiter);
    /// Reads wait until `resume_reading`; the peer is held back by TCP.
    void pause_reading() noexcept;
    void resume_reading();

    // Writing: never blocks. Errors: closed (ended, or after `close`), queue_full (see Overflow).

    base::Result<void> write(std::string_view bytes);
    base::Result<void> write(base::SharedBytes bytes);
    /// Settles at once below the high watermark, else when the low one is reached. Fails with what
    /// ended the connection.
    Deferred<void> drain();
    std::size_t unsent_bytes() const noexcept { return queue_.size_bytes(); }
    /// One at a time: already_exists. On a connection that ended: `stop` is called, and `closed`.
    /// `source` must be unregistered before it goes.
    base::Result<void> register_source(PushSource& source);
    void unregister_source() noexcept { source_ = nullptr; }

    /// Flushes, then ends our side only; reading goes on.
    void shutdown_write();
    /// Flushes and closes. Settles when everything is with the kernel; timed_out when that took
    /// longer than close_timeout (then it was aborted). A registered source is told to stop at
    /// once. Dropping the Deferred does not stop the closing.
    Deferred<void> close();
    /// Drops what is unsent; the peer sees a broken connection.
    void abort();

    /// Why it ended: connection_done (by `close`, or both sides ended), connection_aborted (by
    /// us), or what broke it. Nothing while it lives.
    const std::optional<base::Failure>& ended() const noexcept { return ended_; }
    /// Settles with that reason once, never inside another call.
    Deferred<base::Failure> when_ended();

    /// Replaces the stream by one on top of it (STARTTLS). Bytes read and not consumed were sent
    /// in the clear before the peer could know: they fail it with invalid_argument, as does unsent
    /// output with `busy` (drain to zero first).
    base::Result<void> upgrade(
        base::UniqueFunction<std::unique_ptr<ByteStream>(std::unique_ptr<ByteStream>)> wrap);
    ByteStream& stream() noexcept { return *stream_; }
    const Endpoint& peer() const noexcept { return peer_; }
    World& world() noexcept { return world_; }

private:
    class Reading;
    void on_ready(Interest interest) override;
    void on_turn_end() override { flush(); }
    enum class Fill : std::uint8_t { more, end, wait };  // Wait for `readable_`.
    base::Result<Fill> fill();
    base::Failure ended_early() const;
    IoResult read_now();
    template <class Bytes>
    base::Result<void> enqueue(Bytes bytes, std::size_t size);
    void flush();
    void relieve();
    void end(base::Failure reason);

    World& world_;
    std::unique_ptr<ByteStream> stream_;
    ConnectionOptions options_;
    Endpoint peer_;
    OutboundQueue queue_;
    std::string unread_;
    std::optional<base::Failure> ended_;
    std::optional<Promise<void>> readable_;  // Of the read that waits.
    std::vector<Promise<void>> drains_;
    std::vector<Promise<void>> closers_;
    std::vector<Promise<base::Failure>> enders_;
    PushSource* source_ = nullptr;
    Reading* reading_ = nullptr;
    CallbackTimer close_timer_;
    bool congested_ = false;
    bool closing_ = false;
    bool shutting_ = false;  // Our side ends when the queue is empty.
    bool shut_ = false;
    bool input_ended_ = false;
    bool reading_paused_ = false;
};

/// Copies `from` to `to` as fast as both allow until the input of `from` ends; how many bytes.
/// Fails with what broke either. Ends neither; both must outlive it.
Deferred<std::uint64_t> pipe(Connection& from, Connection& to);
/// Copies both ways and passes the end of each input on (a proxy). Both must outlive it.
Deferred<void> pipe_both(Connection& one, Connection& other);

}  // namespace reactor
