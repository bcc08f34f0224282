// TlsServerContext and TlsClientContext of tls.h: certificates by server name, ALPN, versions,
// ciphers and the memory-saving modes. One SSL_CTX per identity; the callbacks read the immutable
// Impl.
#include "reactor/base/text.h"
#include "reactor/tls_openssl.h"

#include <algorithm>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

// Forward secrecy and authenticated encryption only (RFC 9325 §4.2).
// AES of 128 bits first: strong enough, and its hash, SHA-256, has instructions of its own.
constexpr const char* kCiphers12 = "ECDHE+AES128+AESGCM:ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!aPSK";
constexpr const char* kCiphers13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";
// Any constant: it keeps sessions of other services of the same process apart (SSL_CTX(3)).
constexpr std::string_view kSessionContext = "parley";

int wire_version(TlsVersion version) {
    return version == TlsVersion::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
}

bool apply_common(SSL_CTX* context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // One read of the lower stream per wake-up instead of one for the header and one for the
    // record.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_cipher_list(context, kCiphers12) == 1 &&
           SSL_CTX_set_ciphersuites(context, kCiphers13) == 1 &&
           SSL_CTX_set1_groups_list(context, kGroups) == 1;
}

Result<void> load_authorities(SSL_CTX* context, const std::string& file) {
    ERR_clear_error();
    const bool loaded = file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                     : SSL_CTX_load_verify_file(context, file.c_str()) == 1;
    if (loaded) return {};
    return fail(Errc::io_error, "cannot load the certificate authorities from " +
                                    (file.empty() ? std::string("the system") : file) + ": " +
                                    take_openssl_error("unreadable"));
}

// The verdict stays in SSL_get_verify_result; the session decides what an unverified peer may do.
int verify_but_go_on(X509_STORE_CTX* store, void*) {
    if (X509_verify_cert(store) <= 0 && X509_STORE_CTX_get_error(store) == X509_V_OK)
        X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
    return 1;
}

int choose_host(SSL* ssl, int*, void* argument) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    const auto& impl = *static_cast<const TlsServerContext::Impl*>(argument);
    SSL_CTX* context = impl.find(name);
    if (context != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, context);
    return SSL_TLSEXT_ERR_OK;
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void* argument) {
    const std::string& ours = static_cast<const TlsServerContext::Impl*>(argument)->alpn;
    unsigned char* out = nullptr;
    const int verdict = SSL_select_next_proto(
        &out, chosen_size, reinterpret_cast<const unsigned char*>(ours.data()),
        static_cast<unsigned>(ours.size()), offered, offered_size);
    if (verdict != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = out;
    return SSL_TLSEXT_ERR_OK;
}

Result<OpenSslPtr<SSL_CTX>> make_server_context(TlsServerContext::Impl& impl,
                                                const TlsServerOptions& options,
                                                const TlsIdentity& identity) {
    ERR_clear_error();
    OpenSslPtr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
    const auto* session_id = reinterpret_cast<const unsigned char*>(kSessionContext.data());
    if (!context || !apply_common(context.get()) ||
        SSL_CTX_set_min_proto_version(context.get(), wire_version(options.version_min)) != 1 ||
        SSL_CTX_set_session_id_context(context.get(), session_id,
                                       static_cast<unsigned>(kSessionContext.size())) != 1 ||
        SSL_CTX_set_num_tickets(context.get(), options.session_tickets) != 1)
        return fail(Errc::internal, "cannot set up TLS: " + take_openssl_error("OpenSSL"));
    if (impl.tickets == nullptr) {
        SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
    } else if (!impl.tickets->use_in(context.get())) {
        return fail(Errc::internal, "cannot set up tickets: " + take_openssl_error("OpenSSL"));
    }
    SSL_CTX_set_tlsext_servername_callback(context.get(), choose_host);
    SSL_CTX_set_tlsext_servername_arg(context.get(), &impl);
    if (!impl.alpn.empty()) SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, &impl);
    if (options.request_client_certificate) {
        TRY(load_authorities(context.get(), options.client_ca_file));
        // Servers that authenticate by EXTERNAL often hold certificates for serverAuth only.
        SSL_CTX_set_purpose(context.get(), X509_PURPOSE_ANY);
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
        SSL_CTX_set_cert_verify_callback(context.get(), verify_but_go_on, nullptr);
    }
    TRY(use_identity(context.get(), identity));
    return context;
}

}  // namespace

