// generate_self_signed of tls_certificate.h: an ECDSA P-256 key and an X.509 v3 certificate for TLS
// servers. It signs itself and is no authority: browsers and clients pin it or are told to trust
// it.
#include "reactor/tls_certificate.h"
#include "reactor/tls_openssl.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kCommonNameMax = 64;  // RFC 5280, appendix A: ub-common-name.
constexpr std::size_t kSerialBytes = 16;
constexpr std::int64_t kBackdateSeconds = 3600;  // Clients' clocks may be behind ours.

bool is_host_text(std::string_view host) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_' || c == '*' || c == ':';
    };
    return !host.empty() && host.size() <= 255 && std::ranges::all_of(host, allowed);
}

// The subject alternative names in the notation of OpenSSL's configuration; `is_host_text` keeps
// its special characters out.
std::string alternative_names(std::span<const std::string> hosts) {
    std::string text;
    for (const std::string& host : hosts) {
        ASN1_OCTET_STRING* ip = a2i_IPADDRESS(host.c_str());
        if (!text.empty()) text += ',';
        text += (ip != nullptr ? "IP:" : "DNS:") + host;
        ASN1_OCTET_STRING_free(ip);
    }
    ERR_clear_error();
    return text;
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    OpenSslPtr<X509_EXTENSION> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
    std::array<unsigned char, kSerialBytes> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
    bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7F) | 0x40);  // Positive, full length.
    BIGNUM* number = BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr);
    const bool done = number != nullptr &&
                      BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
    BN_free(number);
    return done;
}

bool fill(X509* certificate, EVP_PKEY* key, std::span<const std::string> hosts, base::WallTime now,
          unsigned days) {
    const std::int64_t start = now.seconds() - kBackdateSeconds;
    const std::int64_t end = now.seconds() + std::int64_t{days} * 86'400;
    X509_NAME* name = X509_get_subject_name(certificate);
    const std::string& first = hosts.front();
    const std::string common = first.size() <= kCommonNameMax ? first : "parley";
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           ASN1_TIME_set(X509_getm_notBefore(certificate), start) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), end) != nullptr &&
           X509_set_pubkey(certificate, key) == 1 &&
           X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(common.data()),
                                      static_cast<int>(common.size()), -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth") &&
           add_extension(certificate, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, NID_subject_alt_name, alternative_names(hosts)) &&
           X509_sign(certificate, key, EVP_sha256()) != 0;
}

std::string contents(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Result<TlsIdentity> generate_self_signed(std::span<const std::string> hosts, base::WallTime now,
                                         unsigned days) {
    if (hosts.empty()) return fail(Errc::invalid_argument, "a certificate needs a host name");
    for (const std::string& host : hosts)
        if (!is_host_text(host))
            return fail(Errc::invalid_argument, "not a host name in ASCII form: " + host);
    ERR_clear_error();
    OpenSslPtr<EVP_PKEY> key(EVP_EC_gen("P-256"));
    OpenSslPtr<X509> certificate(X509_new());
    OpenSslPtr<BIO> chain(BIO_new(BIO_s_mem()));
    OpenSslPtr<BIO> secret(BIO_new(BIO_s_secmem()));
    const bool done = key && certificate && chain && secret &&
                      fill(certificate.get(), key.get(), hosts, now, days) &&
                      PEM_write_bio_X509(chain.get(), certificate.get()) == 1 &&
                      PEM_write_bio_PKCS8PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0,
                                                    nullptr, nullptr) == 1;
    if (!done)
        return fail(Errc::internal, "cannot make a certificate: " + take_openssl_error("OpenSSL"));
    return TlsIdentity{contents(chain.get()), contents(secret.get())};
}

}  // namespace reactor
