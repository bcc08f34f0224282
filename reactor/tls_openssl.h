// What the tls*.cpp files share of OpenSSL. Private to them: nobody else includes this header, so
// that OpenSSL's own stay out of the rest of the tree.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "reactor/tls.h"
#include "reactor/tls_tickets.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reactor {

struct OpenSslFree {
    void operator()(BIO* object) const noexcept { BIO_free(object); }
    void operator()(EVP_PKEY* object) const noexcept { EVP_PKEY_free(object); }
    void operator()(EVP_PKEY_CTX* object) const noexcept { EVP_PKEY_CTX_free(object); }
    void operator()(GENERAL_NAMES* object) const noexcept { GENERAL_NAMES_free(object); }
    void operator()(SSL* object) const noexcept { SSL_free(object); }
    void operator()(SSL_CTX* object) const noexcept { SSL_CTX_free(object); }
    void operator()(SSL_SESSION* object) const noexcept { SSL_SESSION_free(object); }
    void operator()(X509* object) const noexcept { X509_free(object); }
    void operator()(X509_EXTENSION* object) const noexcept { X509_EXTENSION_free(object); }
};
template <class T>
using OpenSslPtr = std::unique_ptr<T, OpenSslFree>;

/// Takes the errors of this thread off OpenSSL's queue; the reason of the first, or `otherwise`.
std::string take_openssl_error(std::string_view otherwise);

/// The names in a certificate that identify its holder. Names with NUL bytes in them are left out.
struct CertificateNames {
    std::vector<std::string> dns_names;
    std::vector<std::string> emails;
    std::vector<std::string> ip_addresses;
    std::vector<std::string> xmpp_addresses;
    std::vector<std::string> srv_names;
};
CertificateNames names_of(const X509* certificate);
std::string common_name_of(const X509* certificate);
std::string fingerprint_of(const X509* certificate);
base::WallTime wall_time_of(const ASN1_TIME* time);

/// A TlsIdentity, parsed and checked.
struct ParsedIdentity {
    OpenSslPtr<X509> leaf;
    std::vector<OpenSslPtr<X509>> intermediates;
    OpenSslPtr<EVP_PKEY> key;
};
base::Result<ParsedIdentity> parse_identity(const TlsIdentity& identity);
/// Gives a context the identity; `name` is for the error text.
base::Result<void> use_identity(SSL_CTX* context, const TlsIdentity& identity);

/// The list in the wire form of RFC 7301 §3.1. Fails on an empty or over-long name.
base::Result<std::string> alpn_wire_form(const std::vector<std::string>& protocols);

struct TlsServerContext::Impl {
    std::unique_ptr<const TlsTickets> tickets;  ///< Used by the contexts below. Null: none.
    OpenSslPtr<SSL_CTX> fallback;
    std::map<std::string, OpenSslPtr<SSL_CTX>, std::less<>> exact;
    std::map<std::string, OpenSslPtr<SSL_CTX>, std::less<>> wildcard;  ///< Keyed without "*.".
    std::string alpn;                                                  ///< Wire form.

    /// The context for an SNI host name.
    SSL_CTX* find(std::string_view host) const;
};

struct TlsClientContext::Impl {
    OpenSslPtr<SSL_CTX> context;
    TlsVerify verify = TlsVerify::chain_and_name;
};

base::Result<std::string> channel_binding_of(SSL* ssl, ChannelBinding type);
bool has_channel_binding_of(SSL* ssl, ChannelBinding type);
std::optional<PeerCertificate> peer_certificate_of(const SSL* ssl);
TlsInfo info_of(const SSL* ssl);

}  // namespace reactor
