// What an established TLS connection tells about itself: negotiated parameters, channel bindings
// (RFC 5929, RFC 9266) and the peer's certificate.
#include "reactor/base/text.h"
#include "reactor/tls_openssl.h"

#include <array>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::string_view kExporterLabel = "EXPORTER-Channel-Binding";
constexpr std::size_t kExporterBytes = 32;

// Without the extended master secret two connections may share their keys (RFC 7627 §1, RFC 9266
// §3), which is what a channel binding must rule out.
bool keys_are_unique(SSL* ssl) {
    return SSL_version(ssl) >= TLS1_3_VERSION || SSL_get_extms_support(ssl) == 1;
}

Result<std::string> exporter_binding(SSL* ssl) {
    if (!keys_are_unique(ssl))
        return fail(Errc::unsupported, "tls-exporter needs the extended master secret");
    std::string out(kExporterBytes, '\0');
    // A zero-length context, which on TLS 1.2 is not the same as none (RFC 5705 §4, RFC 9266 §2).
    const unsigned char no_context = 0;
    if (SSL_export_keying_material(ssl, reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                   kExporterLabel.data(), kExporterLabel.size(), &no_context, 0,
                                   1) != 1)
        return fail(Errc::internal, take_openssl_error("no keying material"));
    return out;
}

const X509* server_certificate(SSL* ssl) {
    return SSL_is_server(ssl) ? SSL_get_certificate(ssl) : SSL_get0_peer_certificate(ssl);
}

// NID_undef: none, or not a single one.
int signature_hash(const X509* certificate) {
    int hash = NID_undef;
    X509* looked_at = const_cast<X509*>(certificate);  // OpenSSL 3.0 caches the answer inside.
    if (X509_get_signature_info(looked_at, &hash, nullptr, nullptr, nullptr) == 1) return hash;
    ERR_clear_error();
    return NID_undef;
}

Result<std::string> end_point_binding(SSL* ssl) {
    const X509* certificate = server_certificate(ssl);
    if (certificate == nullptr) return fail(Errc::unsupported, "the server has no certificate");
    int hash = signature_hash(certificate);
    if (hash == NID_undef)
        return fail(Errc::unsupported, "the certificate's signature has no single hash function");
    if (hash == NID_md5 || hash == NID_sha1) hash = NID_sha256;  // RFC 5929 §4.1
    const EVP_MD* digest = EVP_get_digestbynid(hash);
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    if (digest == nullptr || X509_digest(certificate, digest, bytes.data(), &size) != 1)
        return fail(Errc::unsupported, take_openssl_error("unknown hash function"));
    return std::string(reinterpret_cast<const char*>(bytes.data()), size);
}

// The first Finished message of the handshake: the client's, or the server's when it resumed.
Result<std::string> first_finished(SSL* ssl) {
    if (!keys_are_unique(ssl))
        return fail(Errc::unsupported, "tls-unique needs the extended master secret");
    const bool server_first = SSL_session_reused(ssl) == 1;
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    const std::size_t size = (SSL_is_server(ssl) == 1) == server_first
                                 ? SSL_get_finished(ssl, bytes.data(), bytes.size())
                                 : SSL_get_peer_finished(ssl, bytes.data(), bytes.size());
    if (size == 0) return fail(Errc::internal, "no Finished message");
    return std::string(reinterpret_cast<const char*>(bytes.data()), size);
}

}  // namespace

bool has_channel_binding_of(SSL* ssl, ChannelBinding type) {
    switch (type) {
        case ChannelBinding::tls_exporter:
        case ChannelBinding::first_finished:
            return keys_are_unique(ssl);
        case ChannelBinding::tls_unique:
            return SSL_version(ssl) < TLS1_3_VERSION && keys_are_unique(ssl);
        case ChannelBinding::tls_server_end_point: {
            const X509* certificate = server_certificate(ssl);
            return certificate != nullptr && signature_hash(certificate) != NID_undef;
        }
    }
    return false;
}

Result<std::string> channel_binding_of(SSL* ssl, ChannelBinding type) {
    ERR_clear_error();
    switch (type) {
        case ChannelBinding::tls_exporter:
            return exporter_binding(ssl);
        case ChannelBinding::tls_server_end_point:
            return end_point_binding(ssl);
        case ChannelBinding::tls_unique:
            if (SSL_version(ssl) >= TLS1_3_VERSION)
                return fail(Errc::unsupported, "tls-unique does not exist on TLS 1.3");
            return first_finished(ssl);
        case ChannelBinding::first_finished:
            return first_finished(ssl);
    }
    return fail(Errc::unsupported);
}

std::optional<PeerCertificate> peer_certificate_of(const SSL* ssl) {
    const X509* certificate = SSL_get0_peer_certificate(ssl);
    if (certificate == nullptr) return std::nullopt;
    CertificateNames names = names_of(certificate);
    PeerCertificate peer;
    const long verdict = SSL_get_verify_result(ssl);
    peer.verified = verdict == X509_V_OK;
    if (!peer.verified) peer.verify_error = X509_verify_cert_error_string(verdict);
    peer.common_name = common_name_of(certificate);
    peer.xmpp_addresses = std::move(names.xmpp_addresses);
    peer.srv_names = std::move(names.srv_names);
    peer.dns_names = std::move(names.dns_names);
    peer.emails = std::move(names.emails);
    peer.not_before = wall_time_of(X509_get0_notBefore(certificate));
    peer.not_after = wall_time_of(X509_get0_notAfter(certificate));
    peer.fingerprint_sha256 = fingerprint_of(certificate);
    return peer;
}

TlsInfo info_of(const SSL* ssl) {
    TlsInfo info;
    info.version = SSL_get_version(ssl);
    info.cipher = SSL_get_cipher_name(ssl);
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &protocol, &size);
    if (size > 0) info.alpn.assign(reinterpret_cast<const char*>(protocol), size);
    if (const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name))
        info.server_name = base::to_lower_ascii(name);
    info.resumed = SSL_session_reused(ssl) == 1;
    return info;
}

}  // namespace reactor
