// ClientService: the client-to-server side of one shard (RFC 6120, XEP-0368): listeners, limits per
// address, the sessions that live here, reload and orderly shutdown. One per shard; a connection is
// accepted on any shard and moves to its account's shard when it has logged in.
#pragma once

#include "reactor/network.h"
#include "reactor/tls.h"
#include "server/accounts/resource.h"
#include "server/config/config.h"
#include "server/config/hosts.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reactor {
struct World;
}
namespace storage {
class Database;
struct SmSession;
}  // namespace storage

namespace server {

class Accounts;
class BeforeLogin;
class Metrics;
class Router;

/// The TLS contexts of the two kinds of port. Immutable; a reload builds new ones and streams keep
/// the one they started with.
struct ClientTls {
    std::shared_ptr<const reactor::TlsServerContext> starttls;
    std::shared_ptr<const reactor::TlsServerContext> direct;  ///< ALPN "xmpp-client" (XEP-0368 §3).
};

/// Both contexts from one set of certificates. ALPN, TLS version and whether client certificates
/// are asked for (SASL EXTERNAL) are taken from `config`, the rest from `options`.
base::Result<ClientTls> make_client_tls(reactor::TlsServerOptions options, const Config& config);

/// How a connection starts: in the clear with STARTTLS demanded, or with TLS at once.
enum class ClientTransport : std::uint8_t { starttls, direct_tls };

class ClientService {
public:
    /// References outlive the service.
    struct Parts {
        reactor::World& world;
        const Hosts& hosts;
        Router& router;
        Accounts& accounts;
        storage::Database& database;
        Metrics& metrics;
        /// Random bytes, at least 16, the same on all shards and over restarts
        /// (storage::kMetaScramFakeSaltSecret).
        std::string fake_salt_secret;
        /// Who answers requests of clients that are not logged in (XEP-0077); null: nobody.
        BeforeLogin* before_login = nullptr;
    };

    ClientService(Parts parts, const Config& config, ClientTls tls);
    ClientService(const ClientService&) = delete;
    ClientService& operator=(const ClientService&) = delete;
    /// Ends what still lives without a word; `shut_down` is the polite way.
    ~ClientService();

    /// The services of all shards, index = shard id; once, before the first connection. Without it
    /// every account is taken to live here.
    void connect(std::vector<ClientService*> all);

    /// Starts to listen on every configured address and port. On failure none is listened on.
    base::Result<void> listen();
    /// What is listened on, with the ports that the system chose.
    std::vector<reactor::Endpoint> endpoints(ClientTransport transport) const;

    /// Serves a connection as if it had come in through a listener (tests, and sockets handed
    /// over).
    void accept(std::unique_ptr<reactor::ByteStream> connection, ClientTransport transport);

    /// New settings and certificates: for new connections all of them, for existing ones the
    /// limits.
    void reload(const Config& config, ClientTls tls);

    /// Adds an element to the stream features that follow a login (RFC 6120 §4.3.2): entity
    /// capabilities of the server and the like. `make` gets the virtual host.
    void add_feature(std::function<xmpp::Element(std::string_view host)> make);

    /// Streams that could be resumed before a restart: they are there again, without a connection,
    /// and those that a crash ended are remembered (XEP-0198 §5). Before `listen`; all of them live
    /// on this shard.
    reactor::Deferred<void> restore(std::vector<storage::SmSession> streams);

    /// Stops listening, reads no more from clients that can resume, sends system-shutdown to all
    /// other streams and waits until what is queued for them has been taken and they have closed,
    /// at most `grace`; then drops them. Settles with success.
    reactor::Deferred<void> shut_down(base::Duration grace);
    /// After `shut_down`, and once nothing is under way any more: saves the sessions that can be
    /// resumed and cuts their connections.
    reactor::Deferred<void> suspend();

    std::size_t connection_count() const;  ///< With those that are not logged in.
    std::size_t session_count() const;     ///< Bound ones.
    /// The bound sessions of this shard. `visit` must not open or close any.
    void for_each(const std::function<void(const SessionInfo&)>& visit) const;
    /// A bound session of this shard, or null. Valid until the end of the turn at most.
    SessionSink* find(SessionId id) const;
    /// Closes the sessions of a full or bare JID that live here; says how many.
    std::size_t kick(const xmpp::Jid& jid, const xmpp::StreamError& error);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace server
