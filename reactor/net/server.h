// Server: accepts connections and runs a session on each: a coroutine over a Connection, or a
// Protocol of a factory. Limits, timeouts and an awaited stop included.
#pragma once

#include "reactor/net/connection.h"
#include "reactor/net/connection_limits.h"
#include "reactor/network.h"

#include <functional>
#include <memory>
#include <optional>

namespace reactor {

class ProtocolFactory;

struct ServerOptions {
    ConnectionOptions connection = {};
    ConnectionLimitsOptions limits = {};
    /// Without a byte read from the peer for so long: the session is cancelled.
    std::optional<base::Duration> idle_timeout = {};
    /// Of a session as a whole.
    std::optional<base::Duration> session_timeout = {};
    /// Made before anything else of each connection: TLS, throttles, taps. May return null to
    /// refuse.
    std::function<std::unique_ptr<ByteStream>(std::unique_ptr<ByteStream>)> wrap = {};
};

struct ServerStatistics {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;  ///< By a limit, by `wrap` or by the factory.
    std::uint64_t expired = 0;  ///< Ended by a timeout.
    std::size_t open = 0;
};

class Server {
public:
    /// Called on each connection, which lives until the Deferred settles and is then closed
    /// (flushed first). A failure other than the end of the connection is logged as
    /// "server.session_failed". Stored until the server goes, so captures are safe.
    using Session = base::UniqueFunction<Deferred<void>(Connection&)>;

    /// Sessions come from `adopt` or from a Listener that `listen` made.
    Server(World& world, Session session, ServerOptions options = {});
    /// `factory` must outlive the server.
    Server(World& world, ProtocolFactory& factory, ServerOptions options = {});
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    /// Drops every session.
    ~Server();

    /// Once or several times, on several addresses. The endpoint it listens on (with the port that
    /// the system chose). Errors as Network::listen; closed after `stop`.
    base::Result<Endpoint> listen(ListenOptions options);
    /// Serves a connection that came otherwise (an adopted socket).
    void adopt(std::unique_ptr<ByteStream> stream);
    /// What to hand to `adopt_listener`; the listener must go before the server.
    AcceptFunction accept_function();
    void add_listener(std::unique_ptr<Listener> listener);

    /// Stops accepting at once, asks every session to end (cancel), waits for their clean-up and
    /// for unsent bytes, at most `grace`; drops the rest.
    Deferred<void> stop(base::Duration grace);
    /// Sessions end by themselves from now on; no new ones.
    void stop_accepting();
    ServerStatistics statistics() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace reactor