Result<void> use_identity(SSL_CTX* context, const TlsIdentity& identity) {
    ParsedIdentity parsed = TRY(parse_identity(identity));
    ERR_clear_error();
    bool used = SSL_CTX_use_certificate(context, parsed.leaf.get()) == 1 &&
                SSL_CTX_use_PrivateKey(context, parsed.key.get()) == 1;
    for (const OpenSslPtr<X509>& next : parsed.intermediates)
        used = used && SSL_CTX_add1_chain_cert(context, next.get()) == 1;
    if (used) return {};
    return fail(Errc::invalid_argument,
                "the certificate cannot be used: " + take_openssl_error("OpenSSL refuses it"));
}

Result<std::string> alpn_wire_form(const std::vector<std::string>& protocols) {
    std::string wire;
    for (const std::string& protocol : protocols) {
        if (protocol.empty() || protocol.size() > 255)
            return fail(Errc::invalid_argument, "an ALPN name has 1 to 255 bytes");
        wire += static_cast<char>(protocol.size());
        wire += protocol;
    }
    if (wire.size() > 65'535) return fail(Errc::invalid_argument, "too many ALPN names");
    return wire;
}

SSL_CTX* TlsServerContext::Impl::find(std::string_view host) const {
    std::string name = base::to_lower_ascii(host);
    if (name.ends_with('.')) name.pop_back();
    if (const auto found = exact.find(name); found != exact.end()) return found->second.get();
    const std::size_t dot = name.find('.');
    if (dot != std::string::npos && dot > 0)
        if (const auto found = wildcard.find(std::string_view(name).substr(dot + 1));
            found != wildcard.end())
            return found->second.get();
    return fallback.get();
}

TlsServerContext::TlsServerContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsServerContext::~TlsServerContext() = default;

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::create(
    const TlsServerOptions& options) {
    auto impl = std::make_unique<Impl>();
    impl->alpn = TRY(alpn_wire_form(options.alpn));
    if (options.session_tickets > 0) impl->tickets = TRY(TlsTickets::create(options));
    auto fallback = make_server_context(*impl, options, options.identity);
    if (!fallback) return std::unexpected(fallback.error());
    impl->fallback = *std::move(fallback);
    for (const auto& [host, identity] : options.hosts) {
        auto context = make_server_context(*impl, options, identity);
        if (!context) return std::unexpected(context.error().with(host));
        const std::string name = base::to_lower_ascii(host);
        auto& table = name.starts_with("*.") ? impl->wildcard : impl->exact;
        const std::string key = name.starts_with("*.") ? name.substr(2) : name;
        if (!table.try_emplace(key, *std::move(context)).second)
            return fail(Errc::invalid_argument, "two certificates for " + name);
    }
    return std::shared_ptr<const TlsServerContext>(new TlsServerContext(std::move(impl)));
}

TlsClientContext::TlsClientContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsClientContext::~TlsClientContext() = default;

Result<std::shared_ptr<const TlsClientContext>> TlsClientContext::create(
    const TlsClientOptions& options) {
    auto impl = std::make_unique<Impl>();
    impl->verify = options.verify;
    ERR_clear_error();
    impl->context.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* context = impl->context.get();
    if (context == nullptr || !apply_common(context) ||
        SSL_CTX_set_min_proto_version(context, wire_version(options.version_min)) != 1 ||
        SSL_CTX_set_max_proto_version(context, wire_version(options.version_max)) != 1)
        return fail(Errc::internal, "cannot set up TLS: " + take_openssl_error("OpenSSL"));
    TRY(load_authorities(context, options.ca_file));
    SSL_CTX_set_verify(
        context, options.verify == TlsVerify::none ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
    if (options.identity) TRY(use_identity(context, *options.identity));
    const std::string alpn = TRY(alpn_wire_form(options.alpn));
    // Unlike the rest of OpenSSL, this one answers 0 for success.
    if (!alpn.empty() &&
        SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(alpn.data()),
                                static_cast<unsigned>(alpn.size())) != 0)
        return fail(Errc::internal, "cannot set up ALPN");
    return std::shared_ptr<const TlsClientContext>(new TlsClientContext(std::move(impl)));
}

}  // namespace reactor
