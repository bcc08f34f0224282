// TLS as a ByteStream over any other ByteStream (RFC 8446, RFC 5246), on OpenSSL behind one static
// BIO_METHOD that calls the lower stream directly: no memory BIOs, no buffers while idle.
//
// Contexts are immutable and shared: a reload builds a new one for new connections, and streams
// keep the one they started with. Everything else is single-owner and belongs to one shard.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/failure.h"
#include "reactor/base/result.h"
#include "reactor/stream.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace reactor {

/// Who we are: our certificate first, then its intermediates; PEM text, the key not encrypted.
struct TlsIdentity {
    std::string certificate_chain_pem = {};
    std::string private_key_pem = {};
};

enum class TlsVersion : std::uint8_t { tls_1_2, tls_1_3 };

struct TlsServerOptions {
    TlsIdentity identity = {};  ///< For clients that name no host, or one that we do not know.
    /// By host name in lower case (A-labels): exact ("example.org") or "*.example.org", which
    /// covers one label. Exact wins.
    std::vector<std::pair<std::string, TlsIdentity>> hosts = {};
    /// In our order of preference. When set, a client that offers only others is refused with
    /// no_application_protocol (RFC 7301 §3.2); a client that offers none is accepted.
    std::vector<std::string> alpn = {};
    TlsVersion version_min = TlsVersion::tls_1_2;
    /// Ask for a client certificate (SASL EXTERNAL). A missing or unverifiable one is no error: see
    /// PeerCertificate::verified.
    bool request_client_certificate = false;
    /// PEM bundle that verifies client certificates; empty: the system's.
    std::string client_ca_file = {};
    /// TLS 1.3 tickets sent after a handshake; 0 turns resumption off.
    unsigned session_tickets = 1;
    /// What the tickets of TLS 1.3 are enciphered with, kTicketSecretBytes random bytes each: new
    /// ones with the first, others are still understood. Contexts with the same secrets and the
    /// same certificates understand each other's tickets, those of another process too; who learns
    /// a secret can pass for a client, but read nothing that was said (RFC 8446 §2.2: psk_dhe_ke).
    /// Empty: one of the context's own, as always for TLS 1.2, whose tickets would betray it.
    std::vector<std::string> ticket_secrets = {};
    /// RFC 8446 §4.6.1 allows seven days.
    base::Duration ticket_lifetime = std::chrono::hours(24);
};
inline constexpr std::size_t kTicketSecretBytes = 32;

class TlsServerContext {
public:
    /// Errors: invalid_argument (PEM that does not parse, a key that does not match; the text names
    /// the host), io_error (client_ca_file).
    static base::Result<std::shared_ptr<const TlsServerContext>> create(
        const TlsServerOptions& options);
    TlsServerContext(const TlsServerContext&) = delete;
    TlsServerContext& operator=(const TlsServerContext&) = delete;
    ~TlsServerContext();

