// ByteStream: a full-duplex byte connection with a readiness contract. It owns no buffers, so an
// idle connection costs next to nothing; TCP sockets, TLS and in-memory pipes look the same.
//
// The contract: try to read or write; on `would_block` call `arm()`; the observer is told once when
// trying again makes sense; arm again for the next time. All calls happen on the stream's shard.
#pragma once

#include "reactor/base/failure.h"
#include "reactor/deferred.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reactor {

struct World;

enum class IoStatus : std::uint8_t { ok, would_block, end_of_stream, failed };

/// The outcome of one attempt. `bytes` > 0 only with `ok`; `error` only with `failed`.
struct IoResult {
    IoStatus status = IoStatus::ok;
    std::size_t bytes = 0;
    base::Errc error = base::Errc::internal;
    /// More bytes may be there at once (false after a short read of a socket: arm, don't probe).
    bool maybe_more = true;
};

using ConstBuffer = std::span<const std::byte>;

enum class Interest : std::uint8_t { readable, writable };

/// Told, from the loop and never from inside a call on the stream, that a try is worthwhile.
/// It may destroy the stream from there, or detach it and hand it to another shard.
class StreamObserver {
public:
    virtual void on_ready(Interest interest) = 0;

protected:
    ~StreamObserver() = default;
};

/// An IP address and port, or the path of a Unix-domain socket.
struct Endpoint {
    std::string address;     ///< Numeric IPv4 or IPv6 address; or "unix:" and a path.
    std::uint16_t port = 0;  ///< 0 when listening: the system chooses.

    bool is_unix() const { return address.starts_with("unix:"); }
    std::string to_string() const;  ///< "127.0.0.1:5222", "[::1]:5222", "unix:/run/x"
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

class ByteStream {
public:
    /// Closes at once if still open, without waiting for anything.
    virtual ~ByteStream() = default;

    virtual IoResult try_read(std::span<std::byte> into) = 0;
    /// Gathers; may take a part. An empty list is `ok` with 0 bytes.
    virtual IoResult try_writev(std::span<const ConstBuffer> buffers) = 0;

    /// The one observer; null to have none. Must outlive the stream or be replaced before.
    virtual void set_observer(StreamObserver* observer) = 0;
    /// Asks for one `on_ready(interest)`; at once (next step) if it is ready already. Idempotent.
    virtual void arm(Interest interest) = 0;
    virtual void disarm(Interest interest) = 0;

    /// No more writes from us: FIN, or close_notify for TLS. Reading goes on.
    virtual void shutdown_write() = 0;
    /// Orderly close: what the kernel (or TLS) accepted is still sent; no more calls but the
    /// destructor.
    virtual void close() = 0;
    /// Reset: unsent bytes are dropped, the peer sees a broken connection.
    virtual void abort() = 0;

    virtual Endpoint peer() const = 0;
    virtual Endpoint local() const = 0;

    /// Leaves its loop, so that the object may be handed to another shard (thread). Armed interests
    /// are forgotten; the observer is cleared.
    virtual void detach() = 0;
    /// Joins the loop of `world`; to be called on that shard. Afterwards set the observer and arm.
    virtual void attach(World& world) = 0;
};

/// The awaitable form of `arm`, for coroutines and tests; it occupies the observer of `stream`
/// until it settles. Dropping it disarms; drop it before the stream goes.
Deferred<void> when_ready(ByteStream& stream, Interest interest);

}  // namespace reactor
