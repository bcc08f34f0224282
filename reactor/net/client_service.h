// ClientService: keeps one connection up: connects, runs a session on it, waits and connects again
// when it ends. Twisted's ClientService with the same states; retries grow and are jittered.
#pragma once

#include "reactor/net/connection.h"
#include "reactor/retry.h"

#include <memory>
#include <optional>
#include <string_view>

namespace reactor {

/// initial -start-> connecting -ok-> connected -lost-> waiting -time-> connecting
/// connecting -fails-> waiting; any -stop-> disconnecting -> stopped; start while disconnecting:
/// restarting, then connecting.
enum class ClientState : std::uint8_t {
    initial,
    connecting,
    waiting,
    connected,
    disconnecting,
    restarting,
    stopped,
};
std::string_view name_of(ClientState state) noexcept;

struct ClientServiceOptions {
    /// Between attempts; attempt 1 is the first after a success. `attempts_max` is not looked at.
    Backoff backoff{.initial = std::chrono::milliseconds(1500),
                    .max = std::chrono::seconds(60),
                    .factor = 1.5,
                    .jitter = 0.4};
    /// Replaces `backoff`: the wait after failed attempt n (from 1).
    base::UniqueFunction<base::Duration(std::uint32_t)> retry_wait = {};
    ConnectionOptions connection = {};
};

class ClientService {
public:
    using Connect = base::UniqueFunction<Deferred<std::unique_ptr<ByteStream>>()>;
    /// Before the connection counts as connected (a login); a failure counts as a failed attempt.
    using Prepare = base::UniqueFunction<Deferred<void>(Connection&)>;
    /// Lives on the connection; when it settles, the connection is closed and made again.
    using Session = base::UniqueFunction<Deferred<void>(Connection&)>;

    /// Logs "client.state" with from and to (debug) and "client.attempt_failed" (info).
    ClientService(World& world, Connect connect, Session session, Prepare prepare = {},
                  ClientServiceOptions options = {});
    ClientService(const ClientService&) = delete;
    ClientService& operator=(const ClientService&) = delete;
    /// Drops whatever is under way; waiting Deferreds fail with `closed`.
    ~ClientService();

    /// No effect while it runs. While it is disconnecting: connects again afterwards.
    void start();
    /// Ends the attempt, the wait or the session (which is cancelled and may clean up). Settles
    /// when all is closed. Those who wait for a connection get `cancelled`. Several callers may
    /// wait.
    Deferred<void> stop();

    /// The connection, at once if there is one. It is valid until the session ends: use it in the
    /// same turn. Fails with `cancelled` at stop (and when stopped), and, with `failures_max`,
    /// with the last reason after so many more failed attempts.
    Deferred<Connection*> when_connected(std::optional<std::uint32_t> failures_max = {});

    ClientState state() const noexcept;
    /// In a row, without a success between them.
    std::uint32_t failed_attempts() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace reactor