    struct Impl;
    const Impl& impl() const noexcept { return *impl_; }

private:
    explicit TlsServerContext(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

enum class TlsVerify : std::uint8_t {
    none,            ///< Any certificate; `peer_certificate()->verified` still tells.
    chain,           ///< A chain to a trusted authority is required, whatever the name.
    chain_and_name,  ///< And the certificate must cover the name given to `TlsStream::client`.
};

struct TlsClientOptions {
    TlsVerify verify = TlsVerify::chain_and_name;
    std::string ca_file = {};                  ///< PEM bundle; empty: the system's.
    std::optional<TlsIdentity> identity = {};  ///< Our client certificate, if asked.
    std::vector<std::string> alpn = {};
    TlsVersion version_min = TlsVersion::tls_1_2;
    TlsVersion version_max = TlsVersion::tls_1_3;
};

class TlsClientContext {
public:
    static base::Result<std::shared_ptr<const TlsClientContext>> create(
        const TlsClientOptions& options);
    TlsClientContext(const TlsClientContext&) = delete;
    TlsClientContext& operator=(const TlsClientContext&) = delete;
    ~TlsClientContext();

    struct Impl;
    const Impl& impl() const noexcept { return *impl_; }

private:
    explicit TlsClientContext(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// With what a client takes up a session of TLS again in a shorter handshake: without certificates
/// and signatures, but with new keys (RFC 8446 §2.2). For one connection only (§C.4), to the same
/// server name, with the same TlsClientContext or one that verifies alike.
class TlsSession {
public:
    virtual ~TlsSession() = default;
};

/// What was negotiated; empty texts before the handshake is done.
struct TlsInfo {
    std::string version;      ///< "TLSv1.3"
    std::string cipher;       ///< "TLS_AES_256_GCM_SHA384"
    std::string alpn = {};    ///< Empty when none was agreed.
    std::string server_name;  ///< SNI as the client sent it, in lower case.
    bool resumed = false;
};

enum class ChannelBinding : std::uint8_t {
    tls_exporter,          ///< RFC 9266
    tls_server_end_point,  ///< RFC 5929 §4
    tls_unique,            ///< RFC 5929 §3; does not exist on TLS 1.3
    /// The first Finished message of the handshake on any version: tls-unique before TLS 1.3, and
    /// what clients that do not know better bind under that name on TLS 1.3.
    first_finished,
};

struct PeerCertificate {
    bool verified = false;     ///< The chain leads to a trusted authority and is valid now.
    std::string verify_error;  ///< Why not, as OpenSSL words it.
    std::string common_name;   ///< Of the subject; empty when absent.
    std::vector<std::string> xmpp_addresses;  ///< id-on-xmppAddr (RFC 6120 §13.7.1.4)
    std::vector<std::string> srv_names;       ///< id-on-dnsSRV (RFC 4985): "_xmpp-server.host"
    std::vector<std::string> dns_names;
    std::vector<std::string> emails;
    base::WallTime not_before;
    base::WallTime not_after;
    std::string fingerprint_sha256;  ///< Lower-case hex of the DER.
};

/// The handshake starts with the first of `handshake()`, `arm`, `try_read` and `try_writev` and
/// then drives itself. The mapping of readiness is complete: a read that needs to write first (and
/// the other way round) is `would_block`, and `arm` waits for the right thing.
///
/// Writing: several small buffers travel as one record, one system call. Bytes that `try_writev`
/// did not take must be offered again, first (as with a socket that took a part): when the socket
/// fills up in the middle of a record, all of the record but its last byte counts as taken, so that
/// a caller whose queue is empty knows that the kernel has everything.
///
/// A close without close_notify is `failed` with connection_lost, never end_of_stream. `close()`
/// sends close_notify if it fits and closes the lower stream; it never waits. `detach` and `attach`
/// move the lower stream along; not while `handshake()` is being awaited.
class TlsStream : public ByteStream {
public:
    /// `lower` must be attached, without bytes of the handshake read by anybody else.
    static std::unique_ptr<TlsStream> server(std::unique_ptr<ByteStream> lower,
                                             std::shared_ptr<const TlsServerContext> context);
    /// `server_name`: sent as SNI unless it is an IP address, and what the certificate must cover.
    /// `session`: resumed if the server likes; a full handshake otherwise.
    static std::unique_ptr<TlsStream> client(std::unique_ptr<ByteStream> lower,
                                             std::shared_ptr<const TlsClientContext> context,
                                             std::string server_name,
                                             std::unique_ptr<TlsSession> session = nullptr);

    /// Settles when the handshake is done. Fails with tls_failed (the text has the reason) or with
    /// what broke the lower stream. One at a time. Dropping it leaves the handshake going.
    virtual Deferred<void> handshake() = 0;
    virtual bool established() const noexcept = 0;
    /// What ended the stream: behind an IoResult `failed`, with OpenSSL's reason.
    virtual std::optional<base::Failure> failure() const = 0;

    /// Meaningful once established.
    virtual TlsInfo info() const = 0;
    /// The binding's bytes. Fails with unsupported where it is not defined: tls_unique on TLS 1.3,
    /// tls_exporter on TLS 1.2 without extended master secret, tls_server_end_point for signature
    /// algorithms without a hash (Ed25519).
    virtual base::Result<std::string> channel_binding(ChannelBinding type) const = 0;
    /// Whether there is one, without the work of computing it.
    virtual bool has_channel_binding(ChannelBinding type) const = 0;
    /// Nothing when the peer sent no certificate.
    virtual std::optional<PeerCertificate> peer_certificate() const = 0;
    /// Of a client: the session to be resumed next time, once the server has sent the means; null
    /// before. Also after the connection was lost, but not after `close` or `abort`.
    virtual std::unique_ptr<TlsSession> session() const = 0;
};

}  // namespace reactor
