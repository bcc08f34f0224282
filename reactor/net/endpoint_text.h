// Endpoints as text, as an operator writes them: "tls:example.org:5222", "tcp:[::1]:80",
// "unix:/run/x", "unix:@abstract". The syntax is Twisted's (clientFromString, serverFromString):
// parts separated by colons, options as name=value, a backslash before a colon that belongs to a
// part; an IPv6 address may stand in brackets instead.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/network.h"
#include "reactor/tls.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace reactor {

class Resolver;

enum class EndpointKind : std::uint8_t { tcp, tls, unix_socket, descriptor };

/// tcp:HOST:PORT[:timeout=SECONDS][:bind=ADDRESS]
/// tls:HOST:PORT[:timeout=SECONDS][:bind=ADDRESS][:name=SNI]
/// unix:PATH[:timeout=SECONDS]
struct ClientEndpoint {
    EndpointKind kind = EndpointKind::tcp;
    std::string host = {};  ///< Name or numeric address; or the path of a Unix-domain socket.
    std::uint16_t port = 0;
    base::Duration timeout = std::chrono::seconds(30);
    std::optional<Endpoint> source = {};
    std::string tls_name = {};  ///< What the certificate must cover; `host` unless given.
};

/// tcp:PORT[:interface=ADDRESS][:backlog=N][:shared]
/// tls:PORT with the same options
/// unix:PATH[:mode=OCTAL][:backlog=N]
/// fd:NUMBER, a listening socket that a parent left
struct ServerEndpoint {
    EndpointKind kind = EndpointKind::tcp;
    ListenOptions listen = {};
    int descriptor = -1;
};

/// invalid_argument; the text says what is wrong with which part, and names the option that may
/// have been meant.
base::Result<ClientEndpoint> parse_client_endpoint(std::string_view text);
base::Result<ServerEndpoint> parse_server_endpoint(std::string_view text);

/// Resolves the name, connects to whichever address answers first (connect_any.h) and, for "tls",
/// completes the handshake; all within the endpoint's timeout. `context`: for "tls"; null fails
/// with invalid_argument. Fails as its parts do; cancelling or dropping ends the attempt.
Deferred<std::unique_ptr<ByteStream>> connect_to(
    World& world, Resolver& resolver, ClientEndpoint endpoint,
    std::shared_ptr<const TlsClientContext> context = nullptr);

/// Listens as the endpoint says. With "tls" the streams that `accepted` gets are TLS servers with
/// `context` (required), their handshake not begun.
base::Result<std::unique_ptr<Listener>> listen_on(
    World& world, const ServerEndpoint& endpoint, AcceptFunction accepted,
    std::shared_ptr<const TlsServerContext> context = nullptr);

}  // namespace reactor
